import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '../../src/config';
import { Caller } from '../../src/platform/auth';
import { type OpenDatabase, openDatabase } from '../../src/platform/database';
import { Effects } from '../../src/platform/idempotency';
import { KeyPurge } from '../../src/platform/idempotency/key-purge';
import { Lifecycle } from '../../src/platform/lifecycle';
import { SilentLog } from '../../src/platform/logging';
import { createTestDatabase, type TestDatabase } from './database';

/** The server's own way to the database, without a server around it. */
export interface EffectsHarness {
  readonly database: TestDatabase;
  readonly open: OpenDatabase;
  readonly effects: Effects;
  readonly purge: KeyPurge;
  /** The tenant that `caller` belongs to. */
  readonly tenantId: string;
  /** A call of a user of that tenant with an Idempotency-Key; the fingerprint stands for the body. */
  caller(key: string, fingerprint?: string, more?: { userId?: string; route?: string }): Caller;
  close(): Promise<void>;
}

/** Call in beforeAll; `close` in afterAll. */
export async function startEffects(): Promise<EffectsHarness> {
  const database = await createTestDatabase();
  const dataDir = mkdtempSync(join(tmpdir(), 'chatapi-effects-'));
  const log = new SilentLog();
  const lifecycle = new Lifecycle(log);
  const { database: config } = loadConfig({
    DATABASE_URL: database.url,
    DATA_DIR: dataDir,
    DATABASE_ALLOW_UNSAFE: 'true',
  });
  const open = await openDatabase({ config, log, lifecycle, onProgress: () => undefined });
  const tenantId = randomUUID();
  await database.sql('INSERT INTO tenants (tenant_id, name) VALUES ($1, $2)', [tenantId, 'test']);
  return {
    database,
    open,
    effects: new Effects(open.database),
    purge: new KeyPurge(open.system, lifecycle, log),
    tenantId,
    caller: (key, fingerprint = 'body', { userId = 'alice', route = 'POST /test' } = {}) => {
      const policy = { tenantId, status: 'active', limits: {}, settings: {} } as const;
      const caller = new Caller('key', randomUUID(), policy, userId, undefined, ['chat']);
      caller.idempotency = { key, route, fingerprint: Buffer.from(fingerprint) };
      return caller;
    },
    close: async () => {
      await lifecycle.stop('test over');
      await database.drop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}
