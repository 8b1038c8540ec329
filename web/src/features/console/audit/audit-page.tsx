import { type ReactNode, useState } from 'react';
import {
  Button,
  Choice,
  Empty,
  FaultNote,
  Loading,
  Table,
  TextField,
  Time,
  useUrlChoice,
  useUrlState,
} from '../../../ui';
import { useTenant } from '../tenant';
import '../work/work.css';
import { type Action, ACTIONS, type Filter, type Item, useAudit, useAudited } from './data';
import { ChangedFields, Looked, Target, Who } from './item';
import { Verify } from './verify';

const NAMES = Object.keys(ACTIONS) as Action[];
const OPTIONS = [['', 'All actions'] as const, ...NAMES.map((name) => [name, name] as const)];
const DAY_END = 'T23:59:59.999Z';

/** What administrators did, and the proof that nobody changed what is written about it. */
export default function AuditPage(): ReactNode {
  const [tenantId] = useTenant();
  const of = useAudited();
  const [filter, fields] = useFilter();
  const { items, error, onMore, isFetching } = useAudit(filter);
  const [looked, setLooked] = useState<Item>();
  return (
    <>
      <div className="page-head">
        <h1>Audit</h1>
      </div>
      {tenantId === undefined && (
        <p className="muted">
          What was done to the installation itself. For what was done in a tenant, choose it at the top.
        </p>
      )}
      <Verify key={of} of={of} />
      {fields}
      {error !== null && <FaultNote fault={error} />}
      {items === undefined && error === null && <Loading />}
      {items?.length === 0 && <Nothing isFiltered={Object.keys(filter).length > 0} />}
      {items !== undefined && items.length > 0 && (
        <Table
          label="Audit log"
          rows={items}
          keyOf={({ n }) => String(n)}
          onMore={onMore}
          isFetching={isFetching}
          columns={[
            { title: 'When', cell: ({ at }) => <Time at={at} isExact /> },
            { title: 'Who', cell: ({ actor }) => <Who actor={actor} /> },
            { title: 'What', cell: ({ action }) => <code>{action}</code> },
            { title: 'Target', cell: ({ target }) => <Target of={target} /> },
            { title: 'Change', cell: (item) => <ChangedFields item={item} isShort /> },
            {
              title: 'Actions',
              cell: (item) => (
                <Button className="small" aria-label={`Look at row ${item.n}`} onClick={() => setLooked(item)}>
                  Look
                </Button>
              ),
            },
          ]}
        />
      )}
      {looked !== undefined && <Looked item={looked} onClose={() => setLooked(undefined)} />}
    </>
  );
}

/** The filter that stands in the address, and its fields. */
function useFilter(): readonly [Filter, ReactNode] {
  const [action, setAction] = useUrlChoice<Action | ''>('action', ['', ...NAMES]);
  const [actor, setActor] = useUrlState('actor');
  const [target, setTarget] = useUrlState('target');
  const [from, setFrom] = useUrlState('since');
  const [to, setTo] = useUrlState('until');
  const isDay = (day: string): boolean => !Number.isNaN(Date.parse(day));
  const filter: Filter = {
    ...(action !== '' && { action }),
    ...(actor.trim() !== '' && { actor: actor.trim() }),
    ...(target.trim() !== '' && { target: target.trim() }),
    ...(isDay(from) && { from: new Date(from).toISOString() }),
    ...(isDay(to) && { to: `${to}${DAY_END}` }),
  };
  const fields = (
    <form className="filters" role="search" aria-label="Filter" onSubmit={(event) => event.preventDefault()}>
      <Choice label="Action" value={action} options={OPTIONS} onValue={setAction} />
      <Entry label="Who" example="master, key:…, user:…" value={actor} onValue={setActor} />
      <Entry label="Target" example="room:…, user:…" value={target} onValue={setTarget} />
      <TextField label="From day (UTC)" type="date" value={from} onValue={setFrom} />
      <TextField label="To day (UTC)" type="date" value={to} onValue={setTo} />
    </form>
  );
  return [filter, fields];
}

interface EntryProps {
  readonly label: string;
  readonly example: string;
  readonly value: string;
  readonly onValue: (value: string) => void;
}

/** A field that takes effect when it is left or Enter is pressed: half an id would be asked for, and refused. */
function Entry({ label, example, value, onValue }: EntryProps): ReactNode {
  const [typed, setTyped] = useState(value);
  return (
    <TextField
      label={label}
      placeholder={example}
      value={typed}
      onValue={setTyped}
      autoComplete="off"
      spellCheck={false}
      onBlur={() => onValue(typed)}
      onKeyDown={({ key }) => {
        if (key === 'Enter') onValue(typed);
      }}
    />
  );
}

function Nothing({ isFiltered }: { readonly isFiltered: boolean }): ReactNode {
  return isFiltered ? (
    <Empty title="Nothing like this">
      <p>No row of the log fits the filter. Take a part of it away to see more.</p>
    </Empty>
  ) : (
    <Empty title="Nothing was done yet">
      <p>A key made, a limit changed, a room deleted by an admin: each such act is written here as it is done.</p>
    </Empty>
  );
}
