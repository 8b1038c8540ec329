import { Client } from 'pg';
import { loadConfig } from '../../src/config';
import { openDatabase, type OpenDatabase } from '../../src/platform/database';
import { Lifecycle } from '../../src/platform/lifecycle';
import { createTestDatabase, type TestDatabase } from '../support/database';
import { eventually } from '../support/embedded/processes';
import { RecordingLog } from '../support/recording-log';

const FEWER = 'the database grants fewer connections than DATABASE_POOL_SIZE; calls wait for these';
const POOL = 20;

let database: TestDatabase;
let lifecycle: Lifecycle;
let log: RecordingLog;
let open: OpenDatabase;

beforeEach(async () => {
  database = await createTestDatabase();
  log = new RecordingLog();
  lifecycle = new Lifecycle(log);
  const { database: config } = loadConfig({
    DATABASE_URL: database.url,
    DATABASE_ALLOW_UNSAFE: 'true',
    DATABASE_POOL_SIZE: String(POOL),
    DATABASE_DEADLINE_MS: '20000',
  });
  open = await openDatabase({ config, log, lifecycle, onProgress: () => undefined });
});
afterEach(async () => {
  await lifecycle.stop('test over');
  await database.drop();
});

/** The server's lock and its failover watch take one each. */
const allow = (connections: number): Promise<unknown> =>
  database.sql(`ALTER DATABASE ${database.name} CONNECTION LIMIT ${connections}`);

const ask = (): Promise<unknown> => open.system.query('pause', 'SELECT pg_sleep(0.02) IS NULL AS asleep FROM instance');
const askAll = (n: number): Promise<unknown> => Promise.all(Array.from({ length: n }, ask));
const told = (): object[] => log.lines.filter(({ message }) => message === FEWER).map(({ fields }) => fields);

it('S8: calls wait for one of ours when the database grants fewer connections, which is told once', async () => {
  await allow(5);
  for (let round = 0; round < 3; round++) await askAll(100);
  await eventually('the warning', () => told().length > 0);
  await askAll(100);
  expect(told()).toEqual([{ code: '53300', connections: 3, wanted: POOL }]);
  expect(log.lines.filter(({ message }) => message.startsWith('database is'))).toEqual([]);
});

it('S8: calls wait until the deadline when others have all connections', async () => {
  const others: Client[] = [];
  await allow(4);
  for (let i = 0; i < 2; i++) others.push(await login());
  const waiting = askAll(10);
  await eventually('the warning', () => told().length > 0);
  expect(told()).toEqual([{ code: '53300', connections: 0, wanted: POOL }]);
  for (const client of others) await client.end();
  await waiting;
  expect(open.availability.up).toBe(true);
});

/** A session of the application's role, which the limit counts. */
async function login(): Promise<Client> {
  const client = new Client(database.connection);
  await client.connect();
  return client;
}
