import { encodeId, newUuid } from '../../src/common/ids';
import type { TestApp, TestTenant } from './app';
import type { TestDatabase } from './database';
import type { Bodies } from './http/api';
import { until } from './poll';
import { bodyOf } from './rooms';
import { uuidOf } from './tenants';
import { MAX_WAIT_MS } from './timing';

export type ErasureBody = Bodies['ErasureDto'];

export function erasePath(tenant: TestTenant, userId: string): string {
  return `/admin/tenants/${tenant.tenantId}/users/${encodeURIComponent(userId)}/erase`;
}

/** The id of one that is done, whoever it was. */
export async function doneErasure(database: TestDatabase, tenant: TestTenant): Promise<string> {
  const id = newUuid();
  await database.sql(
    `INSERT INTO erasures (tenant_id, erasure_id, mac_key_id, erased_id, state) VALUES ($1, $2, 'none', 'erased_1', 'done')`,
    [uuidOf(tenant.tenantId), id],
  );
  return encodeId('erasure', id);
}

/** Asks for the erase of a user; its id. */
export async function requestErase(app: TestApp, tenant: TestTenant, userId: string): Promise<string> {
  const answer = await app.master.post<Bodies['ErasureStartedDto']>(erasePath(tenant, userId));
  return bodyOf(answer, 202).erasure_id;
}

/** Its certificate, once it is done: its job does not wait for calls that nobody makes. */
export async function whenErased(app: TestApp, tenant: TestTenant, erasureId: string): Promise<ErasureBody> {
  const path = `/admin/tenants/${tenant.tenantId}/erasures/${erasureId}`;
  return until(
    async () => {
      await app.database.sql(`UPDATE jobs SET run_at = now() WHERE kind = 'user.erase' AND state = 'queued'`);
      return bodyOf(await app.master.get<ErasureBody>(path));
    },
    ({ state }) => state === 'done' || state === 'failed',
    MAX_WAIT_MS,
  );
}

/** Where a text that fits stands: in any column of any table that can hold one, and how often. @param pattern of PostgreSQL */
export async function tracesIn(database: TestDatabase, pattern: string): Promise<string[]> {
  const columns = await database.sql<{ table: string; column: string; isBytes: boolean }>(
    `SELECT c.table_name AS table, c.column_name AS column, c.data_type = 'bytea' AS "isBytes"
     FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name)
     WHERE c.table_schema = 'public' AND t.table_type = 'BASE TABLE'
       AND c.data_type IN ('text', 'character varying', 'json', 'jsonb', 'bytea', 'ARRAY') ORDER BY 1, 2`,
  );
  if (columns.length < 80) throw new Error('the columns of the schema were not found');
  const each = columns.map(({ table, column, isBytes }) => {
    const text = isBytes ? `encode("${column}", 'escape')` : `"${column}"::text`;
    return `SELECT '${table}.${column}' AS place, count(*)::int AS n FROM "${table}" WHERE ${text} ~ $1`;
  });
  const found = await database.sql<{ place: string; n: number }>(each.join(' UNION ALL '), [pattern]);
  return found.flatMap(({ place, n }) => (n > 0 ? [`${place}: ${n}`] : [])).sort();
}
