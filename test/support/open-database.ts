import { loadConfig } from '../../src/config';
import { openDatabase, type OpenDatabase } from '../../src/platform/database';
import { Lifecycle } from '../../src/platform/lifecycle';
import { type Log, SilentLog } from '../../src/platform/logging';
import { createTestDatabase, type TestDatabase } from './database';
import { LONG_DATABASE_DEADLINE } from './timing';

/** A database of the test's own, and the server's way to it. */
export interface OpenTestDatabase {
  readonly database: TestDatabase;
  readonly open: OpenDatabase;
  readonly lifecycle: Lifecycle;
  readonly log: Log;
  close(): Promise<void>;
}

/** Call in beforeAll; `close` in afterAll. @param env further variables of the configuration */
export async function openTestDatabase(env: Readonly<Record<string, string>> = {}): Promise<OpenTestDatabase> {
  const database = await createTestDatabase();
  const log = new SilentLog();
  const lifecycle = new Lifecycle(log);
  const config = loadConfig({
    DATABASE_URL: database.url,
    DATABASE_ALLOW_UNSAFE: 'true',
    ...LONG_DATABASE_DEADLINE,
    ...env,
  });
  const open = await openDatabase({ config: config.database, log, lifecycle, onProgress: () => undefined });
  return {
    database,
    open,
    lifecycle,
    log,
    close: async () => {
      await lifecycle.stop('test over');
      await database.drop();
    },
  };
}
