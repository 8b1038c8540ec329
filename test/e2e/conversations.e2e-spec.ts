import type { TestApp, TestTenant } from '../support/app';
import { bearer, mintToken } from '../support/auth';
import { FAKE_ANSWER, startChatApp, type WithModel } from '../support/chats/http';
import { SseClient, textOf } from '../support/chats/sse';
import { faults, AnswerGate, type ProviderServer } from '../support/fake-model';
import { type Answer, type Api, type Bodies, errorOf } from '../support/http/api';
import type { Enveloped } from '../support/models';
import { badField, bodyOf, FORBIDDEN, refusal } from '../support/rooms';

type Answered = Enveloped<Bodies['AnswerDto']>;
type Listed = Enveloped<Bodies['ConversationListDto']>;
type History = Enveloped<Bodies['ConversationHistoryDto']>;

const CONVERSATION = /^conv_[0-9a-f]{32}$/;
const NOBODYS = 'conv_0190000000007000800000000ffffff0';
const NOT_FOUND = { status: 404, code: 'CONVERSATION_NOT_FOUND' };
const USAGE = { promptTokens: 11, completionTokens: 6, totalTokens: 17 };

let app: WithModel<TestApp>;
let model: ProviderServer;
let tenant: TestTenant;
let other: TestTenant;
let key: Api;
let users = 0;
let user: string;

beforeAll(async () => {
  app = await startChatApp();
  ({ model } = app);
  tenant = await app.tenant();
  other = await app.tenant();
  ({ key } = tenant);
});
afterAll(() => app.close());
beforeEach(() => {
  model.reset();
  user = `user-${++users}`;
});

const post = (message: string, more: object = {}, by = key): Promise<Answer<Answered>> =>
  by.post<Answered>('/api/chat', { message, userId: user, ...more });
const ask = async (message: string, more: object = {}, by = key): Promise<Answered['data']> =>
  bodyOf(await post(message, more, by)).data;
const stream = (message: string, more: object = {}): Promise<SseClient> =>
  SseClient.open(key, 'POST', '/api/chat/stream', { body: { message, userId: user, ...more } });
const pathOf = (id: string): string => `/api/conversations/${id}`;
const historyOf = async (id: string, query = '', by = key): Promise<History['data']> =>
  bodyOf(await by.get<History>(pathOf(id) + query)).data;
const list = async (query: string, by = key): Promise<Listed['data']> =>
  bodyOf(await by.get<Listed>(`/api/conversations${query}`)).data;

describe('POST /api/chat', () => {
  it('answers as the source shows', async () => {
    const answer = await post('Hello, how are you?', { groupId: '987654321', preset: 'default' });
    expect([answer.status, answer.body]).toEqual([
      200,
      {
        success: true,
        data: {
          response: FAKE_ANSWER,
          conversationId: expect.stringMatching(CONVERSATION),
          usage: USAGE,
          finishReason: 'stop',
        },
      },
    ]);
  });

  it('goes on with the active conversation of user, group and preset', async () => {
    const first = await ask('one');
    expect((await ask('two')).conversationId).toBe(first.conversationId);
    const inGroup = await ask('three', { groupId: 'g1' });
    expect(inGroup.conversationId).not.toBe(first.conversationId);
    expect((await ask('four', { groupId: 'g1' })).conversationId).toBe(inGroup.conversationId);
    expect((await ask('five')).conversationId).toBe(first.conversationId);
    expect((await historyOf(first.conversationId)).messages.map(({ content }) => content)).toEqual([
      'one',
      FAKE_ANSWER,
      'two',
      FAKE_ANSWER,
      'five',
      FAKE_ANSWER,
    ]);
  });

  it('racing first messages share one conversation', async () => {
    const all = await Promise.all(['a', 'b', 'c', 'd'].map((message) => ask(message)));
    expect(new Set(all.map(({ conversationId }) => conversationId)).size).toBe(1);
  });

  it('takes a conversation by its id or its bare UUID; a chat of the AI chats API is not the active one', async () => {
    const chat = bodyOf(await key.post<{ id: string }>('/api/v1/chats/', { user_id: user }), 201);
    const conv = `conv_${chat.id.replaceAll('-', '')}`;
    for (const conversationId of [conv, chat.id])
      expect((await ask('Hello', { conversationId })).conversationId).toBe(conv);
    expect((await ask('Hello')).conversationId).not.toBe(conv);
  });

  it.each<[string, object, string]>([
    ['no message', { message: undefined }, 'message'],
    ['an empty message', { message: '' }, 'message'],
    ['a message of 32,769 characters', { message: 'x'.repeat(32_769) }, 'message'],
    ['no user', { userId: undefined }, 'userId'],
    ['a user of another form', { userId: 'a b' }, 'userId'],
    ['an agent', { userId: 'agent_x' }, 'userId'],
    ['a group of another form', { groupId: 'a,b' }, 'groupId'],
    ['a group of 129 characters', { groupId: 'g'.repeat(129) }, 'groupId'],
    ['an unknown preset', { preset: 'no-such-preset' }, 'preset'],
    ['a clientMessageId of 65 characters', { clientMessageId: 'c'.repeat(65) }, 'clientMessageId'],
    ['a field in snake_case', { user_id: 'u' }, 'user_id'],
  ])('refuses %s, also as a stream', async (_, more, field) => {
    for (const path of ['/api/chat', '/api/chat/stream'])
      expect(refusal(await key.post(path, { message: 'x', userId: user, ...more }))).toEqual(badField(field));
    expect(model.requests).toEqual([]);
  });

  it('a repeat with clientMessageId or Idempotency-Key gets the first answer', async () => {
    const first = await post('Hello', { clientMessageId: 'c1' });
    const again = await post('Hello', { clientMessageId: 'c1' });
    expect([again.body, again.headers.get('idempotent-replayed')]).toEqual([first.body, 'true']);
    expect(refusal(await post('Other', { clientMessageId: 'c1' }))).toMatchObject({ status: 422 });
    const keyed = (message: string) =>
      key.post('/api/chat', { message, userId: user }, { headers: { 'Idempotency-Key': `k-${user}` } });
    const [one, two] = [await keyed('Hi'), await keyed('Hi')];
    expect([two.body, two.headers.get('idempotent-replayed')]).toEqual([one.body, 'true']);
    expect(refusal(await keyed('Ho'))).toMatchObject({ status: 422, code: 'IDEMPOTENCY_MISMATCH' });
    expect(model.requests).toHaveLength(2);
  });

  it.each([
    ['before', faults.status(400)],
    ['after', faults.cut('Half')],
  ])('a model that fails is 502, %s its first token', async (_, script) => {
    model.next(script);
    const failed = await post('Hello');
    expect(refusal(failed)).toEqual({ status: 502, code: 'MODEL_ERROR' });
    expect(errorOf(failed).details).toMatchObject({
      hint: expect.any(String),
      reason: expect.any(String),
      conversationId: expect.stringMatching(CONVERSATION),
      messageId: expect.stringMatching(/^msg_[0-9a-f]{32}$/),
    });
    await ask('And now?');
  });

  it('has its own words for the envelope, whatever the caller asks for', async () => {
    const { conversationId } = await ask('Hello');
    const bare = await key.get<History>(pathOf(conversationId), { headers: { 'X-Response-Format': 'bare' } });
    expect(Object.keys(bare.body)).toEqual(['success', 'data']);
    const full = await key.get(pathOf(conversationId), { headers: { 'X-Response-Format': 'envelope' } });
    expect(full.body).toEqual({ ...bare.body, error: null });
  });
});

describe('POST /api/chat/stream', () => {
  it('writes start, content and end as the source shows, each with its id', async () => {
    const opened = await stream('Hello');
    expect(opened.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    const events = await opened.rest();
    const data = events.map((event) => event.data);
    expect(data[0]).toEqual({ type: 'start', conversationId: expect.stringMatching(CONVERSATION) });
    for (const content of data.slice(1, -1)) expect(content).toEqual({ type: 'content', text: expect.any(String) });
    expect(textOf(events)).toBe(FAKE_ANSWER);
    expect(data.at(-1)).toEqual({ type: 'end', usage: USAGE, finishReason: 'stop' });
    for (const { id } of events) expect(id).toMatch(/^msg_[0-9a-f]{32}:(-1|\d+)$/);
  });

  it('starts at once, though the answer has to wait for its turn', async () => {
    const gate = new AnswerGate();
    model.next({ steps: ['One', { hold: gate }] }, { steps: ['Two'] });
    const one = await stream('first');
    await gate.reached;
    const two = await stream('second');
    expect((await two.next())?.data).toMatchObject({ type: 'start' });
    gate.open();
    expect(textOf(await one.rest())).toBe('One');
    expect(textOf(await two.rest())).toBe('Two');
  });

  it.each([
    ['before', faults.status(400), ''],
    ['after', faults.cut('Half'), 'Half'],
  ])('ends with an error where the model fails, %s its first token', async (_, script, text) => {
    model.next(script);
    const events = await (await stream('Hello')).rest();
    expect(textOf(events)).toBe(text);
    expect(events.at(-1)?.data).toEqual({ type: 'error', code: 'MODEL_ERROR', message: expect.any(String) });
    await ask('And now?');
  });

  it('the same call again joins the answer', async () => {
    const gate = new AnswerGate();
    model.next({ steps: ['Hel', { hold: gate }, 'lo'] });
    const first = await stream('Hello', { clientMessageId: 'c1' });
    await gate.reached;
    const again = await stream('Hello', { clientMessageId: 'c1' });
    expect(again.headers.get('idempotent-replayed')).toBe('true');
    gate.open();
    expect([textOf(await first.rest()), textOf(await again.rest())]).toEqual(['Hello', 'Hello']);
    expect(model.requests).toHaveLength(1);
  });
});

describe('GET /api/conversations', () => {
  it('lists them as the source shows, newest activity first, filtered and paged', async () => {
    const [a, b] = [await ask('in a', { groupId: 'ga' }), await ask('in b', { groupId: 'gb' })];
    await ask('again in a', { groupId: 'ga' });
    const { conversations, total } = await list(`?userId=${user}`);
    expect(total).toBe(2);
    expect(conversations).toEqual([
      {
        id: a.conversationId,
        userId: user,
        groupId: 'ga',
        messageCount: 4,
        lastMessage: FAKE_ANSWER,
        lastMessageTruncated: false,
        updatedAt: expect.any(Number),
      },
      expect.objectContaining({ id: b.conversationId, groupId: 'gb', messageCount: 2 }),
    ]);
    expect(Math.abs(Date.now() - Number(conversations[0]?.['updatedAt']))).toBeLessThan(60_000);
    expect((await list(`?userId=${user}&groupId=gb`)).conversations).toMatchObject([{ id: b.conversationId }]);
    expect(await list(`?userId=${user}&limit=1&offset=1`)).toMatchObject({
      conversations: [{ id: b.conversationId }],
      total: 2,
    });
    expect((await list('?groupId=gb')).conversations.map(({ userId }) => userId)).toContain(user);
    expect(await list('?userId=nobody-at-all')).toEqual({ conversations: [], total: 0 });
  });

  it('one without a message has null for it', async () => {
    bodyOf(await key.post('/api/v1/chats/', { user_id: user }), 201);
    expect((await list(`?userId=${user}`)).conversations).toMatchObject([
      { groupId: null, messageCount: 0, lastMessage: null },
    ]);
  });

  it.each(['limit=0', 'limit=101', 'offset=-1', 'userId=a%20b', 'groupId=a,b'])('refuses %s', async (query) => {
    const answer = await key.get(`/api/conversations?${query}`);
    expect(refusal(answer)).toEqual(badField(query.split('=')[0] ?? ''));
  });
});

describe('GET /api/conversations/{id}', () => {
  it('gives the newest ones in order of time, and how many there are', async () => {
    const { conversationId } = await ask('one');
    for (const message of ['two', 'three']) await ask(message);
    const { id, messages, total } = await historyOf(conversationId);
    expect([id, total, messages.length]).toEqual([conversationId, 6, 6]);
    expect(messages[0]).toEqual({ role: 'user', content: 'one', timestamp: expect.any(Number) });
    expect(messages[1]).toEqual({
      role: 'assistant',
      content: FAKE_ANSWER,
      timestamp: expect.any(Number),
      finishReason: 'stop',
    });
    const times = messages.map(({ timestamp }) => timestamp);
    expect(times).toEqual([...times].sort((x, y) => x - y));
    expect(await historyOf(conversationId, '?limit=2')).toMatchObject({
      messages: [{ content: 'three' }, { content: FAKE_ANSWER }],
      total: 6,
    });
    expect((await historyOf(conversationId, '?limit=2&offset=4')).messages[0]).toMatchObject({ content: 'one' });
    expect(refusal(await key.get(`${pathOf(conversationId)}?limit=101`))).toEqual(badField('limit'));
  });
});

describe('clear and delete', () => {
  it('clear: the history stays readable, the model no longer sees it', async () => {
    const { conversationId } = await ask('My name is Ada');
    const cleared = await key.post(`${pathOf(conversationId)}/clear`);
    expect([cleared.status, cleared.body]).toEqual([200, { success: true, message: 'Context cleared' }]);
    expect((await ask('What is my name?')).conversationId).toBe(conversationId);
    expect(JSON.stringify((await model.request(2)).body['messages'])).not.toContain('Ada');
    expect((await historyOf(conversationId)).messages[0]).toMatchObject({ content: 'My name is Ada' });
  });

  it('neither is ever enveloped', async () => {
    const { conversationId } = await ask('Hello');
    const headers = { 'X-Response-Format': 'envelope' };
    const cleared = await key.post(`${pathOf(conversationId)}/clear`, undefined, { headers });
    expect(cleared.body).toEqual({ success: true, message: 'Context cleared' });
    const deleted = await key.delete(pathOf(conversationId), { headers });
    expect([deleted.status, deleted.body]).toEqual([200, { success: true }]);
  });

  it('delete: gone, and the next message begins a new one', async () => {
    const { conversationId } = await ask('Hello');
    bodyOf(await key.delete(pathOf(conversationId)));
    expect(refusal(await key.get(pathOf(conversationId)))).toEqual(NOT_FOUND);
    expect(refusal(await key.delete(pathOf(conversationId)))).toEqual(NOT_FOUND);
    expect((await ask('Hello again')).conversationId).not.toBe(conversationId);
  });
});

describe('who may', () => {
  let conversationId: string;
  const calls: [string, (by: Api, id: string) => Promise<Answer>][] = [
    ['GET', (by, id) => by.get(pathOf(id))],
    ['clear', (by, id) => by.post(`${pathOf(id)}/clear`)],
    ['stream', (by, id) => by.get(`${pathOf(id)}/stream`)],
    ['chat', (by, id) => by.post('/api/chat', { message: 'x', userId: user, conversationId: id })],
    ['chat/stream', (by, id) => by.post('/api/chat/stream', { message: 'x', userId: user, conversationId: id })],
    ['DELETE', (by, id) => by.delete(pathOf(id))],
  ];

  beforeEach(async () => {
    ({ conversationId } = await ask('A secret'));
  });

  it.each(calls)("%s: another tenant's, an unknown and a malformed one are not found", async (_, call) => {
    const answers = [await call(other.key, conversationId)];
    for (const id of [NOBODYS, 'x', conversationId.toUpperCase(), conversationId.replace('conv', 'room')])
      answers.push(await call(key, id));
    for (const answer of answers)
      expect([refusal(answer), errorOf(answer).message]).toEqual([NOT_FOUND, 'Conversation not found']);
  });

  it("another user's is 403, with X-User-Id, with a token and with another userId in the body", async () => {
    const callers = [tenant.as('bob'), bearer(app.anonymous, (await mintToken(key, 'bob')).token)];
    for (const by of callers) {
      for (const [name, call] of calls)
        expect([name, refusal(await call(by, conversationId))]).toEqual([name, FORBIDDEN]);
      expect(refusal(await post('x', { userId: 'alice' }, by))).toEqual(FORBIDDEN);
      expect(refusal(await by.get('/api/conversations?userId=alice'))).toEqual(FORBIDDEN);
    }
    expect(refusal(await post('x', { userId: 'bob', conversationId }))).toEqual(FORBIDDEN);
  });

  it('their own user may, and lists show only what is theirs', async () => {
    const token = bearer(app.anonymous, (await mintToken(key, user)).token);
    for (const by of [tenant.as(user), token]) {
      expect((await historyOf(conversationId, '', by)).id).toBe(conversationId);
      expect((await ask('More', {}, by)).conversationId).toBe(conversationId);
      const { conversations } = await list('', by);
      expect(new Set(conversations.map(({ userId }) => userId))).toEqual(new Set([user]));
    }
    expect((await list('')).conversations.length).toBeGreaterThan(1);
    expect((await list('', other.key)).total).toBe(0);
  });

  it.each(calls)('%s: nobody without a credential', async (_, call) => {
    expect(refusal(await call(app.anonymous, conversationId))).toEqual({ status: 401, code: 'AUTHENTICATION_ERROR' });
  });
});

it('more than the minute allows is RATE_LIMITED here, RATE_LIMIT_EXCEEDED on the AI chats API', async () => {
  const limited = await app.tenant({ ai_requests_per_minute: 3 });
  const answers = [];
  // Two windows at most: the minute may turn meanwhile.
  for (let i = 0; i < 8; i++) answers.push(await limited.key.get('/api/conversations'));
  const refused = answers.find(({ status }) => status === 429);
  if (refused === undefined) throw new Error('nothing was refused');
  expect(errorOf(refused)).toMatchObject({
    code: 'RATE_LIMITED',
    message: expect.stringMatching(/^Rate limit exceeded/),
  });
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
  for (;;) {
    const answer = await limited.key.get('/api/v1/chats/user/alice');
    if (answer.status === 429) {
      expect(errorOf(answer).code).toBe('RATE_LIMIT_EXCEEDED');
      break;
    }
  }
});
