import type { TestApp, TestTenant } from '../support/app';
import {
  ask,
  type ChatBody,
  type ChatMessageBody,
  chatPath,
  createChat,
  FAKE_ANSWER,
  FAKE_USAGE,
  messagesOf,
  rejoin,
  say,
  sayStreaming,
  startChatApp,
  type TurnBody,
  type WithModel,
} from '../support/chats/http';
import { textOf } from '../support/chats/sse';
import { faults, AnswerGate, type ProviderServer } from '../support/fake-model';
import { type Api, errorOf } from '../support/http/api';
import { until } from '../support/poll';
import { badField, bodyOf, objectOfBytes, refusal } from '../support/rooms';
import { emojis } from '../support/unicode';

const MESSAGE_ID = /^msg_[0-9a-f]{32}$/;
const TIME = /^\d{4}-\d\d-\d\dT[\d:.]+Z$/;
/** The index of an answer's last event: beyond that of any token. */
const END = 2_147_483_647;

let app: WithModel<TestApp>;
let model: ProviderServer;
let tenant: TestTenant;
let key: Api;
let chat: ChatBody;

beforeAll(async () => {
  app = await startChatApp();
  ({ model } = app);
  tenant = await app.tenant();
  ({ key } = tenant);
});
afterAll(() => app.close());
beforeEach(async () => {
  model.reset();
  chat = await createChat(key);
});

describe('a message over plain REST', () => {
  it('is answered 200 with the message and its answer', async () => {
    const { message, answer } = await ask(key, chat.id, { content: 'Hello', metadata: { from: 'web' } });
    expect(message).toEqual({
      id: expect.stringMatching(MESSAGE_ID),
      chat_id: chat.id,
      content: 'Hello',
      sender_role: 'user',
      seq: 1,
      metadata: { from: 'web' },
      status: 'completed',
      created_at: expect.stringMatching(TIME),
    });
    expect(answer).toEqual({
      id: expect.stringMatching(MESSAGE_ID),
      chat_id: chat.id,
      finish_reason: 'stop',
      content: FAKE_ANSWER,
      sender_role: 'assistant',
      seq: 2,
      reply_to_seq: 1,
      metadata: { channel: 'environment', model: expect.any(String) },
      status: 'completed',
      usage: FAKE_USAGE,
      created_at: expect.stringMatching(TIME),
    });
    expect(await messagesOf(key, chat.id)).toEqual([message, answer]);
  });

  it('reaches the model with what was said before', async () => {
    await ask(key, chat.id, 'My name is Ada');
    await ask(key, chat.id, 'What is my name?');
    const { messages } = (await model.request(2)).body as { messages: { role: string; content: string }[] };
    expect(messages.filter(({ role }) => role !== 'system')).toEqual([
      { role: 'user', content: 'My name is Ada' },
      { role: 'assistant', content: FAKE_ANSWER },
      { role: 'user', content: 'What is my name?' },
    ]);
  });

  it('changes the chat: last message, and a title from the first one', async () => {
    await ask(key, chat.id, 'How do I reset my password?');
    const now = await until(
      async () => bodyOf(await key.get<ChatBody>(chatPath(chat.id))),
      ({ title }) => title !== chat.title,
    );
    expect(now.title).toContain('reset my password');
    expect(Date.parse(now.last_message_at ?? '')).not.toBeNaN();
  });

  it('says that the usage was counted here where the model reports none', async () => {
    model.next({ usage: null });
    const { answer } = await ask(key, chat.id);
    expect(answer.usage).toMatchObject({ estimated: true, total_tokens: expect.any(Number) });
  });

  it.each<[string, unknown, string]>([
    ['no content', {}, 'content'],
    ['an empty one', { content: '' }, 'content'],
    ['32,769 characters', { content: 'x'.repeat(32_769) }, 'content'],
    ['100 KB', { content: 'x'.repeat(100 * 1024) }, 'content'],
    ['a number', { content: 5 }, 'content'],
    ['metadata over 16 KB', { content: 'x', metadata: objectOfBytes(16 * 1024 + 1) }, 'metadata'],
    ['metadata as text', { content: 'x', metadata: '{}' }, 'metadata'],
    ['a client_message_id of 65 characters', { content: 'x', client_message_id: 'c'.repeat(65) }, 'client_message_id'],
    ['an empty client_message_id', { content: 'x', client_message_id: '' }, 'client_message_id'],
    ['a stream that is no boolean', { content: 'x', stream: 'true' }, 'stream'],
    ['an unknown field', { content: 'x', role: 'system' }, 'role'],
  ])('refuses %s, and stores nothing', async (_, body, field) => {
    expect(refusal(await say(key, chat.id, body as object))).toEqual(badField(field));
    expect(await messagesOf(key, chat.id)).toEqual([]);
  });

  it('refuses more than 256 KB with 413, and what cannot be stored with 400', async () => {
    const path = `${chatPath(chat.id)}/messages`;
    const raw = async (text: string, type = 'application/json') =>
      refusal(await key.post(path, undefined, { raw: text, headers: { 'content-type': type } }));
    expect(await raw(JSON.stringify({ content: 'x'.repeat(256 * 1024) }))).toMatchObject({ status: 413 });
    expect(await raw('{"content":"a\\u0000b"}')).toEqual(badField('content'));
    expect(await raw('{"content":"\\ud800"}')).toEqual(badField('content'));
    for (const body of ['['.repeat(10_240), '{"content":"x","__proto__":{"a":1}}', 'null', '[]', '{'])
      expect(await raw(body)).toMatchObject({ status: 400, code: 'VALIDATION_ERROR' });
    expect(await raw('{"content":"x"}', 'text/plain')).toMatchObject({ status: 415 });
    expect(await messagesOf(key, chat.id)).toEqual([]);
  });

  it('takes 32,768 characters of four bytes and 16 KB of metadata, byte for byte', async () => {
    const body = { content: emojis(32_768), metadata: objectOfBytes(16 * 1024), client_message_id: 'c'.repeat(64) };
    const { message } = await ask(key, chat.id, body);
    expect([message.content === body.content, message.metadata]).toEqual([true, body.metadata]);
  });
});

describe('a repeat', () => {
  it('with its client_message_id stores nothing again and gets the same answer', async () => {
    const body = { content: 'Hello', client_message_id: 'c1' };
    const first = await ask(key, chat.id, body);
    const again = await say(key, chat.id, body);
    expect([again.status, again.body]).toEqual([200, first]);
    expect(again.headers.get('idempotent-replayed')).toBe('true');
    expect(model.requests).toHaveLength(1);
    expect(refusal(await say(key, chat.id, { ...body, content: 'Other' }))).toMatchObject({
      status: 422,
      code: 'IDEMPOTENCY_MISMATCH',
    });
  });

  it('with its Idempotency-Key too', async () => {
    const first = bodyOf(await say(key, chat.id, 'Hello', 'k1'));
    const again = await say(key, chat.id, 'Hello', 'k1');
    expect([again.status, again.body]).toEqual([200, first]);
    expect(again.headers.get('idempotent-replayed')).toBe('true');
    expect(refusal(await say(key, chat.id, 'Other', 'k1'))).toMatchObject({ status: 422 });
    expect(await messagesOf(key, chat.id)).toHaveLength(2);
  });

  it('while the answer is written joins it: both get the same one', async () => {
    const gate = new AnswerGate();
    model.next({ steps: ['Hel', { hold: gate }, 'lo'] });
    const body = { content: 'Hello', client_message_id: 'c2' };
    const first = say(key, chat.id, body);
    await gate.reached;
    const again = sayStreaming(key, chat.id, body);
    const stream = await again;
    expect(stream.headers.get('idempotent-replayed')).toBe('true');
    gate.open();
    const text = textOf(await stream.rest());
    expect([text, bodyOf(await first).answer.content]).toEqual(['Hello', 'Hello']);
    expect(model.requests).toHaveLength(1);
  });

  it('after a failure answers without storing the message again', async () => {
    model.next(faults.status(500), faults.status(500), faults.status(500));
    const body = { content: 'Hello', client_message_id: 'c3' };
    const failed = await say(key, chat.id, body);
    expect(refusal(failed)).toMatchObject({ status: 502, code: 'MODEL_ERROR' });
    model.reset();
    const { message, answer } = await ask(key, chat.id, body);
    expect([message.seq, answer.content]).toEqual([1, FAKE_ANSWER]);
    const users = (await messagesOf(key, chat.id)).filter(({ sender_role }) => sender_role === 'user');
    expect(users).toHaveLength(1);
  });
});

describe('an answer that ends badly', () => {
  it('before its first token is 502 with what is needed to try again; it is stored as failed', async () => {
    model.otherwise = faults.status(500);
    const answer = await say(key, chat.id, 'Hello');
    expect(refusal(answer)).toEqual({ status: 502, code: 'MODEL_ERROR' });
    const { details } = errorOf(answer);
    expect(details).toEqual({
      message_id: expect.stringMatching(MESSAGE_ID),
      chat_id: chat.id,
      hint: expect.any(String),
      reason: 'provider',
      provider_message: 'fault 500',
    });
    const stored = (await messagesOf(key, chat.id)).at(-1);
    expect(stored).toMatchObject({ id: details?.['message_id'], status: 'failed', sender_role: 'assistant' });
  });

  it('after its first token is an answer, with the text so far', async () => {
    model.next(faults.cut('Half an ', 'answer'));
    const { answer } = await ask(key, chat.id);
    expect(answer).toMatchObject({ status: 'interrupted', content: 'Half an answer' });
  });

  it('in a stream is an error, and the last event', async () => {
    model.next(faults.cut('Half an ', 'answer'));
    const events = await (await sayStreaming(key, chat.id, 'Hello')).rest();
    expect(textOf(events)).toBe('Half an answer');
    expect(events.at(-1)?.data).toMatchObject({
      event_type: 'error',
      error_code: 'MODEL_ERROR',
      error_message: expect.any(String),
      details: { chat_id: chat.id, message_id: expect.any(String), hint: expect.any(String), status: 'interrupted' },
    });
  });
});

describe('a message with a streamed answer', () => {
  it.each<[string, object, Record<string, string>]>([
    ['the body', { content: 'Hello', stream: true }, {}],
    ['Accept', { content: 'Hello', stream: undefined }, { accept: 'text/event-stream' }],
  ])('asked for by %s has the events of the socket, in order', async (_, body, headers) => {
    const stream = await sayStreaming(key, chat.id, body, { headers });
    expect(stream.status).toBe(200);
    const events = await stream.rest();
    const [received, started, ...rest] = events.map(({ data }) => data);
    const ended = rest.pop();
    const at = { timestamp: expect.stringMatching(TIME), chat_id: chat.id };
    expect(received).toEqual({
      event_type: 'message_received',
      ...at,
      message_id: expect.stringMatching(MESSAGE_ID),
      seq: 1,
      content: 'Hello',
    });
    const ofRun = { ...at, message_id: started?.['message_id'] };
    expect(started).toEqual({ event_type: 'message_stream_started', ...ofRun, after_index: -1 });
    for (const token of rest)
      expect(token).toEqual({
        event_type: 'message_stream_token',
        ...ofRun,
        token: expect.any(String),
        index: expect.any(Number),
      });
    expect(rest.map((token) => token['token']).join('')).toBe(FAKE_ANSWER);
    expect(ended).toEqual({
      event_type: 'message_stream_ended',
      ...ofRun,
      seq: 2,
      content: FAKE_ANSWER,
      status: 'completed',
      usage: FAKE_USAGE,
      finish_reason: 'stop',
    });
    const ids = events.map(({ id }) => id ?? '');
    expect(ids.every((id) => id.startsWith(`${String(ofRun.message_id)}:`))).toBe(true);
    expect([ids[0], ids[1], ids.at(-1)]).toEqual([-1, -1, END].map((index) => `${String(ofRun.message_id)}:${index}`));
  });

  it('has every header that other answers have, and those of a stream', async () => {
    const origin = { origin: 'https://app.example.com', 'x-request-id': 'my-request' };
    const limited = await app.tenant();
    const theirs = await createChat(limited.key);
    await app.master.patch(`/admin/tenants/${limited.tenantId}`, { limits: { ai_requests_per_minute: 77 } });
    const limit = async () => {
      const stream = await sayStreaming(limited.key, theirs.id, 'Hello', { headers: origin });
      await stream.rest();
      return stream.headers;
    };
    const headers = await until(limit, (seen) => seen.get('x-ratelimit-limit') === '77');
    expect(Object.fromEntries(headers)).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache, no-transform',
      'x-accel-buffering': 'no',
      'x-request-id': 'my-request',
      'x-ratelimit-remaining': expect.any(String),
      'x-ratelimit-reset': expect.any(String),
      'access-control-allow-origin': '*',
      'access-control-expose-headers': expect.stringContaining('X-Request-Id'),
    });
  });

  it('what the body says counts before the header', async () => {
    const answer = await key.post<TurnBody>(
      `${chatPath(chat.id)}/messages`,
      { content: 'Hello', stream: false },
      { headers: { accept: 'text/event-stream' } },
    );
    expect(bodyOf(answer).answer.content).toBe(FAKE_ANSWER);
  });

  it('what is refused before the message is stored is an ordinary error', async () => {
    const refused = await sayStreaming(key, chat.id, { content: '' });
    expect([refused.status, refused.json]).toMatchObject([400, { error: { code: 'VALIDATION_ERROR' } }]);
    const unknown = await sayStreaming(key, '01900000-0000-7000-8000-0000ffffffff', 'x');
    expect([unknown.status, unknown.json]).toMatchObject([404, { error: { code: 'NOT_FOUND' } }]);
  });

  it('opens at once and waits while another answer is written: the log reads u1 u2 a1 a2', async () => {
    const gate = new AnswerGate();
    model.next({ steps: ['One', { hold: gate }] }, { steps: ['Two'] });
    const one = sayStreaming(key, chat.id, 'First');
    await gate.reached;
    const two = await sayStreaming(key, chat.id, 'Second');
    expect((await two.next())?.data).toMatchObject({ event_type: 'message_received', content: 'Second' });
    gate.open();
    await (await one).rest();
    expect(textOf(await two.rest())).toBe('Two');
    expect((await messagesOf(key, chat.id)).map(({ content }) => content)).toEqual(['First', 'Second', 'One', 'Two']);
  });

  it("the reader's leaving stops nothing", async () => {
    const gate = new AnswerGate();
    model.next({ steps: ['Hel', { hold: gate }, 'lo'] });
    const stream = await sayStreaming(key, chat.id, 'Hello');
    await stream.take(3);
    stream.cut();
    await gate.reached;
    gate.open();
    const messages = await until(
      () => messagesOf(key, chat.id),
      (all) => all.length === 2,
    );
    expect(messages[1]).toMatchObject({ content: 'Hello', status: 'completed' });
    expect(await (await model.request(1)).closed).toBe('whole');
  });

  it("neither does a caller's who waits over plain REST", async () => {
    const gate = new AnswerGate();
    model.next({ steps: ['Hel', { hold: gate }, 'lo'] });
    const leaving = new AbortController();
    const call = fetch(`${app.url}${chatPath(chat.id)}/messages`, {
      method: 'POST',
      headers: { ...key.headers, 'content-type': 'application/json' },
      body: JSON.stringify({ content: 'Hello' }),
      signal: leaving.signal,
    });
    await gate.reached;
    leaving.abort();
    await expect(call).rejects.toThrow();
    gate.open();
    const messages = await until(
      () => messagesOf(key, chat.id),
      (all) => all.length === 2,
    );
    expect(messages[1]).toMatchObject({ content: 'Hello', status: 'completed' });
  });
});

describe('stop', () => {
  it('keeps the text so far; whoever waits gets it, as cancelled', async () => {
    const gate = new AnswerGate();
    model.next({ steps: ['So ', 'far', { hold: gate }, ' and no further'] });
    const stream = await sayStreaming(key, chat.id, { content: 'Hello', client_message_id: 's1' });
    const waiting = say(key, chat.id, { content: 'Hello', client_message_id: 's1' });
    await gate.reached;
    for (let text = ''; text !== 'So far';) {
      const event = await stream.next();
      if (event === undefined) throw new Error(`it ended at ${text}`);
      text += textOf([event]);
    }
    const { answers } = bodyOf(await key.post<{ answers: ChatMessageBody[] }>(`${chatPath(chat.id)}/stop`));
    expect(answers).toMatchObject([{ content: 'So far', status: 'cancelled', seq: 2, reply_to_seq: 1 }]);
    expect((await stream.rest()).at(-1)?.data).toMatchObject({
      event_type: 'message_stream_ended',
      status: 'cancelled',
      content: 'So far',
    });
    expect(bodyOf(await waiting).answer).toMatchObject({ status: 'cancelled', content: 'So far' });
    expect(await (await model.request(1)).closed).toBe('early');
    gate.open();
  });

  it('with nothing to stop answers 200 with none', async () => {
    expect(bodyOf(await key.post(`${chatPath(chat.id)}/stop`))).toEqual({ answers: [] });
  });
});

describe('GET /{chat_id}/messages', () => {
  it('lists from the first on, 50 a page; desc the newest first', async () => {
    for (const content of ['one', 'two', 'three']) await ask(key, chat.id, content);
    const list = async (query = '') =>
      bodyOf(
        await key.get<{ messages: ChatMessageBody[]; total: number; has_more: boolean }>(
          `${chatPath(chat.id)}/messages${query}`,
        ),
      );
    const { messages, ...page } = await list();
    expect(messages.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(page).toEqual({ total: 6, offset: 0, limit: 50, has_more: false });
    expect((await list('?order=asc&limit=2&offset=1')).messages.map(({ seq }) => seq)).toEqual([2, 3]);
    expect(await list('?order=asc&limit=2&offset=1')).toMatchObject({ total: 6, offset: 1, limit: 2, has_more: true });
    expect((await list('?order=desc&limit=2')).messages.map(({ seq }) => seq)).toEqual([6, 5]);
    for (const query of ['limit=0', 'limit=101', 'offset=-1', 'order=x'])
      expect(refusal(await key.get(`${chatPath(chat.id)}/messages?${query}`))).toEqual(
        badField(query.split('=')[0] ?? ''),
      );
  });
});

describe('GET /{chat_id}/stream', () => {
  it('answers 204 while nothing is answered, and 400 for an id that is none', async () => {
    expect((await rejoin(key, chat.id)).status).toBe(204);
    await ask(key, chat.id);
    expect((await rejoin(key, chat.id)).status).toBe(204);
    const unknown = `msg_${'0'.repeat(32)}:3`;
    expect((await rejoin(key, chat.id, unknown)).status).toBe(204);
    const refused = await rejoin(key, chat.id, 'x');
    expect([refused.status, refused.json]).toMatchObject([400, { error: { field: 'Last-Event-ID' } }]);
    const inQuery = await key.get(`${chatPath(chat.id)}/stream?last_event_id=x`);
    expect(refusal(inQuery)).toEqual(badField('last_event_id'));
  });

  it('joins what is answered now from its beginning', async () => {
    const gate = new AnswerGate();
    model.next({ steps: ['Hel', { hold: gate }, 'lo'] });
    const first = say(key, chat.id, 'Hello');
    await gate.reached;
    const stream = await rejoin(key, chat.id);
    expect((await stream.next())?.data).toMatchObject({ event_type: 'message_stream_started', after_index: -1 });
    gate.open();
    expect(textOf(await stream.rest())).toBe('Hello');
    await first;
  });
});
