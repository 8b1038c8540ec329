import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type App, createApp } from '../../src/app';
import { type AppConfig, loadConfig } from '../../src/config';
import { type Log, SilentLog } from '../../src/platform/logging';
import { createTestDatabase, type TestDatabase } from './database';
import { Api, type Bodies } from './http/api';
import { until } from './poll';
import { LONG_DATABASE_DEADLINE } from './timing';

export const MASTER_KEY = 'master-key-of-the-tests';

/** A tenant of a test, with clients for its users. */
export interface TestTenant {
  readonly tenantId: string;
  readonly apiKey: string;
  /** The API key alone. */
  readonly key: Api;
  /** The API key acting as a user. */
  as(userId: string): Api;
}

/** The real app on a database of its own, listening on a free port. */
export interface TestApp {
  readonly app: App;
  readonly url: string;
  readonly database: TestDatabase;
  /** No credential. */
  readonly anonymous: Api;
  /** The master key. */
  readonly master: Api;
  /** A new tenant; its rate limits are off unless given. */
  tenant(limits?: Record<string, unknown>, settings?: Record<string, unknown>): Promise<TestTenant>;
  close(): Promise<void>;
}

export interface TestAppOptions {
  /** More environment variables. */
  readonly env?: Readonly<Record<string, string>>;
  readonly log?: Log;
  /** How the app is started; default `createApp`. */
  readonly start?: (config: AppConfig, log: Log) => Promise<App>;
}

const UNLIMITED = { requests_per_second: null, ai_requests_per_minute: null };

/** Call in beforeAll; `close` in afterAll. */
export async function startTestApp(options: TestAppOptions = {}): Promise<TestApp> {
  const database = await createTestDatabase();
  const dataDir = mkdtempSync(join(tmpdir(), 'chatapi-test-'));
  const config = loadConfig({
    NODE_ENV: 'test',
    PORT: '0',
    HOST: '127.0.0.1',
    DATA_DIR: dataDir,
    DATABASE_URL: database.url,
    DATABASE_ALLOW_UNSAFE: 'true',
    DATABASE_POOL_SIZE: '8',
    ...LONG_DATABASE_DEADLINE,
    MASTER_API_KEY: MASTER_KEY,
    ...options.env,
  });
  const start = options.start ?? ((_config, log) => createApp(config, () => undefined, log));
  const app = await start(config, options.log ?? new SilentLog());
  const anonymous = new Api(app.url);
  const master = anonymous.with({ 'x-master-key': MASTER_KEY });
  return {
    app,
    url: app.url,
    database,
    anonymous,
    master,
    tenant: (limits = UNLIMITED, settings = {}) => createTenant(anonymous, master, limits, settings),
    close: async () => {
      await app.lifecycle.stop('test over');
      await database.drop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

/** A tenant of a server that runs already, with the tests' master key. */
export function createTenantOn(
  url: string,
  limits: Record<string, unknown> = UNLIMITED,
  settings: Record<string, unknown> = {},
): Promise<TestTenant> {
  const anonymous = new Api(url);
  return createTenant(anonymous, anonymous.with({ 'x-master-key': MASTER_KEY }), limits, settings);
}

async function createTenant(
  anonymous: Api,
  master: Api,
  limits: Record<string, unknown>,
  settings: Record<string, unknown>,
): Promise<TestTenant> {
  // A fast machine begins more tests in a second than the master key may make tenants.
  const { status, body } = await until(
    () => master.post<Bodies['TenantCreatedDto']>('/admin/tenants', { name: 'test', limits, settings }),
    (answer) => answer.status !== 429,
  );
  if (status !== 201) throw new Error(`creating a tenant answered ${status}: ${JSON.stringify(body)}`);
  const key = anonymous.with({ 'x-api-key': body.api_key });
  return { tenantId: body.tenant_id, apiKey: body.api_key, key, as: (userId) => key.with({ 'x-user-id': userId }) };
}
