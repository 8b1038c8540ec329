import { Agent, request } from 'node:http';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { socketDirFor } from '../../src/platform/database/embedded/layout';
import { startTestApp } from '../support/app';
import { createTestDatabase, type TestDatabase } from '../support/database';
import { connect } from '../support/embedded/fixture';
import { eventually, processesOn } from '../support/embedded/processes';
import {
  adminOf,
  createServedTenant,
  freePort,
  SERVED_MASTER_KEY,
  type ServerProcess,
  Servers,
  signalAll,
} from '../support/server-process';
import { createChat, messagesOf, say, sayStreaming } from '../support/chats/http';
import { FakeModel, AnswerGate, type ProviderServer } from '../support/fake-model';
import { until } from '../support/poll';
import { MessageWriters, type WriterTarget } from '../support/message-writers';

const servers = new Servers();
let database: TestDatabase | undefined;
afterEach(async () => {
  await MessageWriters.abandonAll();
  await servers.cleanUp();
  await database?.drop();
  database = undefined;
});

interface Running {
  readonly server: ServerProcess;
  /** Where the server listens; the clients of `target` follow it. */
  url: string;
  readonly dir: string;
  readonly env: Readonly<Record<string, string>>;
  readonly target: WriterTarget;
}

async function running(more: Readonly<Record<string, string>> = {}): Promise<Running> {
  const dir = more['DATABASE_URL'] === undefined ? servers.seededDir() : servers.dataDir();
  const env = { DATA_DIR: dir, MASTER_API_KEY: SERVED_MASTER_KEY, ...more };
  const started = { ...(await servers.start({ env })), dir, env };
  const target = await createServedTenant(() => started.url, 4, 2);
  return Object.assign(started, { target });
}

/** Nothing of the server is left: no process, no socket. */
function expectGone(dir: string): void {
  expect(processesOn(dir)).toEqual([]);
  expect(existsSync(socketDirFor(dir, tmpdir()))).toBe(false);
}

/** Holds a room so that every message to it waits; the returned function lets go. */
async function holdRoom({ dir, target }: Running): Promise<() => Promise<void>> {
  const client = await connect(adminOf(dir));
  const hex = target.roomIds[0]?.slice('room_'.length) ?? '';
  await client.query('BEGIN');
  const { rowCount } = await client.query('SELECT 1 FROM rooms WHERE room_id = $1::uuid FOR UPDATE', [hex]);
  expect(rowCount).toBe(1);
  return () => client.end();
}

/** Messages that wait for the held room. */
async function waiting({ dir }: Running, count: number): Promise<void> {
  const client = await connect(adminOf(dir));
  await eventually('a message waits for the room', async () => {
    const { rows } = await client.query<{ n: number }>(
      `SELECT count(*)::int AS n FROM pg_stat_activity WHERE wait_event_type = 'Lock'`,
    );
    return (rows[0]?.n ?? 0) >= count;
  });
  await client.end();
}

/** A message to the held room, sent with node's own client: its connection is to be seen. */
function post(
  { url, target }: Running,
  agent: Agent,
  content: string,
  room = 0,
): Promise<{ status: number; connection: unknown }> {
  const { headers } = target.as('writer0');
  return new Promise((resolve, reject) => {
    const sent = request(`${url}/rooms/${target.roomIds[room] ?? ''}/messages`, {
      method: 'POST',
      agent,
      headers: { ...headers, 'content-type': 'application/json' },
    });
    sent.once('error', reject);
    sent.once('response', (response) => {
      response.resume().once('end', () => {
        resolve({ status: response.statusCode ?? 0, connection: response.headers.connection });
      });
    });
    sent.end(JSON.stringify({ content }));
  });
}

/** What became of the requests of some writers. */
interface Seen {
  stored: number;
  /** Answers, of either kind, that ended their connection: the server was stopping. */
  last: number;
  /** Nobody listened. */
  away: number;
  /** Requests that were neither answered nor refused by the system before they began. */
  readonly broken: string[];
}

async function write(site: Running, agent: Agent, content: string, seen: Seen): Promise<void> {
  try {
    const { status, connection } = await post(site, agent, content, 1);
    if (status === 201) seen.stored++;
    else if (status !== 503) seen.broken.push(`answered ${status}`);
    if (connection === 'close') seen.last++;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ECONNREFUSED') {
      seen.away++;
      await sleep(20);
    } else seen.broken.push(String(error));
  }
}

describe.each(['SIGTERM', 'SIGINT'] as const)('%s under load', (signal) => {
  it('ends with code 0, leaves nothing behind and has lost nothing', async () => {
    const site = await running();
    const writers = new MessageWriters(site.target).start();
    await writers.progress(50);
    expect(await site.server.kill(signal)).toBe(0);
    expectGone(site.dir);
    expect(site.server.log.filter(({ level }) => level >= 40)).toEqual([]);
    expect(site.server.log.at(-1)?.msg).toBe('stopped');
    await writers.abandon();
    for (const refusal of writers.refusals)
      expect(refusal).toMatchObject({ status: 503, code: 'SERVICE_UNAVAILABLE', retryAfter: '1', outcome: 'none' });
    site.url = (await servers.start({ env: site.env })).url;
    expect(await writers.faults()).toEqual([]);
  });
});

describe('SIGTERM', () => {
  it('lets running requests finish, refuses new ones, and is not hurried by a second signal', async () => {
    const site = await running();
    const letGo = await holdRoom(site);
    const agent = new Agent({ keepAlive: true });
    const answers = [post(site, agent, 'one'), post(site, agent, 'two')];
    await waiting(site, 1);
    site.server.signal('SIGTERM');
    await site.server.logged('stopping');
    await expect(post(site, new Agent(), 'too late')).rejects.toThrow('ECONNREFUSED');
    site.server.signal('SIGTERM');
    site.server.signal('SIGINT');
    await letGo();
    // The connections are not kept alive: the end would have to wait for them.
    expect(await Promise.all(answers)).toEqual([
      { status: 201, connection: 'close' },
      { status: 201, connection: 'close' },
    ]);
    expect(await site.server.exit()).toBe(0);
    expectGone(site.dir);
    expect(site.server.log.filter(({ level }) => level >= 40)).toEqual([]);
    site.url = (await servers.start({ env: site.env })).url;
    const log = await site.target
      .as('writer0')
      .get<{ content: string }[]>(`/rooms/${site.target.roomIds[0] ?? ''}/messages`);
    expect(log.body.map(({ content }) => content)).toEqual(['one', 'two']);
  });

  it('closes connections that are kept alive and idle', async () => {
    const site = await running();
    const agent = new Agent({ keepAlive: true });
    expect(await post(site, agent, 'hello')).toEqual({ status: 201, connection: 'keep-alive' });
    const [socket] = Object.values(agent.freeSockets).flatMap((sockets) => sockets ?? []);
    const closed = new Promise((resolve) => socket?.once('close', resolve));
    expect(await site.server.kill('SIGTERM')).toBe(0);
    await closed;
    expect(site.server.log.filter(({ level }) => level >= 40)).toEqual([]);
  });

  it('S15: ten restarts under twenty writers that keep their connections alive: none is reset', async () => {
    database = await createTestDatabase();
    const port = await freePort();
    const site = await running({
      PORT: String(port),
      HOST: '127.0.0.1',
      DATABASE_URL: database.url,
      DATABASE_ALLOW_UNSAFE: 'true',
    });
    const agent = new Agent({ keepAlive: true, maxSockets: 20 });
    const seen: Seen = { stored: 0, last: 0, away: 0, broken: [] };
    let isOver = false;
    const writers = Array.from({ length: 20 }, async (_, w) => {
      for (let n = 0; !isOver; n++) await write(site, agent, `${w}-${n}`, seen);
    });
    for (let restart = 0; restart < 10; restart++) {
      const enough = seen.stored + 100;
      await eventually('the writers are heard', () => seen.stored >= enough);
      expect(await site.server.kill('SIGTERM')).toBe(0);
      Object.assign(site, await servers.start({ env: site.env }));
    }
    isOver = true;
    await Promise.all(writers);
    agent.destroy();
    expect(seen.broken).toEqual([]);
    // That it came to it at all: some were in the middle of their work when the server stopped.
    expect(seen.last).toBeGreaterThan(0);
  }, 300_000);

  it('does not wait longer than SHUTDOWN_GRACE_MS for a request that does not end', async () => {
    const site = await running({ SHUTDOWN_GRACE_MS: '200' });
    const letGo = await holdRoom(site);
    const answer = post(site, new Agent({ keepAlive: true }), 'never').catch(String);
    await waiting(site, 1);
    expect(await site.server.kill('SIGTERM')).toBe(0);
    expectGone(site.dir);
    expect([
      'Error: socket hang up',
      'Error: read ECONNRESET',
      expect.objectContaining({ status: 503 }),
    ]).toContainEqual(await answer);
    await letGo();
  });

  it('ends in bounded time when PostgreSQL is frozen, and what was acknowledged is there', async () => {
    const site = await running({ SHUTDOWN_GRACE_MS: '500' });
    const writers = new MessageWriters(site.target).start();
    await writers.progress(50);
    signalAll(site.dir, 'SIGSTOP');
    // exit() is the bound.
    expect(await site.server.kill('SIGTERM')).toBe(0);
    await writers.abandon();
    signalAll(site.dir, 'SIGCONT');
    site.url = (await servers.start({ env: site.env })).url;
    expect(await writers.faults()).toEqual([]);
  });
});

describe('SIGTERM while models answer that never end', () => {
  let model: ProviderServer;
  beforeEach(async () => {
    model = await FakeModel.start();
    model.otherwise = { steps: ['One', ' two', { hold: new AnswerGate() }] };
  });
  afterEach(() => model.stop());

  /** Milliseconds between the first and the last word of the stop. */
  function stopMs({ server }: Running): number {
    const at = (msg: string): number => Date.parse(String(server.log.find((line) => line.msg === msg)?.['time']));
    return at('stopped') - at('stopping');
  }

  it.each(['whose reader has left', 'over REST, 100 at once'])(
    'S31, S15: an answer %s: it ends within the grace, interrupted, and its text is kept',
    async (which) => {
      const isMany = which !== 'whose reader has left';
      const site = await running({ OPENAI_BASE_URL: model.url, SHUTDOWN_GRACE_MS: '3000' });
      const users = Array.from({ length: isMany ? 100 : 1 }, (_, n) => `writer${n}`);
      const ids = await Promise.all(users.map(async (user) => (await createChat(site.target.as(user), user)).id));
      const answers = ids.map(async (id, n) => {
        const user = site.target.as(users[n] ?? '');
        if (isMany) return (await say(user, id, 'Hello').catch(() => undefined))?.status;
        const stream = await sayStreaming(user, id, 'Hello');
        await stream.take(3);
        stream.cut();
        return 0;
      });
      await until(
        () => Promise.resolve(model.requests.length),
        (count) => count === ids.length,
        60_000,
      );
      if (!isMany) await Promise.all(answers);
      expect(await site.server.kill('SIGTERM')).toBe(0);
      expectGone(site.dir);
      // What docker stop waits before it kills; the grace here is shorter.
      expect(stopMs(site)).toBeLessThan(10_000);
      expect(site.server.log.filter(({ level }) => level >= 40)).toEqual([]);
      for (const status of await Promise.all(answers)) expect([0, 503]).toContain(status);
      site.url = (await servers.start({ env: site.env })).url;
      for (const [n, id] of ids.entries())
        expect(await messagesOf(site.target.as(users[n] ?? ''), id)).toMatchObject([
          { content: 'Hello' },
          { content: isMany ? expect.any(String) : 'One two', status: 'interrupted', reply_to_seq: 1 },
        ]);
    },
    120_000,
  );
});

it('S15: a request that comes on an idle connection while the server stops is answered, not reset', async () => {
  const app = await startTestApp();
  const agent = new Agent({ keepAlive: true });
  const get = (): Promise<unknown> =>
    new Promise((resolve, reject) => {
      request(`${app.url}/rooms`, { agent }, (response) => {
        const { statusCode, headers } = response;
        response.resume().once('end', () => resolve([statusCode, headers.connection]));
      })
        .once('error', reject)
        .end();
    });
  expect(await get()).toEqual([401, 'keep-alive']);
  const stopped = app.close();
  expect(app.app.lifecycle.stopping).toBe(true);
  expect(await get()).toEqual([503, 'close']);
  await stopped;
  agent.destroy();
});
