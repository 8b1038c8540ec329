import { Availability } from '../../src/platform/database/availability';
import type { FailureReason } from '../../src/platform/database/errors';
import { createPool } from '../../src/platform/database/pool';
import { roleNames } from '../../src/platform/database/roles';
import { Runner, type RowScope } from '../../src/platform/database/runner';
import { ScopedSource } from '../../src/platform/database/scoped-source';
import { type Log, SilentLog } from '../../src/platform/logging';
import { createTestDatabase, type TestDatabase } from './database';

const ROLES = roleNames('chatapi');
const TENANT = '0190aaaa-0000-7000-8000-000000000001';

/** A runner on a real pool and a database of its own. */
export interface RunnerFixture {
  readonly runner: Runner;
  /** For a `Database` on it; a test that needs entities gives them to it. */
  readonly source: ScopedSource;
  readonly database: TestDatabase;
  readonly availability: Availability;
  /** Every reported failure, in order. */
  readonly failures: FailureReason[];
  readonly tenant: RowScope;
  readonly system: RowScope;
  /** Server processes of the pool's connections now. */
  backends(): Promise<number[]>;
  close(): Promise<void>;
}

/** `deadlineMs` is also how long a call waits for a connection. */
export async function startRunner(
  size: number,
  deadlineMs: number,
  log: Log = new SilentLog(),
): Promise<RunnerFixture> {
  const database = await createTestDatabase();
  const { connection } = database;
  const availability = new Availability(connection, log);
  const pool = createPool({ connection, size, waitMs: deadlineMs, roles: ROLES, log });
  availability.onPrimaryBack(pool.renew);
  const failures: FailureReason[] = [];
  const backends = async (): Promise<number[]> => {
    const rows = await database.sql<{ pid: number }>(
      `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'chatapi' ORDER BY 1`,
    );
    return rows.map(({ pid }) => pid);
  };
  return {
    runner: new Runner(pool, availability, deadlineMs, (reason) => failures.push(reason)),
    source: new ScopedSource(),
    database,
    availability,
    failures,
    tenant: { role: ROLES.tenant, tenant: TENANT },
    system: { role: ROLES.system, tenant: '' },
    backends,
    close: async () => {
      availability.stop();
      await pool.close();
      await database.drop();
    },
  };
}
