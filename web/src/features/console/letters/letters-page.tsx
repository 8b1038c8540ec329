import { type ReactNode, useState } from 'react';
import {
  Badge,
  Button,
  Choice,
  Empty,
  FaultNote,
  Id,
  Loading,
  Table,
  TextField,
  Time,
  useUrlChoice,
  useUrlState,
} from '../../../ui';
import '../work/work.css';
import { type Act, ActDialog } from './act';
import { type Filter, fits, type Letter, useLetters } from './data';

const KINDS = [
  ['', 'All kinds'],
  ['message', 'Messages'],
  ['notification', 'Notifications'],
  ['webhook', 'Webhooks'],
] as const;
const NUMBER = new Intl.NumberFormat();

/** What could not be delivered, why, and what to do about it. */
export default function LettersPage(): ReactNode {
  const { data, error } = useLetters();
  const [filter, fields, isFiltered] = useFilter();
  const [act, setAct] = useState<Act>();
  const [said, setSaid] = useState<string>();
  const fitting = data?.letters.filter((letter) => fits(filter, letter)) ?? [];
  const begin = (what: Act['what'], letters: readonly Letter[], by?: Filter): void => {
    setSaid(undefined);
    setAct({ what, letters, filter: by, isCut: by !== undefined && data?.isCut === true });
  };
  return (
    <>
      <div className="page-head">
        <h1>Dead letters</h1>
        {fitting.length > 0 && (
          <div className="head-actions">
            <Button tone="main" onClick={() => begin('replay', fitting, filter)}>
              {isFiltered ? 'Replay these' : 'Replay all'}
            </Button>
            <Button tone="danger" onClick={() => begin('drop', fitting, filter)}>
              {isFiltered ? 'Drop these' : 'Drop all'}
            </Button>
          </div>
        )}
      </div>
      {fields}
      {error !== null && <FaultNote fault={error} />}
      <div role="status">{said !== undefined && <p className="result">{said}</p>}</div>
      {data === undefined && error === null && <Loading />}
      {data?.isCut === true && <p className="muted small">There are more: the newest 1,000 of each kind are shown.</p>}
      {data !== undefined && fitting.length === 0 && <Nothing isFiltered={isFiltered} />}
      {fitting.length > 0 && <Rows letters={fitting} onAct={(what, letter) => begin(what, [letter])} />}
      {act !== undefined && <ActDialog act={act} onDone={setSaid} onClose={() => setAct(undefined)} />}
    </>
  );
}

/** The filter that stands in the address, and its fields. */
function useFilter(): readonly [Filter, ReactNode, boolean] {
  const [kind, setKind] = useUrlChoice('kind', ['', 'message', 'notification', 'webhook']);
  const [room, setRoom] = useUrlState('room');
  const [user, setUser] = useUrlState('user');
  const [day, setDay] = useUrlState('before');
  const at = Date.parse(day);
  const filter: Filter = {
    ...(kind !== '' && { kind }),
    ...(room.trim() !== '' && { room_id: room.trim() }),
    ...(user !== '' && { user_id: user }),
    ...(!Number.isNaN(at) && { before: new Date(at).toISOString() }),
  };
  const fields = (
    <form className="filters" role="search" aria-label="Filter" onSubmit={(event) => event.preventDefault()}>
      <Choice label="Kind" value={kind} options={KINDS} onValue={setKind} />
      <TextField label="Room id" value={room} onValue={setRoom} autoComplete="off" spellCheck={false} />
      <TextField label="User id" value={user} onValue={setUser} autoComplete="off" spellCheck={false} />
      <TextField label="Tried before (UTC)" type="date" value={day} onValue={setDay} />
    </form>
  );
  return [filter, fields, Object.keys(filter).length > 0];
}

function Nothing({ isFiltered }: { readonly isFiltered: boolean }): ReactNode {
  return isFiltered ? (
    <Empty title="None like this">
      <p>No dead letter fits the filter. Take a part of it away to see more.</p>
    </Empty>
  ) : (
    <Empty title="Everything is delivered, or on its way">
      <p>
        What nobody acknowledged after all its attempts comes here, and webhook posts that their target never took. You
        can then send it again, or drop it.
      </p>
    </Empty>
  );
}

interface RowsProps {
  readonly letters: readonly Letter[];
  readonly onAct: (what: Act['what'], letter: Letter) => void;
}

function Rows({ letters, onAct }: RowsProps): ReactNode {
  return (
    <>
      <p className="muted small" role="status">
        {NUMBER.format(letters.length)} {letters.length === 1 ? 'dead letter' : 'dead letters'}
      </p>
      <Table
        label="Dead letters"
        rows={letters}
        keyOf={({ id }) => id}
        columns={[
          { title: 'Kind', cell: ({ kind }) => <Badge>{kind}</Badge> },
          { title: 'What', cell: What },
          { title: 'For', cell: ({ userId }) => userId ?? <span className="muted">the webhook</span> },
          { title: 'Error', cell: ({ error }) => <div className="wrapped">{error}</div> },
          { title: 'Attempts', isFigure: true, cell: ({ attempts }) => NUMBER.format(attempts) },
          { title: 'Last attempt', cell: ({ at }) => <Time at={at} /> },
          {
            title: 'Actions',
            cell: (letter) => (
              <>
                <Button className="small" aria-label={`Replay ${letter.id}`} onClick={() => onAct('replay', letter)}>
                  Replay
                </Button>
                <Button className="small" aria-label={`Drop ${letter.id}`} onClick={() => onAct('drop', letter)}>
                  Drop
                </Button>
              </>
            ),
          },
        ]}
      />
    </>
  );
}

function What({ about, of }: Letter): ReactNode {
  return (
    <>
      <span className="letter">
        <Id id={about} />
      </span>
      <span className="muted small">{of}</span>
    </>
  );
}
