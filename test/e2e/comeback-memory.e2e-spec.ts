import { Clock } from '../../src/common/time';
import { Database, SystemDatabase } from '../../src/platform/database';
import { CacheMemory } from '../../src/realtime/feed/cache-memory';
import { Channels } from '../../src/realtime/feed/channels';
import type { TestTenant } from '../support/app';
import { metricOf } from '../support/http/api';
import { send } from '../support/messages';
import { until } from '../support/poll';
import { createRoom, userIds } from '../support/rooms';
import { closeAll, WsClient } from '../support/ws/client';
import { ComebackCrowd, streamFaults, toldOf } from '../support/ws/comeback-crowd';
import { keyOf, type SocketApp, startSocketApp } from '../support/ws/socket-app';
import { seqs, seqsOf } from '../support/ws/sync';

const UNLIMITED = { requests_per_second: null, ws_messages_per_second: null };
const MEGABYTE = 1024 * 1024;
/** What the server asks by itself meanwhile. */
const STATEMENTS_ASIDE = 200;
/** A channel without connections stays for a minute. */
const MINUTE_MS = 60_000;
const SOURCES = ['memory', 'log'] as const;

type Source = (typeof SOURCES)[number];

/** The names of the statements that are run while `work` runs. */
async function statementsOf(work: () => Promise<unknown>): Promise<string[]> {
  const spies = [Database, SystemDatabase].flatMap(({ prototype }) => [
    jest.spyOn(prototype, 'query'),
    jest.spyOn(prototype, 'transaction'),
  ]);
  try {
    await work();
    return spies.flatMap(({ mock }) => mock.calls.map(([name]) => name));
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}

/** Statements that read messages for those who come back, or for a channel. */
const MESSAGES = ['ranges of rooms', 'missed of rooms', 'log after'];

function countOf(statements: readonly string[], ...names: string[]): number {
  return statements.filter((name) => names.includes(name)).length;
}

async function sentBySource(app: SocketApp): Promise<Record<Source, number>> {
  const [memory = 0, log = 0] = await Promise.all(
    SOURCES.map((source) => metricOf(app.anonymous, `chatapi_sync_messages_total{source="${source}"}`)),
  );
  return { memory, log };
}

/** What all caches hold, by themselves. */
function heldBy(app: SocketApp): number {
  const channels = app.nest.get(Channels).all();
  return channels.reduce((sum, { cache }) => sum + (cache.isEmpty ? 0 : cache.bytes), 0);
}

describe('with the memory that there is by default', () => {
  let app: SocketApp;
  let tenant: TestTenant;

  beforeAll(async () => {
    app = await startSocketApp({ env: { WS_ACK_TIMEOUT_MS: '600000' } });
    tenant = await app.tenant(UNLIMITED);
  });
  afterAll(() => app.close());

  describe('a client that asks for the same range 1,000 times', () => {
    /** A client may send 100 of these frames a second, each of many rooms. */
    const FRAMES = 20;
    const IN_EACH = 50;
    const TIMES = FRAMES * IN_EACH;
    const ALL = 60;
    const AFTER = 40;

    it('is answered every time, and its messages are read from the database once', async () => {
      const room = await createRoom(tenant.as('ann'), 'group', ['bob']);
      for (let n = 1; n <= ALL; n++) await send(tenant.as('ann'), room.room_id, { content: `${n}` });
      const client = await app.open(tenant, 'bob', { query: { sync: 'manual' } });
      await client.ask({ type: 'ping' });
      const asked = Array.from({ length: FRAMES }, (_, n) => `request ${n}`);
      const rooms = Array.from({ length: IN_EACH }, () => ({ room_id: room.room_id, after_seq: AFTER }));
      const statements = await statementsOf(async () => {
        for (const request_id of asked) client.send({ type: 'sync', request_id, rooms });
        await client.many('sync.complete', TIMES);
      });
      const each = asked.flatMap((id) => rooms.map(() => id));
      expect(client.got('sync.complete').map(({ request_id }) => request_id)).toEqual(each);
      expect(client.got('error')).toEqual([]);
      expect(seqsOf(client, room)).toEqual(each.flatMap(() => seqs(AFTER + 1, ALL)));
      expect(countOf(statements, ...MESSAGES)).toBe(1);
      // Where the user sits, and read marks.
      expect(countOf(statements, 'positions in rooms', 'position in a room')).toBeLessThanOrEqual(FRAMES);
      // Read marks of a small room are told by each of them.
      expect(statements.length).toBeLessThanOrEqual(TIMES + FRAMES + STATEMENTS_ASIDE);
      expect(await metricOf(app.anonymous, 'chatapi_room_cache_bytes')).toBeLessThan(ALL * 1024);
      await client.close();
    });
  });

  describe('a room that everybody has left', () => {
    const MEMBERS = 30;
    const BACKLOG = 40;
    const LIVE = 5;
    const users = userIds('u', MEMBERS);
    const clients: WsClient[] = [];
    let roomId: string;

    beforeAll(async () => {
      roomId = (await createRoom(tenant.as('host'), 'group', users)).room_id;
      for (let n = 1; n <= BACKLOG; n++) await send(tenant.as('host'), roomId, { content: `${n}` });
    });
    afterEach(() => {
      jest.restoreAllMocks();
      return leave();
    });

    async function leave(): Promise<void> {
      await closeAll(clients);
      await until(
        () => metricOf(app.anonymous, 'chatapi_ws_connections{path="/ws"}'),
        (n) => n === 0,
      );
    }

    /** All come at once; resolves when all are live, with the statements that it took. */
    function come(): Promise<string[]> {
      return statementsOf(async () => {
        const coming = users.map((user) => WsClient.admitted(app.url, { headers: keyOf(tenant, user) }));
        clients.push(...(await Promise.all(coming)));
        await Promise.all(clients.map((client) => client.frame('sync.complete')));
      });
    }

    async function acknowledge(): Promise<void> {
      const seq = Number(clients[0]?.got('message').at(-1)?.['seq']);
      await Promise.all(clients.map((client) => client.ask({ type: 'ack', room_id: roomId, seq })));
    }

    function pass(ms: number): void {
      const clock = app.nest.get(Clock);
      const now = clock.monotonicMs.bind(clock);
      jest.spyOn(clock, 'monotonicMs').mockImplementation(() => now() + ms);
      app.nest.get(Channels).sweep();
    }

    const expectEach = (expected: number[]): void => {
      for (const client of clients) expect(seqsOf(client, { room_id: roomId })).toEqual(expected);
    };

    it('is read once for all who come, and when they have gone and come back within a minute not again', async () => {
      expect(countOf(await come(), ...MESSAGES)).toBe(1);
      expectEach(seqs(1, BACKLOG));
      await leave();
      pass(MINUTE_MS - 10_000);
      expect(countOf(await come(), ...MESSAGES)).toBe(0);
      expectEach(seqs(1, BACKLOG));
    });

    it('costs no read of messages where all is acknowledged', async () => {
      await come();
      await acknowledge();
      await leave();
      expect(countOf(await come(), ...MESSAGES)).toBe(0);
      expectEach([]);
    });

    it('nor where they lack what was told to them live', async () => {
      await come();
      for (let n = 1; n <= LIVE; n++) await send(tenant.as('host'), roomId, { content: `live ${n}` });
      await Promise.all(clients.map((client) => client.many('message', LIVE)));
      await leave();
      const before = await sentBySource(app);
      expect(countOf(await come(), ...MESSAGES)).toBe(0);
      expectEach(seqs(BACKLOG + 1, BACKLOG + LIVE));
      const after = await sentBySource(app);
      expect([after.memory - before.memory, after.log - before.log]).toEqual([MEMBERS * LIVE, 0]);
    });

    it('is read once for all of them where nobody was there to be told, and where a message was edited', async () => {
      const { message_id } = await send(tenant.as('host'), roomId, { content: 'nobody is here' });
      expect(countOf(await come(), ...MESSAGES)).toBe(1);
      expectEach(seqs(BACKLOG + 1, BACKLOG + LIVE + 1));
      await leave();
      await tenant.as('host').patch(`/rooms/${roomId}/messages/${message_id}`, { content: 'edited' });
      expect(countOf(await come(), ...MESSAGES)).toBe(1);
      for (const client of clients) expect(client.got('message').at(-1)).toMatchObject({ content: 'edited' });
    });

    it('is forgotten after a minute', async () => {
      await come();
      await leave();
      pass(MINUTE_MS + 1);
      expect(app.nest.get(Channels).all()).toEqual([]);
      expect(await metricOf(app.anonymous, 'chatapi_room_cache_bytes')).toBe(0);
      expect(countOf(await come(), ...MESSAGES)).toBe(1);
      expectEach(seqs(BACKLOG + 1, BACKLOG + LIVE + 1));
    });
  });
});

describe.each([
  ['0', 0],
  ['1', MEGABYTE],
])('with WS_CACHE_MB=%s, and more to catch up on than that', (megabytes, bound) => {
  const TENANTS = 5;
  const ROOMS = 3;
  const BACKLOG = 40;
  const CONTENT = 'ö'.repeat(5000);
  /** So large that no memory holds it. */
  const LARGE = '€'.repeat(25_000);
  let app: SocketApp;

  beforeAll(async () => {
    app = await startSocketApp({ env: { WS_CACHE_MB: megabytes, WS_ACK_TIMEOUT_MS: '600000' } });
  });
  afterAll(() => app.close());

  async function siteOf(tenant: TestTenant): Promise<string[]> {
    const by = tenant.as('host');
    const made = Array.from({ length: ROOMS }, () => createRoom(by, 'group', ['ann', 'bob', 'cat']));
    const roomIds = (await Promise.all(made)).map(({ room_id }) => room_id);
    for (let n = 1; n <= BACKLOG; n++)
      await Promise.all(
        roomIds.map((roomId) => send(by, roomId, { content: `${n} ${n % 20 === 0 ? LARGE : CONTENT}` })),
      );
    return roomIds;
  }

  it('everything is delivered, and the memory stays within it all the while', async () => {
    const those = [];
    for (let n = 0; n < TENANTS; n++) {
      const tenant = await app.tenant(UNLIMITED);
      const roomIds = await siteOf(tenant);
      for (const userId of ['ann', 'bob', 'cat']) those.push({ userId, headers: keyOf(tenant, userId), roomIds });
    }
    const sizes: number[] = [];
    const { used } = CacheMemory.prototype;
    const spy = jest.spyOn(CacheMemory.prototype, 'used').mockImplementation(function (this: CacheMemory, ...args) {
      used.apply(this, args);
      sizes.push(this.bytes(), heldBy(app));
    });
    const crowd = new ComebackCrowd(app.url, those).start();
    try {
      await crowd.whenLive();
    } finally {
      spy.mockRestore();
      await crowd.stop();
    }
    for (const { who, connections } of crowd.clients)
      for (const roomId of who.roomIds) {
        const told = connections.flatMap((connection) => toldOf(connection, roomId));
        const messages = told.filter(({ type }) => type === 'message');
        expect(streamFaults(told)).toEqual([]);
        expect(messages.map(({ content }) => String(content).split(' ')[0])).toEqual(seqs(1, BACKLOG).map(String));
      }
    expect(Math.max(0, ...sizes)).toBeLessThanOrEqual(bound);
    expect(await metricOf(app.anonymous, 'chatapi_room_cache_bytes')).toBeLessThanOrEqual(bound);
    const { memory, log } = await sentBySource(app);
    expect(memory + log).toBe(TENANTS * 3 * ROOMS * BACKLOG);
    // With some memory it is used, and does not hold all of it.
    expect(memory > 0).toBe(bound > 0);
    expect(log).toBeGreaterThan(0);
  });
});
