import { loadConfig } from '../../src/config';
import { openDatabase } from '../../src/platform/database';
import { Lifecycle } from '../../src/platform/lifecycle';
import { createTestDatabase, type TestDatabase } from '../support/database';
import { RecordingLog } from '../support/recording-log';
import { LONG_DATABASE_DEADLINE } from '../support/timing';

let database: TestDatabase;

beforeEach(async () => (database = await createTestDatabase()));
afterEach(() => database.drop());

/** Opens the database as a start does, and closes it. @returns the epoch, and what was said of raising it */
async function start(): Promise<{ epoch: number; warnings: string[] }> {
  const log = new RecordingLog();
  const lifecycle = new Lifecycle(log);
  const env = { DATABASE_URL: database.url, DATABASE_ALLOW_UNSAFE: 'true', ...LONG_DATABASE_DEADLINE };
  const config = loadConfig(env).database;
  const { epoch } = await openDatabase({ config, log, lifecycle, onProgress: () => undefined });
  const value = await epoch.readEpoch();
  await lifecycle.stop('test over');
  const warnings = log.lines.filter(({ level }) => level === 'warn').map(({ message }) => message);
  return { epoch: value, warnings };
}

/** As if the server before had seen this. */
async function saw(changes: object): Promise<void> {
  await database.sql('UPDATE instance SET database_server = database_server || $1', [JSON.stringify(changes)]);
}

const RAISED = [expect.stringMatching(/^another PostgreSQL than at the last start: the epoch was raised/)];

it('a start with the embedded PostgreSQL cannot have a standby', async () => {
  const { database: config } = loadConfig({ DATABASE_REQUIRE_SYNC_STANDBY: 'true', DATA_DIR: '/nowhere' });
  const log = new RecordingLog();
  const opened = openDatabase({ config, log, lifecycle: new Lifecycle(log), onProgress: () => undefined });
  await expect(opened).rejects.toThrow('DATABASE_REQUIRE_SYNC_STANDBY=true needs a DATABASE_URL');
});

it('a start on the PostgreSQL of the last one changes nothing', async () => {
  const first = await start();
  expect(first).toEqual({ epoch: 1, warnings: [] });
  expect(await start()).toEqual(first);
  expect(await start()).toEqual(first);
});

it.each([
  ['of another timeline, which may lack what the server before had acknowledged', { timeline: 4 }, true],
  ['of another timeline, where commits had waited for a standby', { timeline: 4, isSynchronous: true }, false],
  ['of another cluster', { system: '1' }, true],
  ['of another cluster, where commits had waited for a standby', { system: '1', isSynchronous: true }, true],
])('a start on a PostgreSQL %s', async (_, before, isRaised) => {
  const { epoch } = await start();
  await saw(before);
  const next = await start();
  expect(next.warnings).toEqual(isRaised ? RAISED : []);
  expect(next.epoch > epoch).toBe(isRaised);
  // Once.
  expect(await start()).toEqual({ epoch: next.epoch, warnings: [] });
});
