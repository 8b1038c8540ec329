import { startTestApp, type TestApp, type TestTenant } from '../support/app';
import { bearer, mintToken } from '../support/auth';
import {
  ask,
  type ChatBody,
  chatPath,
  createChat,
  FAKE_ANSWER,
  messagesOf,
  roomIdOf,
  say,
  startChatApp,
  type WithModel,
} from '../support/chats/http';
import { CHAT_PATH, chatOptions, openChat, textOn, typesOf } from '../support/chats/socket';
import { faults, AnswerGate, type ProviderServer } from '../support/fake-model';
import { until } from '../support/poll';
import { createKey } from '../support/tenants';
import { closeAll, WsClient } from '../support/ws/client';

let app: WithModel<TestApp>;
let model: ProviderServer;
let tenant: TestTenant;
let chat: ChatBody;
let userId: string;
let users = 0;

beforeAll(async () => {
  app = await startChatApp();
  ({ model } = app);
});
afterAll(() => app.close());
beforeEach(async () => {
  model.reset();
  tenant = await app.tenant();
  userId = `user${++users}`;
  chat = await createChat(tenant.key, userId);
});

const clients: WsClient[] = [];
async function open(more: { readonly userId?: string; readonly query?: object } = {}): Promise<WsClient> {
  const client = await openChat(app.url, tenant, chat.id, { userId, ...more });
  clients.push(client);
  return client;
}
afterEach(() => closeAll(clients));

const refused = (query: object, more: { chatId?: string; userId?: string } = {}) =>
  WsClient.refused(app.url, chatOptions(tenant, more.chatId ?? chat.id, more.userId ?? userId, query));

describe('a connection of a chat', () => {
  it('is greeted, hears once that its user is new, and has its message answered', async () => {
    const client = await open();
    client.send({ content: 'Hello', metadata: { a: 1 }, client_message_id: 'c1', request_id: 'r1' });
    const ended = await client.frame('message_stream_ended');
    expect(typesOf(client.frames)).toEqual([
      'connection_established',
      'user_created',
      'message_received',
      'message_stream_started',
      'message_stream_ended',
    ]);
    const tenantId = tenant.tenantId;
    expect(client.frames[0]).toMatchObject({ user_id: userId, chat_id: chat.id, tenant_id: tenantId });
    expect(client.got('user_created')).toMatchObject([{ user_id: userId }]);
    expect(client.got('message_received')).toMatchObject([
      { chat_id: chat.id, seq: 1, content: 'Hello', client_message_id: 'c1', request_id: 'r1' },
    ]);
    expect(client.got('message_stream_started')).toMatchObject([{ message_id: ended['message_id'], after_index: -1 }]);
    expect(ended).toMatchObject({
      ...{ chat_id: chat.id, seq: 2, content: FAKE_ANSWER, status: 'completed', finish_reason: 'stop' },
      usage: { prompt_tokens: 11, completion_tokens: 6, total_tokens: 17 },
    });
    expect(textOn(client.frames)).toBe(FAKE_ANSWER);
    const [said] = await messagesOf(tenant.key, chat.id);
    expect(said?.metadata).toEqual({ a: 1 });
    expect(typesOf((await open()).frames)).toEqual(['connection_established']);
  });

  it('takes the frame of type message, and its fields in data', async () => {
    const client = await open();
    client.send({ type: 'message', data: { content: 'nested', request_id: 'r' } });
    expect(await client.frame('message_received')).toMatchObject({ content: 'nested', request_id: 'r' });
    await client.frame('message_stream_ended');
  });

  it('hears all that happens in its chat, whichever door it comes through; the request id is the sender’s alone', async () => {
    const [one, two] = [await open(), await open()];
    one.send({ content: 'by socket', request_id: 'r' });
    await two.frame('message_stream_ended');
    await ask(tenant.key, chat.id, 'by REST');
    await tenant.as(userId).post(`/rooms/${roomIdOf(chat.id)}/messages`, { content: 'by room' });
    await tenant.key.post('/api/chat', { message: 'by conversation', userId, conversationId: chat.id });
    for (const client of [one, two]) {
      await client.many('message_stream_ended', 4);
      expect(client.got('message_received').map(({ content }) => content)).toEqual([
        'by socket',
        'by REST',
        'by room',
        'by conversation',
      ]);
    }
    expect(one.got('message_received')[0]).toHaveProperty('request_id', 'r');
    expect(two.got('message_received')[0]).not.toHaveProperty('request_id');
  });

  it('is answered a repeat alone, and nothing is stored', async () => {
    const [one, two] = [await open(), await open()];
    one.send({ content: 'Hello', client_message_id: 'c' });
    await one.frame('message_stream_ended');
    one.send({ content: 'Hello', client_message_id: 'c', request_id: 'again' });
    const [first, again] = await one.many('message_received', 2);
    expect(again).toMatchObject({ request_id: 'again', message_id: first?.['message_id'], seq: 1 });
    await two.frame('message_stream_ended');
    expect(two.got('message_received')).toHaveLength(1);
    one.send({ content: 'Other', client_message_id: 'c', request_id: 'other' });
    expect(await one.frame('error')).toMatchObject({ error_code: 'IDEMPOTENCY_MISMATCH', request_id: 'other' });
    expect(await messagesOf(tenant.key, chat.id)).toHaveLength(2);
  });

  it('stops an answer from any connection, whose text is kept', async () => {
    const [one, two] = [await open(), await open()];
    const gate = new AnswerGate();
    model.next({ steps: ['One', ' two', { hold: gate }] });
    one.send({ content: 'count' });
    await two.frame((frame) => textOn([frame]) === ' two' || textOn(two.frames) === 'One two');
    two.send({ type: 'stop' });
    const ended = await one.frame('message_stream_ended');
    expect(ended).toMatchObject({ content: 'One two', status: 'cancelled', finish_reason: 'stopped' });
    expect(await (await model.request(1)).closed).toBe('early');
    one.send({ type: 'ping', request_id: 'p' });
    expect(await one.frame('pong')).toMatchObject({ request_id: 'p' });
  });

  it.each<[string, Parameters<ProviderServer['next']>[0], string, string]>([
    ['before its first token', faults.status(500), 'failed', ''],
    ['after it', faults.cut('Half', ' way'), 'interrupted', 'Half way'],
  ])('is told of a model that fails %s: an error, then the end', async (_, fault, status, content) => {
    const client = await open();
    model.next(fault);
    client.send({ content: 'Hello' });
    const ended = await client.frame('message_stream_ended');
    expect(ended).toMatchObject({ status, content, finish_reason: 'error' });
    const error = await client.frame('error');
    expect(error).toMatchObject({ error_code: 'MODEL_ERROR', details: { message_id: ended['message_id'], status } });
    expect(client.frames.indexOf(error)).toBeLessThan(client.frames.indexOf(ended));
  });

  it('ends when its chat is deleted, with 4004', async () => {
    const client = await open();
    await tenant.key.delete(chatPath(chat.id));
    expect(await client.frame('error')).toMatchObject({ error_code: 'NOT_FOUND' });
    expect(await client.ended()).toMatchObject({ code: 4004 });
  });

  it('ends when its key is revoked, with 4003', async () => {
    const { key_id, api_key: apiKey } = await createKey(app, tenant);
    const client = await openChat(app.url, { ...tenant, apiKey }, chat.id, { userId });
    await app.master.delete(`/admin/tenants/${tenant.tenantId}/keys/${key_id}`);
    expect(await client.ended()).toMatchObject({ code: 4003 });
  });
});

describe('a bad frame', () => {
  it.each<[string, string, string | undefined]>([
    ['no JSON', '{', undefined],
    ['an array', '[]', undefined],
    ['a number', '5', undefined],
    ['nested too deep', '['.repeat(5000), undefined],
    ['an unknown type', '{"type":"shout"}', 'type'],
    ['a type that is no string', '{"type":5}', 'type'],
    ['no content', '{}', 'content'],
    ['empty content', '{"content":""}', 'content'],
    ['content that is no string', '{"content":5}', 'content'],
    ['content that is too long', JSON.stringify({ content: 'x'.repeat(100_000) }), 'content'],
    ['NUL', '{"content":"a\\u0000"}', 'content'],
    ['a lone surrogate', '{"content":"a\\ud800"}', 'content'],
    ['an unknown field', '{"content":"a","typo":1}', 'typo'],
    ['metadata that is no object', '{"content":"a","metadata":[]}', 'metadata'],
    [
      'a long client_message_id',
      JSON.stringify({ content: 'a', client_message_id: 'x'.repeat(65) }),
      'client_message_id',
    ],
    ['resume without an index', '{"type":"resume","message_id":"msg_1"}', 'after_index'],
  ])('gets an error, and the connection stays: %s', async (_, text, field) => {
    const client = await open();
    client.ws.send(text);
    const error = await client.frame('error');
    expect(error).toMatchObject({ error_code: 'VALIDATION_ERROR', details: field === undefined ? {} : { field } });
    client.send({ type: 'ping' });
    await client.frame('pong');
    expect(await messagesOf(tenant.key, chat.id)).toEqual([]);
  });

  it('to resume what the chat does not have is 404', async () => {
    const client = await open();
    for (const message_id of ['msg_00000000000070008000000000000001', 'nonsense'])
      client.send({ type: 'resume', message_id, after_index: -1 });
    const errors = await client.many('error', 2);
    const details = expect.objectContaining({ hint: expect.stringContaining('message_stream_started') }) as object;
    const expected = { error_code: 'NOT_FOUND', error_message: 'Answer not found', details };
    expect(errors).toMatchObject([expected, expected]);
  });

  it('that is binary closes 1003, one beyond 768 KB 1009; another client of the chat notices nothing', async () => {
    const healthy = await open();
    const [binary, huge] = [await open(), await open()];
    binary.ws.send(Buffer.from('{"content":"a"}'));
    expect(await binary.frame('error')).toMatchObject({ error_code: 'VALIDATION_ERROR' });
    expect(await binary.ended()).toMatchObject({ code: 1003 });
    huge.ws.send(JSON.stringify({ content: 'x'.repeat(768 * 1024) }));
    expect(await huge.ended()).toMatchObject({ code: 1009 });
    healthy.send({ content: 'Hello' });
    await healthy.frame('message_stream_ended');
    expect(healthy.got('error')).toEqual([]);
  });
});

describe('who may', () => {
  it('a user token, a ticket, a key alone (as the owner), and X-Chat-ID', async () => {
    const { token } = await mintToken(tenant.key, userId);
    const { body } = await bearer(app.anonymous, token).post<{ token: string }>('/ws/token', {});
    const ways = [
      { path: CHAT_PATH, query: { token, chat_id: chat.id } },
      { path: CHAT_PATH, query: { token: body.token, chat_id: chat.id } },
      chatOptions(tenant, chat.id),
      { path: CHAT_PATH, query: { api_key: tenant.apiKey, user_id: userId, chat_id: chat.id } },
      { path: CHAT_PATH, headers: { 'x-api-key': tenant.apiKey, 'x-chat-id': chat.id } },
    ];
    for (const way of ways) {
      const client = await WsClient.connect(app.url, way);
      expect(await client.frame('connection_established')).toMatchObject({ user_id: userId });
      await client.close();
    }
  });

  it('nobody else: 400 without a chat, 401, 403 for another user, 404 for another tenant’s', async () => {
    const unknown = '01900000-0000-7000-8000-00000000ffff';
    const theirs = await createChat((await app.tenant()).key, userId);
    const answers = [
      await refused({ chat_id: '' }),
      await WsClient.refused(app.url, { path: CHAT_PATH, query: { chat_id: chat.id } }),
      await refused({}, { userId: 'mallory' }),
      await refused({}, { chatId: theirs.id }),
      await refused({}, { chatId: unknown }),
      await refused({}, { chatId: 'nonsense' }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([400, 401, 403, 404, 404, 404]);
    expect(answers[0]?.body.error).toMatchObject({ code: 'VALIDATION_ERROR', field: 'chat_id' });
  });

  it('is told on the socket with close_codes=1', async () => {
    const options = chatOptions(tenant, chat.id, 'mallory', { close_codes: '1' });
    const client = await WsClient.connect(app.url, options);
    expect(await client.frame('error')).toMatchObject({ error_code: 'AUTHORIZATION_ERROR' });
    expect(await client.ended()).toMatchObject({ code: 4004 });
  });

  it('as many connections as chat_connections says: then 429, or 4029; a place is free when one has left', async () => {
    tenant = await app.tenant({ requests_per_second: null, ai_requests_per_minute: null, chat_connections: 2 });
    chat = await createChat(tenant.key, userId);
    const [one] = [await open(), await open()];
    expect(await refused({})).toMatchObject({ status: 429, body: { error: { code: 'RATE_LIMIT_EXCEEDED' } } });
    const told = await WsClient.connect(app.url, chatOptions(tenant, chat.id, userId, { close_codes: '1' }));
    expect(await told.ended()).toMatchObject({ code: 4029 });
    await one?.close();
    const again = (): Promise<boolean> =>
      open().then(
        () => true,
        () => false,
      );
    await until(again, (isIn) => isIn);
  });

  it('as many messages a second as ws_messages_per_second says', async () => {
    tenant = await app.tenant({ ai_requests_per_minute: null, ws_messages_per_second: 0 });
    chat = await createChat(tenant.key, userId);
    const client = await open();
    client.send({ content: 'Hello', request_id: 'r' });
    expect(await client.frame('error')).toMatchObject({ error_code: 'RATE_LIMIT_EXCEEDED', request_id: 'r' });
    client.send({ type: 'ping' });
    await client.frame('pong');
    expect(await messagesOf(tenant.key, chat.id)).toEqual([]);
  });
});

it('a server that stops says so, and when to come back', async () => {
  const other = await startTestApp({ env: { OPENAI_BASE_URL: model.url } });
  const mine = await other.tenant();
  const { id } = await createChat(mine.key, userId);
  const client = await openChat(other.url, mine, id, { userId });
  await other.close();
  expect(await client.frame('server_shutdown')).toMatchObject({ reconnect_after_ms: expect.any(Number) });
  expect(await client.ended()).toMatchObject({ code: 1012 });
});

describe('coming back', () => {
  const TOKENS = ['One', ' two', ' three', ' four', ' five', ' six'];

  /** An answer that waits after each token until the next gate is opened. */
  function gated(): { readonly gates: AnswerGate[]; readonly steps: (string | { hold: AnswerGate })[] } {
    const gates = TOKENS.map(() => new AnswerGate());
    return { gates, steps: TOKENS.flatMap((token, i) => [token, { hold: gates[i] as AnswerGate }]) };
  }

  it.each([1, 2, 3])('cut after every %d tokens, with the place it had, nothing is missing or doubled', async (n) => {
    const { gates, steps } = gated();
    model.next({ steps });
    let client = await open();
    client.send({ content: 'count' });
    let text = '';
    let id: unknown;
    for (const [i, gate] of gates.entries()) {
      const seen = await client.frame((frame) => frame.type === 'message_stream_token' && Number(frame['index']) >= i);
      id = seen['message_id'];
      if ((i + 1) % n === 0) {
        text += textOn(client.frames);
        client.ws.terminate();
        client = await open({ query: { last_event_id: `${String(id)}:${i}` } });
        expect(await client.frame('message_stream_started')).toMatchObject({ message_id: id, after_index: i });
      }
      gate.open();
    }
    const ended = await client.frame('message_stream_ended');
    text += textOn(client.frames);
    expect(text).toBe(TOKENS.join(''));
    expect(ended['content']).toBe(text);
  });

  it('without a place gets the text so far in one event, then what follows', async () => {
    const { gates, steps } = gated();
    model.next({ steps });
    const first = await open();
    first.send({ content: 'count' });
    for (const gate of gates.slice(0, 2)) gate.open();
    await first.frame((frame) => frame['index'] === 2);
    const second = await open();
    expect(await second.frame('message_stream_token')).toMatchObject({ token: 'One two three', index: 2 });
    expect(typesOf(second.frames)).toEqual(['connection_established', 'message_stream_started']);
    for (const gate of gates) gate.open();
    const ended = await second.frame('message_stream_ended');
    expect(textOn(second.frames)).toBe(ended['content']);
  });

  it('asks with resume for an answer from any token on, while it is written and after it', async () => {
    const { gates, steps } = gated();
    model.next({ steps });
    const client = await open();
    client.send({ content: 'count' });
    gates[0]?.open();
    const { message_id } = await client.frame((frame) => frame['index'] === 1);
    client.send({ type: 'resume', message_id, after_index: 0 });
    const [, restarted] = await client.many('message_stream_started', 2);
    expect(restarted).toMatchObject({ message_id, after_index: 0 });
    for (const gate of gates) gate.open();
    await client.frame('message_stream_ended');
    const since = client.frames.slice(client.frames.indexOf(restarted as never));
    expect(textOn(since)).toBe(TOKENS.slice(1).join(''));
    expect(client.got('message_stream_ended')).toHaveLength(1);

    client.send({ type: 'resume', message_id, after_index: 3 });
    const ends = await client.many('message_stream_ended', 2);
    expect(ends[1]).toEqual({ ...ends[0], timestamp: ends[1]?.['timestamp'] });
    const third = client.got('message_stream_started').at(-1);
    expect(textOn(client.frames.slice(client.frames.indexOf(third as never)))).toBe(TOKENS.slice(4).join(''));
  });

  it.each(['message_received', 'message_stream_started', 'message_stream_token'] as const)(
    'a client that leaves at %s ends nothing: the answer is stored',
    async (stage) => {
      const { gates, steps } = gated();
      model.next({ steps });
      const client = await open();
      client.send({ content: stage });
      await client.frame(stage);
      client.ws.terminate();
      for (const gate of gates) gate.open();
      const last = await until(
        async () => (await messagesOf(tenant.key, chat.id)).at(-1),
        (found) => found?.sender_role === 'assistant',
      );
      expect(last).toMatchObject({ content: TOKENS.join(''), status: 'completed' });
    },
  );
});

describe('while another answer is written', () => {
  it('a message is stored and waits; reject refuses it with 409', async () => {
    const gate = new AnswerGate();
    model.next({ steps: ['One', { hold: gate }] });
    const client = await open();
    client.send({ content: 'first' });
    await client.frame('message_stream_token');
    client.send({ content: 'second', request_id: 'r2' });
    await client.frame((frame) => frame['request_id'] === 'r2');
    gate.open();
    const ends = await client.many('message_stream_ended', 2);
    expect(ends.map(({ seq }) => seq)).toEqual([3, 4]);

    await app.master.patch(`/admin/tenants/${tenant.tenantId}`, { settings: { while_answering: 'reject' } });
    const strict = await open();
    const other = new AnswerGate();
    model.next({ steps: ['One', { hold: other }] });
    const running = say(tenant.key, chat.id, 'third');
    await strict.frame('message_stream_token');
    strict.send({ content: 'fourth', request_id: 'r4' });
    expect(await strict.frame('error')).toMatchObject({ error_code: 'CONFLICT', request_id: 'r4' });
    other.open();
    await running;
  });
});
