import type { TestApp, TestTenant } from '../support/app';
import {
  ask,
  type ChatBody,
  chatPath,
  conversationIdOf,
  createChat,
  FAKE_ANSWER,
  messagesOf,
  roomIdOf,
  say,
  sayStreaming,
  startChatApp,
  type WithModel,
} from '../support/chats/http';
import { openChat } from '../support/chats/socket';
import { SseClient } from '../support/chats/sse';
import { faults, AnswerGate, type ProviderServer } from '../support/fake-model';
import { type Answer, type Api, type Bodies, errorOf } from '../support/http/api';
import type { MessageBody } from '../support/messages';
import { until } from '../support/poll';
import { badField, bodyOf, type ListedRoomBody, refusal, type RoomBody } from '../support/rooms';
import { closeAll, WsClient } from '../support/ws/client';

/** Inputs of the rows of issue 14 that came through the doors of chats; each is named by its row. */
type Listed = Bodies['ConversationDto'];

let app: WithModel<TestApp>;
let model: ProviderServer;
let tenant: TestTenant;
let key: Api;
let chat: ChatBody;
let users = 0;
let user: string;
const clients: WsClient[] = [];

beforeAll(async () => {
  app = await startChatApp();
  ({ model } = app);
  tenant = await app.tenant();
  ({ key } = tenant);
});
afterAll(() => app.close());
beforeEach(async () => {
  model.reset();
  user = `user-${++users}`;
  chat = await createChat(key, user);
});
afterEach(() => closeAll(clients));

const talk = (body: object, path = '/api/chat') => key.post<{ data: unknown }>(path, { userId: user, ...body });
const conversations = async (): Promise<Listed[]> =>
  bodyOf(await key.get<{ data: { conversations: Listed[] } }>(`/api/conversations?userId=${user}`)).data.conversations;
const historyOf = async (id: string) =>
  bodyOf(
    await key.get<{ data: { messages: { role: string; content: string; finishReason?: string }[]; total: number } }>(
      `/api/conversations/${conversationIdOf(id)}`,
    ),
  ).data;

async function socket(): Promise<WsClient> {
  const client = await openChat(app.url, tenant, chat.id, { userId: user });
  clients.push(client);
  return client;
}

async function room(): Promise<WsClient> {
  const headers = { 'x-api-key': tenant.apiKey, 'x-user-id': user };
  const client = await WsClient.connect(app.url, { path: '/ws', headers });
  clients.push(client);
  await client.frame('hello');
  return client;
}

describe('A10: an answer that was cut by its limit', () => {
  const CUT = { steps: ['The beginning'], finish: 'length' } as const;

  it('says so on every door, while it comes and after a reload', async () => {
    const [onChat, onRoom] = [await socket(), await room()];
    model.next(CUT);
    const stream = await sayStreaming(key, chat.id, 'Tell me');
    expect((await stream.rest()).at(-1)?.data).toMatchObject({ status: 'completed', finish_reason: 'length' });
    expect(await onChat.frame('message_stream_ended')).toMatchObject({ finish_reason: 'length' });
    expect(await onRoom.frame('message.stream.end')).toMatchObject({ status: 'completed', finish_reason: 'length' });

    model.next(CUT);
    expect((await ask(key, chat.id, 'Again')).answer).toMatchObject({ finish_reason: 'length' });
    model.next(CUT);
    const conversationId = conversationIdOf(chat.id);
    expect(bodyOf(await talk({ message: 'Again', conversationId })).data).toMatchObject({ finishReason: 'length' });
    model.next(CUT);
    const body = { message: 'Again', userId: user, conversationId };
    const events = await (await SseClient.open(key, 'POST', '/api/chat/stream', { body })).rest();
    expect(events.at(-1)?.data).toMatchObject({ type: 'end', finishReason: 'length' });

    const listed = await messagesOf(key, chat.id);
    const reasons = ['length', 'length', 'length', 'length'];
    expect(listed.flatMap(({ finish_reason }) => finish_reason ?? [])).toEqual(reasons);
    const { messages } = await historyOf(chat.id);
    expect(messages.flatMap(({ finishReason }) => finishReason ?? [])).toEqual(reasons);
    const logged = bodyOf(await tenant.as(user).get<MessageBody[]>(`/rooms/${roomIdOf(chat.id)}/messages`));
    expect(logged.flatMap(({ meta }) => (meta === null ? [] : [meta['finish_reason']]))).toEqual(reasons);
  });
});

describe('A12: content that nobody can see', () => {
  const BLANKS = ['  \n ', '\t', '\u200b\u2060', '\u00a0\u3000\u2028', '\u202e\u2066', '\u2800\u3164\u00ad\ufeff'];

  it.each(BLANKS)('%j is refused at every door, and changes nothing', async (content) => {
    const alice = tenant.as(user);
    const group = bodyOf(await alice.post<{ room_id: string }>('/rooms', { type: 'group' }), 201).room_id;
    const sent = bodyOf(await alice.post<MessageBody>(`/rooms/${group}/messages`, { content: 'Hi' }), 201);
    const conversationId = conversationIdOf(chat.id);
    const refused: [Promise<unknown>, string][] = [
      [say(key, chat.id, content), 'content'],
      [key.post(`${chatPath(chat.id)}/messages`, { content, stream: true }), 'content'],
      [talk({ message: content, conversationId }), 'message'],
      [talk({ message: content }, '/api/chat/stream'), 'message'],
      [alice.post(`/rooms/${roomIdOf(chat.id)}/messages`, { content }), 'content'],
      [alice.post(`/rooms/${group}/messages`, { content }), 'content'],
      [alice.patch(`/rooms/${group}/messages/${sent.message_id}`, { content }), 'content'],
      [key.patch(chatPath(chat.id), { title: content }), 'title'],
      [key.post('/api/v1/chats', { user_id: user, title: content }), 'title'],
    ];
    for (const [answer, field] of refused)
      expect(refusal((await answer) as Parameters<typeof refusal>[0])).toEqual(badField(field));
    const [onChat, onRoom] = [await socket(), await room()];
    onChat.send({ content, request_id: 'r' });
    expect(await onChat.frame('error')).toMatchObject({ details: { field: 'content' }, request_id: 'r' });
    onRoom.send({ type: 'send_message', room_id: group, content, request_id: 'r' });
    expect(await onRoom.frame('error')).toMatchObject({ field: 'content', request_id: 'r' });
    expect(await messagesOf(key, chat.id)).toEqual([]);
    expect(await conversations()).toHaveLength(1);
    expect(model.requests).toEqual([]);
  });

  it.each(['\u0301', '.', ' 👨‍👩‍👧‍👦 ', '\u0600', '\ue000'])('%j can be seen', async (content) => {
    expect((await say(key, chat.id, content)).status).toBe(200);
  });
});

describe('A12: lists', () => {
  it('show how the last message begins, and that there is more', async () => {
    const family = '👨‍👩‍👧‍👦';
    for (const [text, shown, truncated] of [
      [family.repeat(300), family.repeat(280), true],
      [family.repeat(280), family.repeat(280), false],
      ['x'.repeat(200_000), 'x'.repeat(280), true],
      ['short', 'short', false],
    ] as const) {
      model.next({ steps: [text] });
      await ask(key, chat.id, 'Go on');
      const { rooms } = bodyOf(await tenant.as(user).get<{ rooms: ListedRoomBody[] }>('/rooms'));
      expect(rooms[0]?.last_message).toMatchObject({ content: shown, truncated });
      expect(await conversations()).toMatchObject([{ lastMessage: shown, lastMessageTruncated: truncated }]);
    }
  });
});

describe('A13: a first message that is refused', () => {
  it('because the budget is spent leaves no empty conversation', async () => {
    const spent = await app.tenant({ ai_requests_per_minute: null, tokens_per_day: 0 });
    for (const path of ['/api/chat', '/api/chat/stream'])
      expect((await spent.key.post(path, { message: 'Hello', userId: 'u' })).status).toBe(429);
    const { data } = bodyOf(await spent.key.get<{ data: { total: number } }>('/api/conversations'));
    expect(data.total).toBe(0);
  });
});

describe('A14: an answer without a word', () => {
  it('is no turn of the conversation and does not count', async () => {
    await ask(key, chat.id, 'First');
    model.next(faults.status(400));
    await say(key, chat.id, 'Second');
    expect((await messagesOf(key, chat.id)).map(({ status }) => status)).toContain('failed');
    const said = [
      ['user', 'First'],
      ['assistant', FAKE_ANSWER],
      ['user', 'Second'],
    ];
    const { messages, total } = await historyOf(chat.id);
    expect([messages.map(({ role, content }) => [role, content]), total]).toEqual([said, 3]);
    expect(await conversations()).toMatchObject([{ messageCount: 3, lastMessage: 'Second' }]);
    const path = `/api/conversations/${conversationIdOf(chat.id)}?limit=2&offset=1`;
    const page = bodyOf(await key.get<{ data: typeof historyOf }>(path)).data;
    expect(page).toMatchObject({ messages: [{ content: 'First' }, { content: FAKE_ANSWER }], total: 3 });
  });
});

describe('A15: what is sent beside the id of a conversation', () => {
  it('is refused where it is not its own', async () => {
    const conversationId = conversationIdOf(chat.id);
    for (const path of ['/api/chat', '/api/chat/stream']) {
      for (const preset of ['support', 'nobody'])
        expect(refusal(await talk({ message: 'Hi', conversationId, preset }, path))).toEqual(badField('preset'));
      expect(refusal(await talk({ message: 'Hi', conversationId, groupId: 'g' }, path))).toEqual(badField('groupId'));
    }
    expect(await messagesOf(key, chat.id)).toEqual([]);
    expect((await talk({ message: 'Hi', conversationId, preset: 'default' })).status).toBe(200);
  });

  it('a chat whose preset was deleted says so, wherever it is shown', async () => {
    bodyOf(await key.post('/api/presets', { name: 'gone', systemPrompt: 'Be brief' }), 201);
    const { id } = await createChat(key, user, { preset: 'gone' });
    const shown = async (): Promise<unknown[]> => [
      bodyOf(await key.get<ChatBody>(chatPath(id))).config,
      bodyOf(await key.patch<ChatBody>(chatPath(id), { title: 'T' })).config,
      bodyOf(await key.get<{ chats: ChatBody[] }>(`/api/v1/chats/user/${user}?limit=1`)).chats[0]?.config,
    ];
    const config = { metadata: {}, preset: 'gone' };
    expect(await shown()).toEqual([config, config, config]);
    expect((await key.delete('/api/presets/gone')).status).toBe(204);
    const gone = { ...config, preset_deleted: true };
    expect(await shown()).toEqual([gone, gone, gone]);
    expect((await ask(key, id)).answer.status).toBe('completed');
  });
});

describe('A16', () => {
  it('what is made was changed when it was made', async () => {
    const made = await Promise.all(Array.from({ length: 20 }, () => createChat(key, user)));
    for (const { created_at, updated_at } of made) expect(updated_at).toBe(created_at);
    for (let i = 0; i < 20; i++) {
      const { created_at, updated_at } = bodyOf(
        await tenant.as(user).post<{ created_at: string; updated_at: string }>('/rooms', { type: 'group' }),
        201,
      );
      expect(updated_at).toBe(created_at);
    }
  });

  it('metadata keeps the order of its keys, and a change keeps their places', async () => {
    const metadata = { zeta: 1, b: { y: 1, x: [{ q: 1, p: 2 }] }, a: null, long_name: 'x', aa: 2 };
    const text = JSON.stringify(metadata);
    const alice = tenant.as(user);
    const textOf = async (answer: Promise<Answer<{ metadata?: unknown; config?: { metadata: unknown } }>>) => {
      const { body } = await answer;
      return JSON.stringify(body.config?.metadata ?? body.metadata);
    };
    const change = { metadata: { new: 1, b: 0, long_name: null, also: 2 } };
    const changed = '{"zeta":1,"b":0,"a":null,"aa":2,"new":1,"also":2}';
    const body = { user_id: user, metadata };
    expect(await textOf(key.post('/api/v1/chats', body, { headers: { 'Idempotency-Key': user } }))).toBe(text);
    const again = key.post<ChatBody>('/api/v1/chats', body, { headers: { 'Idempotency-Key': user } });
    expect(await textOf(again)).toBe(text);
    const { id } = (await again).body;
    expect(await textOf(key.get(chatPath(id)))).toBe(text);
    expect(await textOf(key.patch(chatPath(id), change))).toBe(changed);
    expect(await textOf(key.get(chatPath(id)))).toBe(changed);
    const onRoom = await room();
    const made = bodyOf(await alice.post<RoomBody>('/rooms', { type: 'group', metadata }), 201);
    expect(JSON.stringify(made.metadata)).toBe(text);
    expect(await textOf(alice.get(`/rooms/${made.room_id}`))).toBe(text);
    expect(await textOf(alice.patch(`/rooms/${made.room_id}`, change))).toBe(changed);
    const frame = await onRoom.frame('room.updated');
    expect(JSON.stringify(frame['metadata'])).toBe(changed);
    const path = `/rooms/${made.room_id}/changes`;
    const { changes } = bodyOf(await alice.get<{ changes: { type: string; metadata?: unknown }[] }>(path));
    expect(JSON.stringify(changes.find(({ type }) => type === 'room.updated')?.metadata)).toBe(changed);
  });

  it('a stop that is sent again is answered as the first time, and ends nothing that was begun since', async () => {
    const stop = (by: string) =>
      key.post<{ answers: { id: string; status: string; content: string }[] }>(`${chatPath(chat.id)}/stop`, undefined, {
        headers: { 'Idempotency-Key': `${user}-${by}` },
      });
    const [first, second] = [new AnswerGate(), new AnswerGate()];
    model.next({ steps: ['One', { hold: first }] }, { steps: ['Two', { hold: second }] });
    const one = say(key, chat.id, 'one');
    await first.reached;
    const stopped = await stop('k');
    expect(bodyOf(stopped).answers).toMatchObject([{ status: 'cancelled', content: 'One' }]);
    await one;
    const two = say(key, chat.id, 'two');
    await second.reached;
    const again = await stop('k');
    expect([again.body, again.headers.get('idempotent-replayed')]).toEqual([stopped.body, 'true']);
    second.open();
    expect(bodyOf(await two).answer).toMatchObject({ status: 'completed', content: 'Two' });
  });
});

describe('S12: a number that a double does not hold', () => {
  const ID = '{"id":9007199254740993}';

  it.each([ID, JSON.stringify(ID)])('in a frame is refused with its name and the request id: %s', async (meta) => {
    const [onChat, onRoom] = [await socket(), await room()];
    const field = (name: string): string => (meta === ID ? `${name}.id` : name);
    onChat.ws.send(`{"content":"Hi","metadata":${meta},"request_id":"r"}`);
    expect(await onChat.frame('error')).toMatchObject({ details: { field: field('metadata') }, request_id: 'r' });
    onRoom.ws.send(`{"type":"send_message","room_id":"x","content":"Hi","meta":${meta},"request_id":"r"}`);
    expect(await onRoom.frame('error')).toMatchObject({ field: field('meta'), request_id: 'r' });
    expect(await messagesOf(key, chat.id)).toEqual([]);
  });

  it('two bodies that differ there alone are not the same', async () => {
    const alice = tenant.as(user);
    const group = bodyOf(await alice.post<{ room_id: string }>('/rooms', { type: 'group' }), 201).room_id;
    const send = (id: string) =>
      alice.post(`/rooms/${group}/messages`, undefined, {
        raw: `{"content":"Hi","client_message_id":"c","meta":{"id":${id}}}`,
      });
    expect((await send('9007199254740992')).status).toBe(201);
    expect(refusal(await send('9007199254740993'))).toEqual(badField('meta.id'));
  });
});

describe('A18: the errors that the source names say what to do', () => {
  const chatBody = { content: 'Hi' };
  it.each<[string, (by: TestApp) => Promise<Answer<unknown>>, number, RegExp]>([
    ['no key', (by) => by.anonymous.get('/api/v1/chats/user/u'), 401, /X-API-Key/],
    ['a bad key', (by) => by.anonymous.with({ 'x-api-key': 'nonsense' }).get('/api/v1/chats/user/u'), 401, /key/],
    [
      'a bad token',
      (by) => by.anonymous.with({ authorization: 'Bearer x' }).get('/api/v1/chats/user/u'),
      401,
      /POST \/tokens/,
    ],
    [
      'a chat that is not there',
      () => key.get(chatPath('01900000-0000-7000-8000-00000000fff0')),
      404,
      /POST \/api\/v1\/chats/,
    ],
    ['a malformed chat id', () => key.post(`${chatPath('x')}/messages`, chatBody), 404, /POST \/api\/v1\/chats/],
    ['a missing parameter', () => key.post('/api/v1/chats', {}), 400, /Send user_id/],
    ['a wrong parameter', () => key.get(`${chatPath(chat.id)}/messages?limit=1000`), 400, /Correct limit/],
    ['another user', () => tenant.as('somebody').get(chatPath(chat.id)), 403, /user/],
    ['a conversation that is not there', () => key.get('/api/conversations/conv_x'), 404, /GET \/api\/conversations/],
    ['a room without a user', () => key.get('/rooms'), 401, /X-User-Id/],
    ['a room that is not there', () => tenant.as(user).get('/rooms/room_x'), 404, /GET \/rooms/],
    ['a route that is not there', () => key.get('/api/v1/nonsense'), 404, /docs/],
    ['a wrong method', () => key.patch('/api/chat', {}), 405, /Allow/],
  ])('%s', async (_, call, status, hint) => {
    const answer = await call(app);
    expect([answer.status, errorOf(answer).details]).toEqual([
      status,
      expect.objectContaining({ hint: expect.stringMatching(hint) }),
    ]);
  });
});

describe('S14: streams that are open at a time', () => {
  const SAYS = (chatId: string, userId: string): [string, string, object | undefined][] => [
    ['POST', `${chatPath(chatId)}/messages`, { content: 'Hi', stream: true }],
    ['POST', `${chatPath(chatId)}/regenerate`, { stream: true }],
    ['GET', `${chatPath(chatId)}/stream`, undefined],
    ['POST', '/api/chat/stream', { message: 'Hi', userId }],
    ['GET', `/api/conversations/${conversationIdOf(chatId)}/stream`, undefined],
  ];

  it.each<[string, object, string]>([
    ['of one user', { sse_streams_per_user: 1 }, 'sse_streams_per_user'],
    ['of a tenant', { sse_streams: 1 }, 'sse_streams'],
  ])('%s are bounded on every route, before anything is stored; a place comes back', async (_, limits, limit) => {
    const few = await app.tenant({ ai_requests_per_minute: null, ...limits });
    const { id } = await createChat(few.key, user);
    const gate = new AnswerGate();
    model.next({ steps: ['One', { hold: gate }] });
    const stream = await sayStreaming(few.key, id, 'Hello');
    await gate.reached;
    for (const [method, path, body] of SAYS(id, user)) {
      const refused = await few.key.call(method, path, body);
      expect(refusal(refused)).toMatchObject({ status: 429 });
      expect(errorOf(refused)).toMatchObject({
        code: path.startsWith('/api/v1') ? 'RATE_LIMIT_EXCEEDED' : 'RATE_LIMITED',
        details: { limit },
      });
      expect(refused.headers.get('retry-after')).not.toBeNull();
    }
    if (limit === 'sse_streams_per_user') {
      const other = await createChat(few.key, 'somebody');
      expect((await (await sayStreaming(few.key, other.id, 'Hi')).rest()).length).toBeGreaterThan(2);
    }
    gate.open();
    await stream.rest();
    expect(await messagesOf(few.key, id)).toHaveLength(2);
    // An answer without a stream gives its place back as well.
    for (let i = 0; i < 3; i++)
      await until(
        async () => (await few.key.get(`${chatPath(id)}/stream`)).status,
        (status) => status === 204,
      );
    expect((await (await sayStreaming(few.key, id, 'Again')).rest()).length).toBeGreaterThan(2);
  });
});

describe('S26', () => {
  it("an answer's own id is no client_message_id, on any door", async () => {
    const onRoom = await room();
    await ask(key, chat.id, { content: 'Hi', client_message_id: 'mine' });
    const frames = await onRoom.many('message', 2);
    expect(frames.map((frame) => frame['client_message_id'])).toEqual(['mine', null]);
    const path = `/rooms/${roomIdOf(chat.id)}`;
    const alice = tenant.as(user);
    const listed = bodyOf(await alice.get<MessageBody[]>(`${path}/messages`));
    expect(listed.map(({ client_message_id }) => client_message_id)).toEqual(['mine', null]);
    const one = await alice.get<MessageBody>(`${path}/messages/${listed[1]?.message_id ?? ''}`);
    expect(bodyOf(one).client_message_id).toBeNull();
    const { changes } = bodyOf(await alice.get<{ changes: Record<string, unknown>[] }>(`${path}/changes`));
    const ids = changes.flatMap((change) => ('client_message_id' in change ? [change['client_message_id']] : []));
    expect(ids).toEqual(['mine', null]);
    const again = await room();
    again.send({ type: 'sync', room_id: roomIdOf(chat.id), after_seq: 0 });
    await again.frame('sync.complete');
    await until(
      () => Promise.resolve(again.got('message')),
      (got) => got.length >= 2,
    );
    expect(again.got('message').map((frame) => frame['client_message_id'])).not.toContain(
      again.got('message')[1]?.['message_id'],
    );
    expect(
      again
        .got('message')
        .filter((frame) => frame['sender_id'] !== user)
        .map((frame) => frame['client_message_id'])[0],
    ).toBeNull();
  });

  it('a stop is answered, with what it ended and with nothing', async () => {
    const client = await socket();
    client.send({ type: 'stop', request_id: 'none' });
    expect(await client.frame('stopped')).toMatchObject({ request_id: 'none', message_ids: [] });
    const gate = new AnswerGate();
    model.next({ steps: ['One', { hold: gate }] });
    client.send({ content: 'count' });
    await gate.reached;
    client.send({ type: 'stop', request_id: 'one' });
    const ended = await client.frame('message_stream_ended');
    const [, stopped] = await client.many('stopped', 2);
    expect(stopped).toMatchObject({ request_id: 'one', message_ids: [ended['message_id']] });
  });
});
