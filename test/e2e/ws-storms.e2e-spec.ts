import { Database, SystemDatabase } from '../../src/platform/database';
import { startTestApp, type TestApp, type TestTenant } from '../support/app';
import { wholeLog } from '../support/catch-up-client';
import { send } from '../support/messages';
import { metricOf } from '../support/http/api';
import { until } from '../support/poll';
import { createRoom } from '../support/rooms';
import { WsClient } from '../support/ws/client';
import { ReconnectingClients, STORM_MS } from '../support/ws/reconnecting-clients';
import { RawSocket } from '../support/ws/raw';
import { keyOf } from '../support/ws/socket-app';

const ROOMS = 20;
const PER_ROOM = 50;
const CLIENTS = ROOMS * PER_ROOM;
const QUERIES_PER_CLIENT = 3;
/** What the server asks by itself meanwhile, and of many clients together. */
const QUERIES_ASIDE = 200;

let app: TestApp;
let tenant: TestTenant;

beforeAll(async () => {
  app = await startTestApp();
  tenant = await app.tenant({ requests_per_second: null, ws_messages_per_second: null });
});
afterAll(() => app.close());

async function connect(userId: string): Promise<WsClient> {
  const client = await WsClient.connect(app.url, { headers: keyOf(tenant, userId) });
  await client.ask({ type: 'ping' });
  return client;
}

const metric = (series: string): Promise<number> => metricOf(app.anonymous, series);

const openSockets = (): Promise<number> => metric('chatapi_ws_connections{path="/ws"}');

/** How often the database is asked while `work` runs. */
async function queriesOf(work: () => Promise<void>): Promise<number> {
  const spies = [Database, SystemDatabase].flatMap(({ prototype }) => [
    jest.spyOn(prototype, 'query'),
    jest.spyOn(prototype, 'transaction'),
  ]);
  try {
    await work();
    return spies.reduce((n, { mock }) => n + mock.calls.length, 0);
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}

/** From the first that came on, nothing is missing, doubled or out of order. */
function expectGapless(received: readonly { readonly seqs: readonly number[]; readonly last: number }[]): void {
  for (const { seqs, last } of received) {
    const first = seqs[0] ?? 0;
    expect(seqs).toEqual(Array.from({ length: last - first + 1 }, (_, i) => first + i));
  }
}

describe(`${CLIENTS} clients`, () => {
  let crowd: ReconnectingClients;

  beforeAll(async () => {
    crowd = await ReconnectingClients.of(app, tenant, ROOMS, PER_ROOM);
  });
  afterAll(() => crowd.reset());

  it(
    'connect at once, for at most three queries each, and all get the messages of their rooms',
    async () => {
      const queries = await queriesOf(() => crowd.connect());
      expect(queries).toBeLessThanOrEqual(CLIENTS * QUERIES_PER_CLIENT + QUERIES_ASIDE);
      expect(new Set(crowd.clients.map(({ frames }) => frames[0]?.['connection_id'])).size).toBe(CLIENTS);
      for (const { frames } of crowd.clients) expect(frames[0]?.type).toBe('hello');
      expect(await openSockets()).toBe(CLIENTS);
      await crowd.quiet();
      const received = await crowd.received();
      expect(received.map(({ seqs }) => seqs)).toEqual(received.map(() => [1]));
    },
    STORM_MS,
  );

  it(
    'vanish under traffic and come back at once, and from then on miss nothing',
    async () => {
      crowd.write(4);
      await crowd.reset();
      await until(openSockets, (n) => n === 0);
      const queries = await queriesOf(() => crowd.connect());
      await crowd.quiet();
      expectGapless(await crowd.received());
      expect(await openSockets()).toBe(CLIENTS);
      const sent = [...crowd.accepted.values()].reduce((n, { size }) => n + size, 0);
      expect(queries).toBeLessThanOrEqual(CLIENTS * QUERIES_PER_CLIENT + 2 * sent + QUERIES_ASIDE);
      for (const { roomId, users } of crowd.rooms) {
        const log = await wholeLog(tenant.as(users[0] ?? ''), roomId);
        expect(log.map(({ seq }) => seq)).toEqual([...(crowd.accepted.get(roomId) ?? [])].sort((a, b) => a - b));
      }
    },
    STORM_MS,
  );
});

describe('delivery 5 s after the last disconnect of a user', () => {
  it('goes on for who came back before, who came back after, and who stayed', async () => {
    const { room_id } = await createRoom(tenant.as('stays'), 'group', ['before', 'after']);
    const stays = await connect('stays');
    for (const userId of ['before', 'after']) {
      const client = await connect(userId);
      await client.close();
    }
    const before = await connect('before');
    const offline = { type: 'presence.update', status: 'offline' };
    const gone = await stays.frame((frame) => frame.type === offline.type && frame['status'] === offline.status);
    expect(gone).toEqual({ ...offline, user_id: 'after' });
    await send(tenant.as('stays'), room_id, { content: 'while one is away' });
    const after = await connect('after');
    const sent = await after.ask({ type: 'send_message', room_id, content: 'all are here' });
    expect(sent).toMatchObject({ type: 'message.accepted', seq: 2 });
    for (const client of [stays, before, after]) {
      const last = await client.frame((frame) => frame.type === 'message' && frame['seq'] === 2);
      expect(last).toMatchObject({ content: 'all are here', sender_id: 'after' });
    }
    expect(before.got('message').map(({ seq }) => seq)).toEqual([1, 2]);
    await Promise.all([stays, before, after].map((client) => client.close()));
  });
});

describe('when nobody reads', () => {
  const COUNT = 1000;

  it(`${COUNT} messages wait in the log, and the next one is live`, async () => {
    const { room_id } = await createRoom(tenant.as('writer'), 'group', ['reader']);
    const sent = Array.from({ length: COUNT }, (_, n) => send(tenant.as('writer'), room_id, { content: `${n}` }));
    const bySeq = new Map((await Promise.all(sent)).map(({ seq }, n) => [seq, `${n}`]));
    const reader = await connect('reader');
    const log = await wholeLog(tenant.as('reader'), room_id);
    expect(log.map(({ seq }) => seq)).toEqual(Array.from({ length: COUNT }, (_, i) => i + 1));
    for (const { seq, content } of log) expect(content).toBe(bySeq.get(seq));
    await send(tenant.as('writer'), room_id, { content: 'live' });
    const live = await reader.frame((frame) => frame.type === 'message' && frame['content'] === 'live');
    expect(live).toMatchObject({ seq: COUNT + 1 });
    await reader.close();
  });

  it('a socket that is not read for a while gets all of it when it is', async () => {
    const { room_id } = await createRoom(tenant.as('writer'), 'group', ['sleeper']);
    const sleeper = await connect('sleeper');
    sleeper.ws.pause();
    await Promise.all(Array.from({ length: COUNT }, (_, n) => send(tenant.as('writer'), room_id, { content: `${n}` })));
    sleeper.ws.resume();
    const messages = await sleeper.many('message', COUNT);
    expect(messages.map(({ seq }) => seq)).toEqual(Array.from({ length: COUNT }, (_, i) => i + 1));
    await sleeper.close();
  });
});

describe('a reader that stalls', () => {
  it('is closed with 4009, and the others get every message in order', async () => {
    const { room_id } = await createRoom(tenant.as('loud'), 'group', ['quick', 'stalled']);
    const [loud, quick] = [await connect('loud'), await connect('quick')];
    const stalled = await RawSocket.upgraded(app.url, keyOf(tenant, 'stalled'));
    await until(openSockets, (n) => n === 3);
    stalled.socket.pause();
    const closes = (): Promise<number> => metric('chatapi_ws_closes_total{code="4009"}');
    const before = await closes();
    const content = 'x'.repeat(32_768);
    let sent = 0;
    // What the system buffers for a socket that is not read differs from machine to machine.
    for (; sent < 3000 && (await closes()) === before; sent += 20)
      await Promise.all(Array.from({ length: 20 }, () => send(tenant.as('loud'), room_id, { content })));
    await until(closes, (n) => n === before + 1);
    for (const client of [loud, quick]) {
      const messages = await client.many('message', sent);
      expect(messages.map(({ seq }) => seq)).toEqual(Array.from({ length: sent }, (_, i) => i + 1));
    }
    expect(await openSockets()).toBe(2);
    stalled.destroy();
    await Promise.all([loud.close(), quick.close()]);
  });
});
