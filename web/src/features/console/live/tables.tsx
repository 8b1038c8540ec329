import type { ReactNode } from 'react';
import { Link } from 'wouter';
import { Badge, NodeLabel, Table, Time } from '../../../ui';
import { useTenants } from '../tenant';
import type { Stats } from './charts';
import { useLatest } from './chart';
import type { Feed } from './feed';
import { bytes, duration, figure } from './format';

/** What waits, and what was given up: asked of the database every ten seconds. */
export function Counts({ live }: { readonly live: Feed }): ReactNode {
  const counts = useLatest(live)?.counts;
  return (
    <section className="card chart counts" aria-label="Waiting and given up">
      <h2>Waiting and given up</h2>
      {counts === null || counts === undefined ? (
        <p className="muted small">Not counted yet.</p>
      ) : (
        <dl>
          {rowsOf(counts).map(([name, count, isCapped, isBad]) => (
            <div key={name} data-bad={isBad && count > 0}>
              <dt>{name}</dt>
              <dd>
                {figure(count)}
                {isCapped && '+'}
              </dd>
            </div>
          ))}
        </dl>
      )}
    </section>
  );
}

type CountRow = readonly [name: string, count: number, isCapped: boolean, isBad: boolean];

function rowsOf({ jobs, runs, dead_letters: dead, capped }: NonNullable<Stats['counts']>): readonly CountRow[] {
  const sum = (state: 'queued' | 'running' | 'dead'): number => jobs.reduce((all, job) => all + job[state], 0);
  const is = (name: string): boolean => capped.includes(name);
  return [
    ['Jobs that wait', sum('queued'), is('jobs.queued'), false],
    ['Jobs that run', sum('running'), is('jobs.running'), false],
    ['Jobs given up', sum('dead'), is('jobs.dead'), true],
    ['Answers that wait', runs.queued, is('runs'), false],
    ['Answers being written', runs.streaming, is('runs'), false],
    ['Messages not delivered', dead.message, is('dead_letters.message'), true],
    ['Notifications not delivered', dead.notification, is('dead_letters.notification'), true],
    ['Webhook posts not delivered', dead.webhook, is('dead_letters.webhook'), true],
  ];
}

type Node = NonNullable<Stats['nodes']>[number];
type Busy = NonNullable<Stats['tenants']>[number];

/** The servers of the installation, as each was within the last second. */
export function Nodes({ live }: { readonly live: Feed }): ReactNode {
  const nodes = useLatest(live)?.nodes;
  if (nodes === null || nodes === undefined) return null;
  return (
    <section className="stack">
      <h2>Servers</h2>
      <Table
        label="Servers"
        rows={nodes}
        keyOf={(node: Node) => node.node_id}
        columns={[
          { title: 'Server', cell: (node) => <NodeLabel id={node.node_id} name={node.name} /> },
          { title: 'Up since', cell: (node) => <Time at={node.started_at} /> },
          { title: 'Loop delay p99', isFigure: true, cell: (node) => duration(node.loop_delay_p99_ms) },
          { title: 'Memory', isFigure: true, cell: (node) => bytes(node.rss_bytes) },
          {
            title: 'Database',
            cell: ({ database: { up } }) => <Badge tone={up ? 'good' : 'bad'}>{up ? 'there' : 'away'}</Badge>,
          },
          { title: 'Its connections', isFigure: true, cell: ({ database: db }) => `${db.in_use} of ${db.size}` },
          { title: 'Calls that wait', isFigure: true, cell: ({ database: db }) => figure(db.waiting) },
        ]}
      />
    </section>
  );
}

/** The tenants that do most, at most twenty. */
export function BusyTenants({ live }: { readonly live: Feed }): ReactNode {
  const tenants = useLatest(live)?.tenants;
  const names = new Map(useTenants().map(({ tenant_id: id, name }) => [id, name]));
  if (tenants === null || tenants === undefined) return null;
  return (
    <section className="stack">
      <h2>Busiest tenants</h2>
      {tenants.length === 0 ? (
        <p className="muted">Nobody is connected, and nothing was sent lately.</p>
      ) : (
        <Table
          label="Busiest tenants"
          rows={tenants}
          keyOf={(row: Busy) => row.tenant_id}
          columns={[
            {
              title: 'Tenant',
              cell: ({ tenant_id: id }) => <Link href={`/?tenant=${id}`}>{names.get(id) ?? id}</Link>,
            },
            { title: 'Connections', isFigure: true, cell: (row) => figure(row.connections) },
            { title: 'Online', isFigure: true, cell: (row) => figure(row.online) },
            { title: 'Messages/s', isFigure: true, cell: (row) => figure(row.messages_per_second) },
            { title: 'Deliveries/s', isFigure: true, cell: (row) => figure(row.deliveries_per_second) },
            { title: 'Send p99', isFigure: true, cell: (row) => duration(row.send_p99_ms) },
            { title: 'Refused/s', isFigure: true, cell: (row) => figure(row.refused_per_second) },
            { title: 'Tokens/s', isFigure: true, cell: (row) => figure(row.tokens_per_second) },
          ]}
        />
      )}
    </section>
  );
}
