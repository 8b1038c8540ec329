import { useQuery, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { ApiFault, bodyOf, type components, useApi } from '../../../api/client';
import { Badge, Button, Confirm, FaultNote, Loading, Time } from '../../../ui';
import type { Tenant } from '../tenant';

const NOT_FOUND = 404;
const EVERY_MS = 1500;
const DAYS = 366;
const DAY_MS = 86_400_000;
const NUMBER = new Intl.NumberFormat();

/** Deletes a tenant, its name typed; the page then tells how far that is. */
export function DeleteButton({ tenant }: { readonly tenant: Tenant }): ReactNode {
  const [isAsking, setAsking] = useState(false);
  const api = useApi();
  const queries = useQueryClient();
  const { tenant_id: id, name } = tenant;
  const run = async (): Promise<void> => {
    await api.DELETE('/admin/tenants/{tenant_id}', {
      params: { path: { tenant_id: id }, query: { confirm: name } },
    });
    await Promise.all(
      [['tenant', id], ['deletion', id], ['tenants']].map((queryKey) => queries.invalidateQueries({ queryKey })),
    );
  };
  return (
    <>
      <Button tone="danger" onClick={() => setAsking(true)}>
        Delete
      </Button>
      {isAsking && (
        <Confirm
          title={`Delete ${name}?`}
          name={name}
          action="Delete for good"
          onConfirm={run}
          onClose={() => setAsking(false)}
        >
          <WhatGoes tenantId={id} />
          <p>
            All its calls are refused at once, and its rows are removed within minutes: users, rooms, messages, keys and
            settings. <strong>It cannot be taken back.</strong> An export keeps a copy; make it first.
          </p>
        </Confirm>
      )}
    </>
  );
}

/** How much there is, as far as it is counted. */
function WhatGoes({ tenantId }: { readonly tenantId: string }): ReactNode {
  const usage = useYear(tenantId);
  const open = useOpen(tenantId);
  if (usage === undefined || open === undefined) return <Loading what="Counting" />;
  return (
    <p>
      <strong>
        {usage.messages === 1 ? '1 message' : `${NUMBER.format(usage.messages)} messages`} of the last year,{' '}
        {open.connections === 1 ? '1 open connection' : `${NUMBER.format(open.connections)} open connections`} and{' '}
        {open.online === 1 ? '1 user' : `${NUMBER.format(open.online)} users`} online.
      </strong>
    </p>
  );
}

function useYear(tenantId: string): { readonly messages: number } | undefined {
  const api = useApi();
  const { data } = useQuery({
    queryKey: ['usage', 'year', tenantId],
    queryFn: async () => {
      const from = new Date(Date.now() - (DAYS - 1) * DAY_MS).toISOString().slice(0, 'yyyy-mm-dd'.length);
      let messages = 0;
      let cursor: string | null = null;
      do {
        const query = { tenant_id: tenantId, from, limit: 100, ...(cursor !== null && { cursor }) };
        const page: components['schemas']['TenantUsageDto'] = await bodyOf(
          api.GET('/admin/usage', { params: { query } }),
        );
        for (const item of page.items) messages += item.messages ?? 0;
        cursor = page.next;
      } while (cursor !== null);
      return { messages };
    },
  });
  return data;
}

function useOpen(tenantId: string): { readonly connections: number; readonly online: number } | undefined {
  const api = useApi();
  const { data } = useQuery({
    queryKey: ['stats', 'now', tenantId],
    queryFn: () => bodyOf(api.GET('/admin/stats', { params: { query: { tenant_id: tenantId } } })),
  });
  if (data === undefined) return undefined;
  const { connections, online } = data.figures;
  return { connections: connections.ws + connections.ws_chat + connections.sse, online };
}

const TONES = { waiting: 'warn', deleting: 'warn', done: 'good', failed: 'bad' } as const;
const WORDS: Readonly<Record<components['schemas']['DeletionDto']['state'], string>> = {
  waiting: 'It begins in about 15 seconds: calls that were let in before are still served.',
  deleting: 'What is counted below is gone.',
  done: 'Nothing of it is left.',
  failed: 'It stopped. The page Jobs has the error, and can run it again.',
};

/**
 * How far the deletion of a tenant is.
 * @param children what stands there where it was never deleted
 */
export function Deletion({
  tenantId,
  children,
}: {
  readonly tenantId: string;
  readonly children?: ReactNode;
}): ReactNode {
  const api = useApi();
  const queries = useQueryClient();
  const { data, error } = useQuery({
    queryKey: ['deletion', tenantId],
    queryFn: async () => {
      const deletion = await bodyOf(
        api.GET('/admin/tenants/{tenant_id}/deletion', { params: { path: { tenant_id: tenantId } } }),
      );
      if (deletion.state === 'done') await queries.invalidateQueries({ queryKey: ['tenants'] });
      return deletion;
    },
    refetchInterval: ({ state }) => (state.data?.state === 'done' || state.error !== null ? false : EVERY_MS),
  });
  if (error instanceof ApiFault && error.status === NOT_FOUND) return children;
  if (data === undefined) return error === null ? <Loading /> : <FaultNote fault={error} />;
  const counts = Object.entries(data.deleted).filter(([, count]) => count > 0);
  return (
    <section className="card webhook stack" aria-label="Deletion">
      <div className="row">
        <h2>Deletion</h2> <Badge tone={TONES[data.state]}>{data.state}</Badge>
      </div>
      <p role="status">{WORDS[data.state]}</p>
      <dl className="facts">
        <dt>Began</dt>
        <dd>
          <Time at={data.started_at} />
        </dd>
        <dt>Ended</dt>
        <dd>
          <Time at={data.finished_at} />
        </dd>
        {counts.map(([kind, count]) => (
          <DeletedKind key={kind} kind={kind} count={count} />
        ))}
      </dl>
      {data.error !== null && <FaultNote fault={new Error(data.error)} />}
    </section>
  );
}

function DeletedKind({ kind, count }: { readonly kind: string; readonly count: number }): ReactNode {
  return (
    <>
      <dt>{kind.replaceAll('_', ' ')}</dt>
      <dd>{NUMBER.format(count)}</dd>
    </>
  );
}
