import type { SystemDatabase } from './database';

const BATCH = 5000;

/**
 * Deletes the rows whose `expires_at` has passed, in batches, and returns how many.
 * @param table a constant of the code, never input
 * @param keptSeconds how long a row stays after it has expired
 */
export async function purgeExpired(
  system: SystemDatabase,
  name: string,
  table: 'idempotency_keys' | 'ws_tickets',
  keptSeconds = 0,
): Promise<number> {
  let total = 0;
  for (let n = BATCH; n === BATCH; total += n) {
    const rows = await system.query<{ n: number }>(
      name,
      `WITH gone AS (DELETE FROM ${table} WHERE ctid IN (
         SELECT ctid FROM ${table} WHERE expires_at < clock_timestamp() - make_interval(secs => ${keptSeconds})
         LIMIT ${BATCH}) RETURNING 1)
       SELECT count(*)::int AS n FROM gone`,
    );
    n = rows[0]?.n ?? 0;
  }
  return total;
}
