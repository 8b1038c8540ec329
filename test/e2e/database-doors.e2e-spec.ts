import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describePgBouncer, PgBouncer } from '../support/pgbouncer';
import { describePostgres15, Postgres15 } from '../support/postgres15';
import { createServedTenant, SERVED_MASTER_KEY, type ServerProcess, Servers } from '../support/server-process';
import { MessageWriters } from '../support/message-writers';

const servers = new Servers();
afterEach(async () => {
  await MessageWriters.abandonAll();
  await servers.cleanUp();
});

/** Under any of these the driver would connect elsewhere, or not at all, or to another session. */
const FOREIGN = {
  PGSSLMODE: 'require',
  PGSSLNEGOTIATION: 'direct',
  PGOPTIONS: '-c datestyle=German',
  PGHOST: 'nowhere.invalid',
  PGHOSTADDR: '192.0.2.1',
  PGPORT: '1',
  PGUSER: 'nobody',
  PGDATABASE: 'none',
  PGPASSWORD: 'wrong',
  PGAPPNAME: 'other',
  PGCLIENTENCODING: 'LATIN1',
  PGCLIENT_ENCODING: 'latin1',
  PGREPLICATION: 'true',
  PGBINARY: 'true',
  PGDATESTYLE: 'German',
  PGTZ: 'Asia/Kathmandu',
  PGDATA: '/nowhere',
  PGSERVICE: 'none',
};

/** Some writes and reads over REST, times included, all answered as they should be. */
async function works(url: string): Promise<void> {
  const writers = new MessageWriters(await createServedTenant(() => url, 2, 2)).start();
  await writers.finish();
  expect(await writers.faults()).toEqual([]);
  const health = await fetch(`${url}/health`);
  expect(health.status).toBe(200);
}

const master = { MASTER_API_KEY: SERVED_MASTER_KEY };

/** The lines below "ChatAPI could not start:". */
async function refusal(server: ServerProcess): Promise<string[]> {
  const { code, lines } = await server.failure();
  expect(code).toBe(1);
  return lines.slice(1);
}

describe('S3: what the environment says to PostgreSQL clients', () => {
  it('is nothing to the embedded database', async () => {
    const { url } = await servers.start({ env: { ...FOREIGN, ...master } });
    await works(url);
  });
});

describePostgres15('S3: an own database', () => {
  let postgres: Postgres15;
  beforeAll(async () => (postgres = await Postgres15.create()));
  afterAll(() => postgres.remove());

  it('is reached by what DATABASE_URL says, whatever PG* variables say', async () => {
    const env = { ...FOREIGN, ...master, DATABASE_URL: await postgres.createDatabase('stated') };
    const { url } = await servers.start({ env });
    await works(url);
  });

  it('gets no password from PGPASSWORD, PGPASSFILE or ~/.pgpass', async () => {
    const home = servers.dataDir();
    const password = '*:*:*:*:unstated';
    for (const file of ['.pgpass', 'other']) writeFileSync(join(home, file), password, { mode: 0o600 });
    const url = (await postgres.createDatabase('unstated')).replace(':unstated@', '@');
    const env = { HOME: home, PGPASSWORD: 'unstated', PGPASSFILE: join(home, 'other'), DATABASE_URL: url };
    expect(await refusal(servers.launch({ env }))).toEqual([
      expect.stringMatching(/wants a password for "unstated": add it to DATABASE_URL$/),
    ]);
  });

  it('S2: serves although an administrator has set everything else for its database', async () => {
    const database = await postgres.createDatabase('odd');
    for (const setting of [`datestyle = 'SQL, DMY'`, `intervalstyle = 'iso_8601'`, `timezone = 'Asia/Kathmandu'`])
      await postgres.sql(`ALTER DATABASE odd SET ${setting}`);
    for (const setting of ['search_path = pg_catalog', 'row_security = off', `statement_timeout = '1ms'`])
      await postgres.sql(`ALTER ROLE odd SET ${setting}`);
    const { url } = await servers.start({ env: { ...master, DATABASE_URL: database } });
    await works(url);
  });
});

describePgBouncer('S7: a pooler in front of an own database', () => {
  let postgres: Postgres15;
  let bouncer: PgBouncer | undefined;
  beforeAll(async () => (postgres = await Postgres15.create()));
  afterEach(async () => {
    await servers.cleanUp();
    await bouncer?.stop();
  });
  afterAll(() => postgres.remove());

  it.each([
    ['transaction', ['pool_mode = transaction']],
    ['transaction, in turns', ['pool_mode = transaction', 'server_round_robin = 1', 'min_pool_size = 4']],
    ['transaction, two in turns', ['pool_mode = transaction', 'server_round_robin = 1', 'min_pool_size = 2']],
    ['transaction, start-up options ignored', ['pool_mode = transaction', 'ignore_startup_parameters = options']],
    ['statement', ['pool_mode = statement']],
  ])('is refused with one line when it pools by %s', async (what, lines) => {
    const name = `pooled_${what.replaceAll(/\W+/g, '_')}`;
    await postgres.createDatabase(name);
    bouncer = await PgBouncer.inFrontOf(postgres, name, lines);
    expect(await refusal(servers.launch({ env: { DATABASE_URL: bouncer.url } }))).toEqual([
      expect.stringMatching(
        /^DATABASE_URL leads to a connection pooler .*pool_mode = session.* or connect .* directly$/,
      ),
    ]);
    const locks = await postgres.sql(`SELECT 1 FROM pg_locks WHERE locktype = 'advisory'`);
    expect(locks).toEqual([]);
  });

  it.each([
    ['as it is', []],
    ['start-up options ignored', ['ignore_startup_parameters = options']],
  ])('works when it pools by session (%s), hostile settings included', async (what, lines) => {
    const name = `session_${what.replaceAll(/\W+/g, '_')}`;
    await postgres.createDatabase(name);
    await postgres.sql(`ALTER DATABASE ${name} SET datestyle = 'SQL, DMY'; ALTER ROLE ${name} SET row_security = off`);
    bouncer = await PgBouncer.inFrontOf(postgres, name, ['pool_mode = session', 'default_pool_size = 40', ...lines]);
    const { url } = await servers.start({ env: { ...master, DATABASE_URL: bouncer.url } });
    await works(url);
  });
});
