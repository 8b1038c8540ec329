import { Clock } from '../../src/common/time';
import { type AcceptedConnection, toWire } from '../../src/realtime';
import type { TestTenant } from '../support/app';
import { mintToken } from '../support/auth';
import {
  type ChatBody,
  chatPath,
  createChat,
  messagesOf,
  sayStreaming,
  withModel,
  type WithModel,
} from '../support/chats/http';
import { AnswerReader, CHAT_PATH, chatOptions, openChat, typesOf } from '../support/chats/socket';
import { AnswerGate, type ProviderServer } from '../support/fake-model';
import { until } from '../support/poll';
import { bodyOf } from '../support/rooms';
import { closeAll, WsClient } from '../support/ws/client';
import { clientFrame, RawSocket } from '../support/ws/raw';
import { keyOf, type SocketApp, startSocketApp } from '../support/ws/socket-app';

let app: WithModel<SocketApp>;
let model: ProviderServer;
let tenant: TestTenant;
let chat: ChatBody;
let users = 0;
let userId: string;
const clients: WsClient[] = [];

beforeAll(async () => {
  app = await withModel((env) => startSocketApp({ env }));
  ({ model } = app);
});
afterAll(() => app.close());
beforeEach(async () => {
  model.reset();
  userId = `user${++users}`;
  tenant = await app.tenant();
  chat = await createChat(tenant.key, userId);
});
afterEach(() => closeAll(clients));

async function open(query: object = {}): Promise<WsClient> {
  const client = await openChat(app.url, tenant, chat.id, { userId, query });
  clients.push(client);
  return client;
}

function readAll(client: WsClient): AnswerReader {
  const reader = new AnswerReader();
  for (const frame of client.frames) reader.take(frame);
  return reader;
}

describe('user_created', () => {
  it('comes once, however many connections are the first', async () => {
    const all = await Promise.all(Array.from({ length: 8 }, () => open()));
    for (const client of all) await client.settled();
    expect(all.flatMap((client) => client.got('user_created'))).toHaveLength(1);
    expect((await open()).got('user_created')).toEqual([]);
  });

  it('does not come to who was on /ws before, be it still open or over', async () => {
    const rooms = await app.open(tenant, userId);
    await rooms.ask({ type: 'ping' });
    expect((await open()).got('user_created')).toEqual([]);
    await rooms.close();
    const left = `${userId}-left`;
    const gone = await app.open(tenant, left);
    await gone.ask({ type: 'ping' });
    await gone.close();
    const { id } = await createChat(tenant.key, left);
    const client = await openChat(app.url, tenant, id, { userId: left });
    clients.push(client);
    expect(typesOf(client.frames)).toEqual(['connection_established']);
  });
});

describe('who else acts', () => {
  it('a message that came as SSE is told with its client_message_id, its answer word by word', async () => {
    const client = await open();
    model.next({ steps: ['Hel', 'lo'] });
    const stream = await sayStreaming(tenant.key, chat.id, { content: 'by SSE', client_message_id: 'c1' });
    await stream.rest();
    const ended = await client.frame('message_stream_ended');
    const [received] = client.got('message_received');
    expect(received).toMatchObject({ content: 'by SSE', client_message_id: 'c1', seq: 1 });
    expect(received).not.toHaveProperty('request_id');
    expect([readAll(client).text, ended['content']]).toEqual(['Hello', 'Hello']);
  });

  it('a stop over REST ends the answer here', async () => {
    const client = await open();
    model.next({ steps: ['Some', ' words', { hold: new AnswerGate() }] });
    client.send({ content: 'Talk' });
    await client.frame((frame) => frame.type === 'message_stream_token' && frame['index'] === 1);
    bodyOf(await tenant.key.post(`${chatPath(chat.id)}/stop`));
    expect(await client.frame('message_stream_ended')).toMatchObject({ status: 'cancelled', content: 'Some words' });
    expect(client.got('error')).toEqual([]);
  });

  it('a stop where nothing is written changes nothing', async () => {
    const client = await open();
    client.send({ type: 'stop' });
    client.send({ type: 'ping' });
    await client.frame('pong');
    expect(client.got('error')).toEqual([]);
  });

  it('regenerate tells a new answer under a new id', async () => {
    const client = await open();
    client.send({ content: 'Hello' });
    const first = await client.frame('message_stream_ended');
    model.next({ steps: ['Better'] });
    bodyOf(await tenant.key.post(`${chatPath(chat.id)}/regenerate`));
    const [, second] = await client.many('message_stream_ended', 2);
    expect(second).toMatchObject({ content: 'Better', status: 'completed' });
    expect(second?.['message_id']).not.toBe(first['message_id']);
    expect(client.got('message_received')).toHaveLength(1);
  });

  it('a second message interrupts the answer where the tenant wants that', async () => {
    tenant = await app.tenant(undefined, { while_answering: 'interrupt' });
    chat = await createChat(tenant.key, userId);
    const [one, two] = [await open(), await open()];
    model.next({ steps: ['Half', { hold: new AnswerGate() }] }, { steps: ['Second'] });
    one.send({ content: 'first' });
    await two.frame('message_stream_token');
    two.send({ content: 'second', request_id: 'r' });
    for (const client of [one, two]) {
      const ends = await client.many('message_stream_ended', 2);
      expect(ends.map(({ content, status }) => [content, status])).toEqual([
        ['Half', 'cancelled'],
        ['Second', 'completed'],
      ]);
      expect(client.got('error')).toEqual([]);
    }
  });

  it('many messages at once through two connections are told to both alike, and answered in order', async () => {
    const [one, two] = [await open(), await open()];
    for (let n = 0; n < 4; n++) for (const client of [one, two]) client.send({ content: `${n}` });
    const [ends, others] = [await one.many('message_stream_ended', 8), await two.many('message_stream_ended', 8)];
    expect(ends.map((end) => end['message_id'])).toEqual(others.map((end) => end['message_id']));
    const seqs = (client: WsClient): unknown[] => client.got('message_received').map(({ seq }) => seq);
    expect(seqs(one)).toEqual(seqs(two));
    expect([...new Set(seqs(one))]).toHaveLength(8);
    const stored = await messagesOf(tenant.key, chat.id);
    expect(stored.map(({ seq }) => seq)).toEqual(Array.from({ length: 16 }, (_, i) => i + 1));
  });

  it('chats of one user do not hear each other', async () => {
    const other = await createChat(tenant.key, userId);
    const [here, there] = [await open(), await openChat(app.url, tenant, other.id, { userId })];
    clients.push(there);
    here.send({ content: 'Hello' });
    await here.frame('message_stream_ended');
    await there.settled();
    expect(typesOf(there.frames)).toEqual(['connection_established']);
  });

  it('deleting the chat ends its answer and all its connections, each told once', async () => {
    const all = [await open(), await open()];
    model.next({ steps: ['Half', { hold: new AnswerGate() }] });
    all[0]?.send({ content: 'Talk' });
    const started = await all[0]?.frame('message_stream_token');
    all[1]?.send({ type: 'resume', message_id: started?.['message_id'], after_index: -1 });
    await all[1]?.many('message_stream_started', 2);
    await tenant.key.delete(chatPath(chat.id));
    for (const client of all) {
      expect(await client.ended()).toMatchObject({ code: 4004 });
      expect(client.got('error')).toMatchObject([{ error_code: 'NOT_FOUND' }]);
    }
    const refused = await WsClient.refused(app.url, chatOptions(tenant, chat.id, userId));
    expect(refused.status).toBe(404);
  });
});

describe('a key without a user', () => {
  it('speaks as the user of the chat; another user’s key and token may not', async () => {
    const client = await WsClient.connect(app.url, chatOptions(tenant, chat.id));
    clients.push(client);
    client.send({ content: 'Hello' });
    await client.frame('message_stream_ended');
    const rows = await app.database.sql<{ sender_id: string }>(
      `SELECT sender_id FROM messages WHERE room_id = $1 AND seq = 1`,
      [chat.id],
    );
    expect(rows).toEqual([{ sender_id: userId }]);
    const { token } = await mintToken(tenant.key, 'mallory');
    for (const options of [
      chatOptions(tenant, chat.id, 'mallory'),
      { path: CHAT_PATH, query: { token, chat_id: chat.id } },
    ])
      expect(await WsClient.refused(app.url, options)).toMatchObject({
        status: 403,
        body: { error: { code: 'AUTHORIZATION_ERROR' } },
      });
  });
});

describe('close_codes=1', () => {
  it.each<[string, (there: ChatBody) => object, string, number, string]>([
    ['no chat', () => ({ chat_id: '' }), 'VALIDATION_ERROR', 4001, 'alice'],
    ['a chat that nobody has', () => ({ chat_id: 'nonsense' }), 'NOT_FOUND', 4004, 'alice'],
    ['another tenant’s chat', ({ id }) => ({ chat_id: id }), 'NOT_FOUND', 4004, 'alice'],
    ['another user’s chat', () => ({}), 'AUTHORIZATION_ERROR', 4004, 'mallory'],
    ['a place that is none', () => ({ last_event_id: 'x' }), 'VALIDATION_ERROR', 4001, 'alice'],
  ])('%s is one error, with a hint, and the close', async (_, query, code, closeCode, by) => {
    const there = await createChat((await app.tenant()).key);
    const mine = await createChat(tenant.key);
    const options = chatOptions(tenant, mine.id, by, { ...query(there), close_codes: '1' });
    const client = await WsClient.connect(app.url, options);
    expect(await client.ended()).toMatchObject({ code: closeCode });
    expect(client.frames).toMatchObject([
      { event_type: 'error', error_code: code, details: { hint: expect.any(String), retryable: false } },
    ]);
  });
});

describe('limits', () => {
  it('50 connections per tenant unless told otherwise; those of /ws do not count', async () => {
    const rooms = await app.open(tenant, userId);
    clients.push(rooms);
    const tries = await Promise.all(Array.from({ length: 60 }, () => open().catch(() => undefined)));
    expect(tries.filter((client) => client !== undefined)).toHaveLength(50);
    const refused = await WsClient.refused(app.url, chatOptions(tenant, chat.id, userId));
    expect(refused).toMatchObject({ status: 429, body: { error: { details: { limit: 'chat_connections' } } } });
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
  });

  it('10 messages a second: what is beyond is refused by its request id and not stored', async () => {
    const client = await open();
    const now = performance.now();
    const spied = jest.spyOn(app.nest.get(Clock), 'monotonicMs').mockReturnValue(now);
    try {
      for (let n = 0; n < 13; n++) client.send({ content: `${n}`, request_id: `r${n}` });
      const errors = await client.many('error', 3);
      expect(errors.map((error) => error['request_id'])).toEqual(['r10', 'r11', 'r12']);
      expect(errors[0]).toMatchObject({
        error_code: 'RATE_LIMIT_EXCEEDED',
        details: { retryable: true, retry_after_ms: expect.any(Number), hint: expect.any(String) },
      });
      await client.many('message_received', 10);
    } finally {
      spied.mockRestore();
    }
    await client.many('message_stream_ended', 10);
    const users = (await messagesOf(tenant.key, chat.id)).filter(({ sender_role }) => sender_role === 'user');
    expect(users).toHaveLength(10);
  });
});

describe('violations of RFC 6455', () => {
  it.each<[string, number, () => Buffer]>([
    ['a bad opcode', 1002, () => clientFrame(3, 'x')],
    ['text that is no UTF-8', 1007, () => clientFrame(1, Buffer.from([0xc3, 0x28]))],
    ['a frame of one byte too many', 1009, () => clientFrame(1, 'x'.repeat(768 * 1024 + 1))],
  ])('%s closes %d; another client of the chat notices nothing', async (_, code, bytes) => {
    const healthy = await open();
    const raw = await RawSocket.upgraded(app.url, keyOf(tenant, userId), `${CHAT_PATH}?chat_id=${chat.id}`);
    raw.write(bytes());
    expect(await raw.closeCode()).toBe(code);
    raw.destroy();
    healthy.send({ type: 'ping' });
    await healthy.frame('pong');
    expect(healthy.got('error')).toEqual([]);
  });
});

describe('a client that does not read', () => {
  const WORDS = Array.from({ length: 60 }, (_, n) => `word ${n} `);

  /** The server's end of it, with more before it than the system takes. */
  async function stuffed(client: WsClient, before: ReadonlySet<AcceptedConnection>): Promise<AcceptedConnection> {
    const connection = app.handler.opening.find((each) => !before.has(each) && each.isOpen);
    if (connection === undefined) throw new Error('the server does not know this connection');
    client.ws.pause();
    const filler = { event_type: 'message_received', timestamp: new Date(0).toISOString(), message_id: 'msg_1' };
    const frame = toWire({ ...filler, chat_id: chat.id, seq: 1, content: 'x'.repeat(100_000) });
    while (connection.waiting < 4 * 1024 * 1024) {
      connection.sendHistory(frame);
      await new Promise((resolve) => setImmediate(resolve));
    }
    return connection;
  }

  it('gets what it missed of an answer as few events, and the whole text; nobody waits for it', async () => {
    const healthy = await open();
    const before = new Set(app.handler.opening);
    const slow = await open();
    const connection = await stuffed(slow, before);
    const gates = WORDS.map(() => new AnswerGate());
    model.next({ steps: WORDS.flatMap((word, i) => [word, { hold: gates[i] ?? new AnswerGate() }]) });
    healthy.send({ content: 'Talk' });
    for (const [index, gate] of gates.entries()) {
      await healthy.frame((frame) => frame['index'] === index);
      gate.open();
    }
    const ended = await healthy.frame('message_stream_ended');
    expect(healthy.got('message_stream_token')).toHaveLength(WORDS.length);
    expect(connection.isOpen).toBe(true);
    slow.ws.resume();
    await slow.frame('message_stream_ended');
    expect(slow.got('message_stream_token')).toMatchObject([{ token: WORDS.join(''), index: WORDS.length - 1 }]);
    expect([readAll(slow).text, readAll(healthy).text]).toEqual([ended['content'], ended['content']]);
  });

  it('is closed 4009 when more than 1 MB waits, comes back and misses nothing', async () => {
    tenant = await app.tenant({ ai_requests_per_minute: null, ws_messages_per_second: null });
    chat = await createChat(tenant.key, userId);
    const healthy = await open();
    const before = new Set(app.handler.opening);
    const slow = await open();
    const connection = await stuffed(slow, before);
    const long = 'x'.repeat(30_000);
    model.otherwise = { steps: [long] };
    for (let n = 1; connection.isOpen && n < 100; n++) {
      healthy.send({ content: 'More' });
      await healthy.many('message_stream_ended', n);
    }
    expect(connection.isOpen).toBe(false);
    slow.ws.resume();
    expect([1006, 4009]).toContain((await slow.ended()).code);
    expect(healthy.got('error')).toEqual([]);
    const last = healthy.got('message_stream_ended').at(-1);
    const back = await open({ last_event_id: `${String(last?.['message_id'])}:-1` });
    await back.frame('message_stream_ended');
    expect(readAll(back).text).toBe(long);
  });
});

it('what is sent before the chat is watched is handled after it: its answer is told from its beginning', async () => {
  let ready = (): void => undefined;
  app.handler.gate = new Promise((resolve) => (ready = resolve));
  const client = await WsClient.connect(app.url, chatOptions(tenant, chat.id, userId));
  clients.push(client);
  client.send({ content: 'Early', request_id: 'r' });
  await client.frame('connection_established');
  await until(
    async () => app.handler.opening.some((each) => each.userId === userId),
    (isTold) => isTold,
  );
  expect(await messagesOf(tenant.key, chat.id)).toEqual([]);
  app.handler.gate = Promise.resolve();
  ready();
  expect(await client.frame('message_received')).toMatchObject({ content: 'Early', request_id: 'r' });
  const ended = await client.frame('message_stream_ended');
  expect(readAll(client).text).toBe(ended['content']);
});
