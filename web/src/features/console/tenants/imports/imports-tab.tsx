import { type ReactNode, useState } from 'react';
import { Link } from 'wouter';
import { Badge, Button, Empty, FaultNote, Loading, Table, Time, useUrlState } from '../../../../ui';
import { bytes } from '../../live/format';
import { type Sending, useSendings } from '../../sending';
import type { Tenant } from '../../tenant';
import { BeginImport } from './begin';
import { type Import, SOURCES, STATES, useImports } from './data';
import { OneImport } from './one-import';
import './imports.css';

const NUMBER = new Intl.NumberFormat();
const WHOLE = 100;

/** What was brought into the tenant from files: all imports, or the one that the address names. */
export function ImportsTab({ tenant }: { readonly tenant: Tenant }): ReactNode {
  const [importId] = useUrlState('import');
  if (importId !== '') return <OneImport key={importId} tenant={tenant} importId={importId} />;
  return <ImportList tenant={tenant} />;
}

function ImportList({ tenant }: { readonly tenant: Tenant }): ReactNode {
  const [isBeginning, setBeginning] = useState(false);
  const { items, error, onMore, isFetching } = useImports(tenant.tenant_id);
  const begin = (
    <Button tone="main" onClick={() => setBeginning(true)}>
      Import a file
    </Button>
  );
  return (
    <section className="stack">
      <div className="page-head">
        <h2>Imports</h2>
        {items?.length !== 0 && begin}
      </div>
      {error !== null && <FaultNote fault={error} />}
      {items === undefined && error === null && <Loading />}
      {items?.length === 0 && (
        <Empty title="No import yet">
          <p>
            Rooms, users and messages can be brought in from another ChatAPI, from Slack or from Stream Chat. The file
            is checked whole before anything is written; authors, times and order are kept, and nobody is told.
          </p>
          {begin}
        </Empty>
      )}
      {items !== undefined && items.length > 0 && (
        <Rows {...{ items, onMore, isFetching }} tenantId={tenant.tenant_id} />
      )}
      {isBeginning && <BeginImport tenant={tenant} onClose={() => setBeginning(false)} />}
    </section>
  );
}

interface RowsProps {
  readonly tenantId: string;
  readonly items: readonly Import[];
  readonly onMore: (() => void) | undefined;
  readonly isFetching: boolean;
}

function Rows({ tenantId, items, onMore, isFetching }: RowsProps): ReactNode {
  const sendings = useSendings();
  return (
    <Table
      label="Imports"
      rows={items}
      keyOf={({ import_id: id }) => id}
      onMore={onMore}
      isFetching={isFetching}
      columns={[
        {
          title: 'Begun',
          cell: ({ import_id: id, created_at: at }) => (
            <Link href={`/tenants/${tenantId}/imports?import=${id}`}>
              <Time at={at} />
            </Link>
          ),
        },
        { title: 'From', cell: ({ source }) => SOURCES[source][0] },
        { title: 'State', cell: (one) => <StateCell one={one} sending={sendings.get(one.import_id)} /> },
        { title: 'Faults', isFigure: true, cell: ({ fault_count: count }) => NUMBER.format(count) },
        { title: 'Size', isFigure: true, cell: (one) => bytes(one.bytes) },
        { title: 'Messages made', isFigure: true, cell: ({ counts }) => NUMBER.format(counts['message'] ?? 0) },
        { title: 'Ended', cell: ({ finished_at: at }) => <Time at={at} /> },
      ]}
    />
  );
}

interface StateCellProps {
  readonly one: Import;
  readonly sending: Sending | undefined;
}

function StateCell({ one: { state }, sending }: StateCellProps): ReactNode {
  const [tone, words] = STATES[state];
  if (sending === undefined || state !== 'uploading') return <Badge tone={tone}>{words}</Badge>;
  return (
    <Badge tone={sending.state === 'failed' ? 'bad' : 'warn'}>
      {sending.state === 'sending' ? 'sending' : sending.state}, {Math.floor((sending.sent / sending.size) * WHOLE)} %
    </Badge>
  );
}
