import { useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { type Api, bodyOf, useApi } from '../../../api/client';
import { Badge, Button, Dialog, Empty, FaultNote, Loading, Pager, Table, Time, useUrlOffset } from '../../../ui';
import { type Delivery, ROWS, useDeliveries } from './data';

const TONES = { pending: 'warn', delivered: 'good', dead: 'bad', failed: 'bad' } as const;
const WORDS = { pending: 'tried again', delivered: 'delivered', dead: 'given up', failed: 'failed' } as const;
const MOST_LETTERS = 100;

/** What was posted, and what the target said; what was given up can be sent once more. */
export function Deliveries({ tenantId }: { readonly tenantId: string }): ReactNode {
  const [offset, setOffset] = useUrlOffset();
  const { data, error } = useDeliveries(tenantId, offset);
  const [looked, setLooked] = useState<Delivery>();
  return (
    <section className="stack">
      <h2>Deliveries</h2>
      {error !== null && <FaultNote fault={error} />}
      {data === undefined && error === null && <Loading />}
      {data?.total === 0 && (
        <Empty title="Nothing was posted yet">
          <p>“Post a test” sends one now; all else comes with the events that you chose.</p>
        </Empty>
      )}
      {data !== undefined && data.total > 0 && (
        <>
          <Log rows={data.deliveries} onLook={setLooked} />
          <Pager {...{ offset, total: data.total, limit: ROWS, shown: data.deliveries.length }} onOffset={setOffset} />
        </>
      )}
      {looked !== undefined && <Looked tenantId={tenantId} delivery={looked} onClose={() => setLooked(undefined)} />}
    </section>
  );
}

interface LogProps {
  readonly rows: readonly Delivery[];
  readonly onLook: (row: Delivery) => void;
}

function Log({ rows, onLook }: LogProps): ReactNode {
  return (
    <Table
      label="Deliveries"
      rows={rows}
      keyOf={({ webhook_id: id }) => id}
      columns={[
        { title: 'Event', cell: ({ type }) => type },
        { title: 'State', cell: ({ state }) => <Badge tone={TONES[state]}>{WORDS[state]}</Badge> },
        {
          title: 'Answer',
          cell: ({ status, error: why }) => (status === null ? (why ?? '–') : `HTTP ${status}`),
        },
        { title: 'Attempts', isFigure: true, cell: ({ attempts }) => attempts },
        { title: 'Took', isFigure: true, cell: ({ latency_ms: ms }) => (ms === null ? '–' : `${ms} ms`) },
        { title: 'Last attempt', cell: ({ last_attempt_at: at }) => <Time at={at} /> },
        {
          title: 'Actions',
          cell: (row) => (
            <Button className="small" aria-label={`Look at ${row.webhook_id}`} onClick={() => onLook(row)}>
              Look
            </Button>
          ),
        },
      ]}
    />
  );
}

interface LookedProps {
  readonly tenantId: string;
  readonly delivery: Delivery;
  readonly onClose: () => void;
}

/** One delivery: its id, and what the target answered. */
function Looked({ tenantId, delivery, onClose }: LookedProps): ReactNode {
  const api = useApi();
  const queries = useQueryClient();
  const [isBusy, setBusy] = useState(false);
  const [fault, setFault] = useState<unknown>();
  const again = (): void => {
    setBusy(true);
    setFault(undefined);
    replay(api, tenantId, delivery.webhook_id)
      .then(() => queries.invalidateQueries({ queryKey: ['deliveries', tenantId] }))
      .then(onClose, (error: unknown) => {
        setFault(error);
        setBusy(false);
      });
  };
  return (
    <Dialog title={delivery.type} onClose={onClose}>
      <Facts delivery={delivery} />
      {fault !== undefined && <FaultNote fault={fault} />}
      <div className="actions">
        {delivery.state === 'dead' && (
          <Button tone="main" isBusy={isBusy} onClick={again}>
            Post it again
          </Button>
        )}
        <Button onClick={onClose}>Close</Button>
      </div>
    </Dialog>
  );
}

function Facts({ delivery }: Pick<LookedProps, 'delivery'>): ReactNode {
  return (
    <>
      <dl className="facts">
        <dt>State</dt>
        <dd>
          <Badge tone={TONES[delivery.state]}>{WORDS[delivery.state]}</Badge>
        </dd>
        <dt>webhook-id</dt>
        <dd>
          <code>{delivery.webhook_id}</code>
        </dd>
        <dt>Made</dt>
        <dd>
          <Time at={delivery.created_at} />
        </dd>
        <dt>Attempts</dt>
        <dd>
          {delivery.attempts}, the last <Time at={delivery.last_attempt_at} />
        </dd>
        {delivery.error !== null && (
          <>
            <dt>Error</dt>
            <dd>{delivery.error}</dd>
          </>
        )}
      </dl>
      {delivery.answer !== null && delivery.answer !== '' && (
        <pre tabIndex={0} role="region" aria-label="What the target answered">
          {delivery.answer}
        </pre>
      )}
    </>
  );
}

/** Sends what was given up once more: it is a dead letter, under an id of its own. */
async function replay(api: Api, tenantId: string, webhookId: string): Promise<void> {
  const query = { tenant_id: tenantId };
  const letters = await bodyOf(
    api.GET('/admin/dead-letters', { params: { query: { ...query, limit: MOST_LETTERS } } }),
  );
  const letter = letters.failed_webhooks.find(({ webhook_id: id }) => id === webhookId);
  if (letter === undefined) throw new Error('It is no dead letter any more, or an old one: see the page Dead letters.');
  await api.POST('/admin/dead-letters/replay', { params: { query }, body: { ids: [letter.id] } });
}
