import { eventually, kill, processesOn } from '../support/embedded/processes';
import { Api, errorOf } from '../support/http/api';
import { describePostgres15, Postgres15 } from '../support/postgres15';
import {
  createServedTenant,
  postmasterOf,
  SERVED_MASTER_KEY,
  type ServerProcess,
  Servers,
  signalAll,
} from '../support/server-process';
import { MessageWriters, type WriterTarget } from '../support/message-writers';
import { MAX_WAIT_MS, LONG_DATABASE_DEADLINE } from '../support/timing';

const servers = new Servers();

/** A server under load, and what it says of itself. */
class Loaded {
  readonly writers: MessageWriters;
  private readonly anonymous: Api;

  private constructor(
    readonly server: ServerProcess,
    readonly target: WriterTarget,
    url: string,
  ) {
    this.anonymous = new Api(url);
    this.writers = new MessageWriters(target).start();
  }

  static async start(env: Readonly<Record<string, string>>): Promise<Loaded> {
    const { server, url } = await servers.start({ env: { MASTER_API_KEY: SERVED_MASTER_KEY, ...env } });
    const loaded = new Loaded(server, await createServedTenant(() => url, 4, 2), url);
    await loaded.progress();
    return loaded;
  }

  /** Messages go through. */
  progress(): Promise<void> {
    return this.writers.progress(20);
  }

  async expectAway(): Promise<void> {
    const probe = (path: string): Promise<boolean> => this.anonymous.get(path).then(({ status }) => status === 503);
    await eventually('readiness says that the database is away', () => probe('/health/ready'));
    const [health, live, metrics] = await Promise.all([
      this.anonymous.get('/health'),
      this.anonymous.get('/health/live'),
      this.anonymous.get<string>('/metrics'),
    ]);
    expect(health.body).toMatchObject({ status: 'error', db_writable: false });
    expect([health.status, health.headers.get('retry-after'), live.status]).toEqual([503, '1', 200]);
    expect(metrics.body).toMatch(/^chatapi_database_up 0$/m);
    const read = await this.reader().get(`/rooms/${this.target.roomIds[0] ?? ''}`);
    expect(errorOf(read)).toMatchObject({ code: 'SERVICE_UNAVAILABLE', details: { outcome: 'none' } });
    expect([read.status, read.headers.get('retry-after')]).toEqual([503, '1']);
  }

  async expectBack(): Promise<void> {
    await this.progress();
    await eventually('readiness', async () => (await this.anonymous.get('/health/ready')).status === 200);
    await eventually('health', async () => (await this.anonymous.get('/health')).status === 200);
    const metrics = await this.anonymous.get<string>('/metrics');
    expect(metrics.body).toMatch(/^chatapi_database_up 1$/m);
    expect(metrics.body).toMatch(/^chatapi_database_failures_total\{reason="\w+"\} [1-9]/m);
  }

  /** Whatever happened on the way: nothing lost, nothing twice, every refusal in its shape and in time. */
  async expectIntact(): Promise<void> {
    await this.writers.finish();
    expect(await this.writers.faults()).toEqual([]);
    for (const refusal of this.writers.refusals)
      expect(refusal).toMatchObject({ status: 503, code: 'SERVICE_UNAVAILABLE', retryAfter: '1' });
    expect(this.writers.slowestMs).toBeLessThan(MAX_WAIT_MS);
  }

  /** Each outage is told once when it begins and once when it ends, and nothing else cries. */
  expectLogged(outages: number): void {
    const said = (msg: string): number => this.server.log.filter((line) => line.msg === msg).length;
    expect(said('database is away; answering 503 until it is back')).toBe(outages);
    expect(said('database is back')).toBe(outages);
    expect(this.server.log.filter(({ level }) => level >= 50)).toHaveLength(outages);
    expect(this.server.stderr).toEqual([]);
  }

  outcomes(): Set<unknown> {
    return new Set(this.writers.refusals.map(({ outcome }) => outcome));
  }

  private reader(): Api {
    return this.target.as(this.target.userIds[0] ?? '');
  }
}

/** A process of the embedded PostgreSQL that serves the server's pool. */
function backendOf(dir: string): number {
  const found = processesOn(dir).find(({ command }) => / chatapi chatapi \[local\]/.test(command));
  if (!found) throw new Error(`no backend on ${dir}`);
  return found.pid;
}

describePostgres15('an outside PostgreSQL under load', () => {
  let postgres: Postgres15;

  beforeAll(async () => (postgres = await Postgres15.create()));
  afterEach(async () => {
    await MessageWriters.abandonAll();
    await servers.cleanUp();
  });
  afterAll(() => postgres.remove());

  it.each(['SIGINT', 'SIGKILL'] as const)(
    'ended by %s: 503 until it is there again, and nothing is lost',
    async (signal) => {
      const loaded = await Loaded.start({
        DATABASE_URL: await postgres.createDatabase(`ended_${signal.toLowerCase()}`),
      });
      await postgres.end(signal);
      await loaded.expectAway();
      await postgres.start();
      await loaded.expectBack();
      await loaded.expectIntact();
      loaded.expectLogged(1);
    },
  );

  it('frozen: 503 in time, and what was on its way may have happened', async () => {
    const loaded = await Loaded.start({ DATABASE_URL: await postgres.createDatabase('frozen') });
    postgres.freeze();
    await loaded.expectAway();
    // Every writer had a message on its way, whose fate nobody knows; later tries were refused at once.
    await eventually('all are refused', () => loaded.writers.refusals.length > 20);
    expect(loaded.outcomes()).toEqual(new Set(['unknown', 'none']));
    postgres.thaw();
    await loaded.expectBack();
    await loaded.expectIntact();
    loaded.expectLogged(1);
  });

  it('connections that are ended one by one delay messages and refuse none', async () => {
    const DATABASE_URL = await postgres.createDatabase('cut');
    const loaded = await Loaded.start({ DATABASE_URL, ...LONG_DATABASE_DEADLINE });
    for (let i = 0; i < 3; i++) {
      await postgres.sql(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'cut'`);
      await loaded.progress();
    }
    await loaded.expectIntact();
    expect(loaded.writers.refusals).toEqual([]);
    loaded.expectLogged(0);
  });
});

describe('the embedded PostgreSQL under load', () => {
  afterEach(async () => {
    await MessageWriters.abandonAll();
    await servers.cleanUp();
  });

  it('comes back by itself after a stop, a crash and a crash of one of its processes', async () => {
    const dir = servers.seededDir();
    const loaded = await Loaded.start({ DATA_DIR: dir });
    const pid = await postmasterOf(dir);
    kill([pid], 'SIGINT');
    await eventually('a new postmaster', async () => (await postmasterOf(dir).catch(() => pid)) !== pid);
    await loaded.progress();
    kill([backendOf(dir)]);
    await loaded.progress();
    kill([await postmasterOf(dir)]);
    await loaded.expectBack();
    await loaded.expectIntact();
  });

  it('frozen and thawed, it goes on without a restart', async () => {
    const dir = servers.seededDir();
    const loaded = await Loaded.start({ DATA_DIR: dir });
    const pid = await postmasterOf(dir);
    signalAll(dir, 'SIGSTOP');
    await loaded.expectAway();
    signalAll(dir, 'SIGCONT');
    await loaded.expectBack();
    await loaded.expectIntact();
    expect(await postmasterOf(dir)).toBe(pid);
    loaded.expectLogged(1);
  });
});
