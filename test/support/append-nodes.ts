import { AppendRepository } from '../../src/modules/messages/appender/append.repository';
import { APPENDER_DEFAULTS } from '../../src/modules/messages/appender/appender';
import { BatchWriter } from '../../src/modules/messages/appender/batch-writer';
import { GroupCommit, type GroupCommitOptions } from '../../src/modules/messages/appender/group-commit';
import { Availability } from '../../src/platform/database/availability';
import { SystemDatabase } from '../../src/platform/database/database';
import { createPool } from '../../src/platform/database/pool';
import { roleNames } from '../../src/platform/database/roles';
import { Runner } from '../../src/platform/database/runner';
import { ScopedSource } from '../../src/platform/database/scoped-source';
import { SilentLog } from '../../src/platform/logging';
import { Metrics } from '../../src/platform/metrics';
import type { TestDatabase } from './database';
import { MAX_WAIT_MS } from './timing';

/** One of several servers that write to a database: it has connections and an appender of its own. */
export interface AppendNode {
  readonly commits: GroupCommit;
  close(): Promise<void>;
}

/** Lets another one in, past the lock by which a server has its database to itself. */
export async function openNode(
  { connection, sql }: TestDatabase,
  options: Partial<GroupCommitOptions> = {},
): Promise<AppendNode> {
  const [instance] = await sql<{ role_prefix: string }>('SELECT role_prefix FROM instance');
  const roles = roleNames(instance?.role_prefix ?? '');
  const log = new SilentLog();
  const pool = createPool({ connection, size: 4, waitMs: MAX_WAIT_MS, roles, log });
  const runner = new Runner(pool, new Availability(connection, log), MAX_WAIT_MS);
  const system = new SystemDatabase(runner, roles, new ScopedSource());
  const repository = new AppendRepository(system, { of: () => [], ofStates: () => [], appended: () => undefined });
  const writer = new BatchWriter(repository, () => Promise.resolve(false));
  const all = { ...APPENDER_DEFAULTS, answerMs: MAX_WAIT_MS, ...options };
  const commits = new GroupCommit(writer, new Metrics(log), all);
  return {
    commits,
    close: async () => {
      await commits.idle();
      await pool.close();
    },
  };
}
