import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Type } from '@nestjs/common';
import { loadConfig } from '../../src/config';
import { createNest } from '../../src/nest';
import { Caller, type TenantSettings } from '../../src/platform/auth';
import { openDatabase } from '../../src/platform/database';
import { Lifecycle } from '../../src/platform/lifecycle';
import { type Log, SilentLog } from '../../src/platform/logging';
import { loadSecrets } from '../../src/platform/secrets';
import { createTestDatabase, type TestDatabase } from './database';

/** The whole application without its doors: services are called as controllers call them. */
export interface CoreFixture {
  readonly database: TestDatabase;
  get<T>(token: abstract new (...args: never[]) => T): T;
  /** A new tenant's UUID. */
  tenant(): Promise<string>;
  /** A key of the tenant that acts as a user, or as the whole tenant. */
  caller(tenantId: string, userId?: string, settings?: TenantSettings): Caller;
  stop(): Promise<void>;
  close(): Promise<void>;
}

export async function startCore(
  env: Readonly<Record<string, string>> = {},
  log: Log = new SilentLog(),
): Promise<CoreFixture> {
  const database = await createTestDatabase();
  const dataDir = mkdtempSync(join(tmpdir(), 'chatapi-core-'));
  const config = loadConfig({
    NODE_ENV: 'test',
    DATA_DIR: dataDir,
    DATABASE_URL: database.url,
    DATABASE_ALLOW_UNSAFE: 'true',
    DATABASE_POOL_SIZE: '8',
    ...env,
  });
  const lifecycle = Lifecycle.configured(log, config.runtime);
  const open = await openDatabase({ config: config.database, log, lifecycle, onProgress: () => undefined });
  const nest = await createNest({ config, log, lifecycle, secrets: loadSecrets(config) }, open);
  return {
    database,
    get: (token) => nest.get(token as Type, { strict: false }),
    tenant: async () => {
      const tenantId = randomUUID();
      await database.sql('INSERT INTO tenants (tenant_id, name) VALUES ($1, $2)', [tenantId, 'test']);
      return tenantId;
    },
    caller: (tenantId, userId, settings = {}) =>
      new Caller('key', randomUUID(), { tenantId, status: 'active', limits: {}, settings }, userId, undefined, [
        'chat',
      ]),
    stop: () => lifecycle.stop('test over'),
    close: async () => {
      await lifecycle.stop('test over');
      await database.drop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}
