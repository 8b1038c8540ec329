import { FreezableProxy } from '../support/freezable-proxy';
import { eventually } from '../support/embedded/processes';
import { Api } from '../support/http/api';
import { MessageWriters } from '../support/message-writers';
import { describePostgres15, Postgres15 } from '../support/postgres15';
import { createServedTenant, SERVED_MASTER_KEY, Servers } from '../support/server-process';
import { LONG_DATABASE_DEADLINE } from '../support/timing';

const NAME = 'switched';
const TAKES_NONE = 'database takes no writes (a standby, or a former primary); answering 503 until it is back';

const servers = new Servers();
let former: Postgres15;
let next: Postgres15;
let door: FreezableProxy;

/** Sessions of the server there, by what they are for. */
async function sessions(postgres: Postgres15, name: string): Promise<number> {
  const [row] = await postgres.sql<{ n: number }>(
    `SELECT count(*)::int AS n FROM pg_stat_activity WHERE datname = '${NAME}' AND application_name LIKE '${name}'`,
  );
  return row?.n ?? 0;
}

/** All that the former primary has written is on the standby. */
async function caughtUp(): Promise<void> {
  await eventually('no transaction is open', async () => {
    const open = await former.sql(
      `SELECT 1 FROM pg_stat_activity WHERE datname = '${NAME}' AND (state <> 'idle' OR backend_xid IS NOT NULL)`,
    );
    return open.length === 0;
  });
  const [written] = await former.sql<{ lsn: string }>('SELECT pg_current_wal_lsn()::text AS lsn');
  await eventually('the standby has it all', async () => {
    const [row] = await next.sql<{ has: boolean }>(
      `SELECT pg_last_wal_replay_lsn() >= '${written?.lsn ?? ''}'::pg_lsn AS has`,
    );
    return row?.has;
  });
}

/** One of each writer may have waited in the append for the database to come back, and would have been written then. */
function checkRefusals(refusals: MessageWriters['refusals']): void {
  for (const refusal of refusals) expect(refusal).toMatchObject({ status: 503, code: 'SERVICE_UNAVAILABLE' });
  const inDoubt = refusals.filter(({ outcome }) => outcome !== 'none').map(({ userId }) => userId);
  expect(new Set(inDoubt).size).toBe(inDoubt.length);
}

describePostgres15('W13: a switchover to a standby, under load', () => {
  beforeAll(async () => {
    former = await Postgres15.create();
    await former.createDatabase(NAME);
    next = await former.standby();
    door = await FreezableProxy.inFrontOf(former.local);
  });
  afterEach(async () => {
    await MessageWriters.abandonAll();
    await servers.cleanUp();
  });
  afterAll(async () => {
    await door.close();
    await next.remove();
    await former.remove();
  });

  it('a former primary that takes no writes is away, a standby too, and the new one is found by every connection', async () => {
    const DATABASE_URL = `postgresql://${NAME}:${NAME}@127.0.0.1:${String(door.connection.port)}/${NAME}`;
    const env = { MASTER_API_KEY: SERVED_MASTER_KEY, DATABASE_URL, ...LONG_DATABASE_DEADLINE };
    const { server, url } = await servers.start({ env });
    const anonymous = new Api(url);
    const isReady = (): Promise<boolean> => anonymous.get('/health/ready').then(({ status }) => status === 200);
    const writers = new MessageWriters(await createServedTenant(() => url, 4, 2)).start();
    await writers.progress(50);

    // The connections stay where they are: neither TCP nor PostgreSQL says that anything has happened.
    await former.sql('ALTER SYSTEM SET default_transaction_read_only = on');
    await former.sql('SELECT pg_reload_conf()');
    await eventually('readiness says so', async () => !(await isReady()));
    expect((await anonymous.get<string>('/metrics')).body).toMatch(/^chatapi_database_up 0$/m);
    await caughtUp();
    const probes = door.accepted;
    door.leadTo(next.local);
    await eventually('the standby is asked', () => door.accepted > probes + 2);
    expect(await isReady()).toBe(false);

    await next.promote();
    await writers.progress(50);
    expect(await isReady()).toBe(true);
    await eventually('the former primary is left', async () => (await sessions(former, 'chatapi%')) === 0);
    await eventually('its lock is on the new one', async () => (await sessions(next, 'chatapi server %')) === 1);
    await writers.finish();
    expect(await writers.faults()).toEqual([]);
    checkRefusals(writers.refusals);
    const said = server.log.map(({ level, msg }) => (level >= 50 || msg === 'database is back' ? msg : ''));
    expect(said.filter(Boolean)).toEqual([TAKES_NONE, 'database is back']);
  });
});
