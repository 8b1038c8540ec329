import type { TestApp, TestTenant } from './app';
import type { TestDatabase } from './database';
import type { Answer, Api, Bodies } from './http/api';
import { until } from './poll';
import { bodyOf } from './rooms';
import { uuidOf } from './tenants';

export type DeletionBody = Bodies['DeletionDto'];

export const deletionPath = (tenantId: string): string => `/admin/tenants/${tenantId}/deletion`;

/** Asks for the deletion of a tenant. @param confirm its name, which tests' tenants share */
export function deleteTenant(
  master: Api,
  tenantId: string,
  confirm = 'test',
): Promise<Answer<Bodies['DeletionBegunDto']>> {
  return master.delete(`/admin/tenants/${tenantId}?${new URLSearchParams({ confirm }).toString()}`);
}

/** Lets the time pass in which calls that were let in before may still be served. */
export async function skipQuiet(database: Pick<TestDatabase, 'sql'>, tenantId: string): Promise<void> {
  const id = [uuidOf(tenantId)];
  await database.sql(
    `UPDATE tenant_deletions SET started_at = started_at - interval '1 minute' WHERE tenant_id = $1`,
    id,
  );
  await database.sql(
    `UPDATE jobs SET run_at = clock_timestamp() WHERE tenant_id = $1 AND kind = 'tenant.delete' AND state = 'queued'`,
    id,
  );
}

/** Waits until a tenant is gone; what is told of it then. */
export async function deleted(app: TestApp, { tenantId }: TestTenant): Promise<DeletionBody> {
  await skipQuiet(app.database, tenantId);
  return until(
    async () => bodyOf(await app.master.get<DeletionBody>(deletionPath(tenantId))),
    ({ state }) => state === 'done',
  );
}
