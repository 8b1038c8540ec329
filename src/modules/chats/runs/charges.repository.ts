import { Injectable } from '@nestjs/common';
import { SystemDatabase } from '../../../platform/database';
import { Every } from '../../../platform/lifecycle';

const PURGE_MS = 60 * 60_000;
const PURGE_BATCH = 5000;
const KEPT_DAYS = 90;

/** By key: the role may not read what it drops. */
function purgeOf(table: string, key: string): string {
  return `WITH gone AS (DELETE FROM ${table} WHERE (${key}) IN (
    SELECT ${key} FROM ${table} WHERE day < (clock_timestamp() AT TIME ZONE 'UTC')::date - ${KEPT_DAYS} LIMIT ${PURGE_BATCH})
  RETURNING 1)
SELECT count(*)::int AS n FROM gone`;
}

const PURGES = [
  purgeOf('charges', 'tenant_id, charge_id'),
  purgeOf('charge_days', 'tenant_id, day, scope, subject'),
] as const;

/** What calls of models of all tenants have cost, once it is old. */
@Injectable()
export class ChargesRepository {
  constructor(private readonly system: SystemDatabase) {}

  /** Drops charges, and the sums of days, that are older than 90 days. Returns how many rows. */
  @Every(PURGE_MS, 'charges purge')
  async purge(): Promise<number> {
    let total = 0;
    for (const text of PURGES)
      for (let n = PURGE_BATCH; n === PURGE_BATCH; total += n) {
        const [row] = await this.system.query<{ n: number }>('purge charges', text);
        n = row?.n ?? 0;
      }
    return total;
  }
}
