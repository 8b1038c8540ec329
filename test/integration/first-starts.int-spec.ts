import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '../../src/config';
import { FirstStartService } from '../../src/modules/first-start';
import { createNest } from '../../src/nest';
import { openUnlocked } from '../../src/platform/database/open';
import { Lifecycle } from '../../src/platform/lifecycle';
import { loadSecrets } from '../../src/platform/secrets';
import { createEmptyDatabase, type TestDatabase } from '../support/database';
import { eventually } from '../support/embedded/processes';
import { RecordingLog } from '../support/recording-log';
import { LONG_DATABASE_DEADLINE } from '../support/timing';

const AT_ONCE = 5;
const ROUNDS = 3;
const SECRETS = { MASTER_API_KEY: 'm'.repeat(16), JWT_SECRET: 'j'.repeat(32), ENCRYPTION_KEY: 'a'.repeat(64) };
const MADE = `SELECT (SELECT count(*)::int FROM tenants) AS tenants, (SELECT count(*)::int FROM api_keys) AS keys,
  (SELECT count(*)::int FROM rooms WHERE type = 'channel') AS rooms, (SELECT count(*)::int FROM messages) AS messages,
  (SELECT count(*)::int FROM chats) AS chats, (SELECT count(*)::int FROM notifications) AS notifications,
  (SELECT count(*)::int FROM subscriptions) AS subscriptions`;
const ONCE = { tenants: 1, keys: 1, rooms: 1, messages: 1, chats: 1, notifications: 1, subscriptions: 1 };

/** A server on a database that keeps no other one out. */
class Starting {
  readonly log = new RecordingLog();
  readonly lifecycle = new Lifecycle(this.log);

  constructor(
    private readonly database: TestDatabase,
    private readonly dataDir: string,
  ) {}

  /** As far as its first start goes; the key that it would show. */
  async start(): Promise<FirstStartService> {
    const config = loadConfig({
      NODE_ENV: 'test',
      DATA_DIR: this.dataDir,
      DATABASE_URL: this.database.url,
      DATABASE_ALLOW_UNSAFE: 'true',
      DATABASE_POOL_SIZE: '4',
      UI_ENABLED: 'false',
      ...LONG_DATABASE_DEADLINE,
      ...SECRETS,
    });
    const { log, lifecycle } = this;
    const { connection } = this.database;
    const options = { config: config.database, log, lifecycle, onProgress: () => undefined };
    const open = await openUnlocked(connection, options);
    const nest = await createNest({ config, log, lifecycle, secrets: loadSecrets(config) }, open);
    return nest.get(FirstStartService);
  }
}

describe('W10: servers that start together on an empty database', () => {
  let database: TestDatabase;
  let dataDir: string;
  let servers: Starting[];

  beforeEach(async () => {
    database = await createEmptyDatabase();
    dataDir = mkdtempSync(join(tmpdir(), 'chatapi-test-'));
    servers = Array.from({ length: AT_ONCE }, () => new Starting(database, dataDir));
  });
  afterEach(async () => {
    await Promise.all(servers.map(({ lifecycle }) => lifecycle.stop('test over')));
    await database.drop();
    rmSync(dataDir, { recursive: true });
  });

  it.each(Array.from({ length: ROUNDS }, (_, round) => round + 1))(
    'make what a first start makes once, and one of them shows its key: round %i',
    async () => {
      const keys = await Promise.all(
        servers.map(async (server) => {
          const made = await (await server.start()).prepare();
          await made?.shown();
          return made?.apiKey;
        }),
      );
      expect(keys.filter((key) => key !== undefined)).toHaveLength(1);
      expect(await database.sql(MADE)).toEqual([ONCE]);
      const cries = servers.flatMap(({ log }) =>
        log.lines.filter(({ level }) => level === 'warn' || level === 'error'),
      );
      expect(cries).toEqual([]);
    },
  );

  it('where the one that makes it ends before its key was shown, the next one makes and shows another', async () => {
    const [one, two] = await Promise.all(servers.slice(0, 2).map((server) => server.start()));
    const unseen = await one?.prepare();
    expect(unseen?.apiKey).toBeDefined();
    const other = two?.prepare();
    await eventually('the other one waits', async () => {
      const waiting = await database.sql(
        `SELECT 1 FROM pg_stat_activity WHERE application_name = 'chatapi first start' AND wait_event_type = 'Lock'`,
      );
      return waiting.length === 1;
    });
    await servers[0]?.lifecycle.stop('the port is taken');
    const seen = await other;
    expect(seen?.apiKey).toBeDefined();
    expect(seen?.apiKey).not.toBe(unseen?.apiKey);
    await seen?.shown();
    expect(await two?.prepare()).toBeUndefined();
    // The key that nobody has seen is good for nothing that the other one is not.
    expect(await database.sql(MADE)).toEqual([{ ...ONCE, keys: 2 }]);
  });
});
