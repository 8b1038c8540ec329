import { startTestApp, type TestApp, type TestTenant } from '../support/app';
import {
  ask,
  chatPath,
  conversationIdOf,
  createChat,
  FAKE_ANSWER,
  messagesOf,
  rejoin,
  roomIdOf,
  say,
  sayStreaming,
  startChatApp,
  type WithModel,
} from '../support/chats/http';
import { textOf } from '../support/chats/sse';
import { faults, AnswerGate, type ProviderServer } from '../support/fake-model';
import { errorOf } from '../support/http/api';
import type { MessageBody } from '../support/messages';
import { until } from '../support/poll';
import { bodyOf, refusal } from '../support/rooms';

describe('one chat behind three doors', () => {
  let app: WithModel<TestApp>;
  let model: ProviderServer;
  let tenant: TestTenant;

  beforeAll(async () => {
    app = await startChatApp();
    ({ model } = app);
    tenant = await app.tenant();
  });
  afterAll(() => app.close());

  it('what is said through each is one log, under one id on all', async () => {
    const { key } = tenant;
    const alice = tenant.as('alice');
    const chat = await createChat(key);
    await ask(key, chat.id, 'through the AI chats API');
    const conversationId = conversationIdOf(chat.id);
    bodyOf(await key.post('/api/chat', { message: 'through the Conversations API', userId: 'alice', conversationId }));
    bodyOf(await alice.post(`/rooms/${roomIdOf(chat.id)}/messages`, { content: 'through the Rooms API' }), 201);
    const messages = await until(
      () => messagesOf(key, chat.id),
      (all) => all.length === 6,
    );
    expect(messages.map(({ seq, sender_role, content }) => [seq, sender_role, content])).toEqual([
      [1, 'user', 'through the AI chats API'],
      [2, 'assistant', FAKE_ANSWER],
      [3, 'user', 'through the Conversations API'],
      [4, 'assistant', FAKE_ANSWER],
      [5, 'user', 'through the Rooms API'],
      [6, 'assistant', FAKE_ANSWER],
    ]);
    const inRoom = bodyOf(await alice.get<MessageBody[]>(`/rooms/${roomIdOf(chat.id)}/messages`));
    expect(inRoom.map(({ message_id, seq, content }) => [message_id, seq, content])).toEqual(
      messages.map(({ id, seq, content }) => [id, seq, content]),
    );
    expect(inRoom.map(({ sender_id }) => sender_id).slice(0, 2)).toEqual(['alice', 'agent_default']);
    const history = bodyOf(
      await key.get<{ data: { messages: { role: string; content: string }[]; total: number } }>(
        `/api/conversations/${conversationId}`,
      ),
    ).data;
    expect(history.total).toBe(6);
    expect(history.messages.map(({ role, content }) => [role, content])).toEqual(
      messages.map(({ sender_role, content }) => [sender_role, content]),
    );
  });

  it('a chat of the Conversations API is one of the AI chats API, and the other way round', async () => {
    const { key } = tenant;
    const { data } = bodyOf(
      await key.post<{ data: { conversationId: string } }>('/api/chat', { message: 'Hi', userId: 'bob', groupId: 'g' }),
    );
    const id = data.conversationId.slice(5).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
    expect(bodyOf(await key.get(chatPath(id)))).toMatchObject({ id, user_id: 'bob' });
    bodyOf(await key.delete(chatPath(id)));
    expect(refusal(await key.get(`/api/conversations/${data.conversationId}`))).toMatchObject({ status: 404 });
  });

  it('an answer that begins through one is joined, and stopped, through another', async () => {
    const { key } = tenant;
    const chat = await createChat(key);
    const gate = new AnswerGate();
    model.next({ steps: ['So far', { hold: gate }, ' and on'] });
    const calling = key.post<{ data: { response: string } }>('/api/chat', {
      message: 'Hello',
      userId: 'alice',
      conversationId: conversationIdOf(chat.id),
    });
    await gate.reached;
    const stream = await rejoin(key, chat.id);
    const begun = await stream.take(2);
    expect(textOf(begun)).toBe('So far');
    bodyOf(await key.post(`${chatPath(chat.id)}/stop`));
    gate.open();
    expect((await stream.rest()).at(-1)?.data).toMatchObject({ status: 'cancelled', content: 'So far' });
    expect(bodyOf(await calling).data.response).toBe('So far');
  });

  it('deleting a chat ends its streams, and whoever waits', async () => {
    const { key } = tenant;
    const chat = await createChat(key);
    const gate = new AnswerGate();
    model.next({ steps: ['a', { hold: gate }] });
    const body = { content: 'Hello', client_message_id: 'c1' };
    const stream = await sayStreaming(key, chat.id, body);
    const waiting = say(key, chat.id, body);
    await gate.reached;
    bodyOf(await key.delete(chatPath(chat.id)));
    gate.open();
    const events = await stream.rest();
    expect(events.at(-1)?.data).toMatchObject({ event_type: 'error', error_code: 'NOT_FOUND' });
    expect(refusal(await waiting)).toEqual({ status: 404, code: 'NOT_FOUND' });
    expect((await rejoin(key, chat.id, events[0]?.id)).status).toBe(404);
  });
});

describe('without a model', () => {
  let app: TestApp;

  beforeAll(async () => {
    app = await startTestApp();
  });
  afterAll(() => app.close());

  it('the echo answers, and says so', async () => {
    const { key } = await app.tenant();
    const chat = await createChat(key);
    const { answer } = await ask(key, chat.id, 'Hello there');
    expect(answer.content).toContain('No model is configured');
    expect(answer.content).toContain('Hello there');
    expect(answer.usage).toMatchObject({ estimated: true });
  });

  it('A13: channels that cannot answer are 503 on both doors; nothing is stored, no conversation is made', async () => {
    const { key } = await app.tenant();
    const channel = { name: 'off', provider: 'openai-compatible', baseUrl: 'https://example.com/v1', apiKey: 'k' };
    bodyOf(await key.post('/api/channels', { ...channel, model: 'm', enabled: false }), 201);
    const chat = await createChat(key);
    const body = { message: 'Hello', userId: 'bob' };
    for (const answer of [
      await say(key, chat.id, 'Hello'),
      await key.post(`${chatPath(chat.id)}/messages`, { content: 'Hello', stream: true }),
      await key.post('/api/chat', body),
      await key.post('/api/chat/stream', body),
    ]) {
      expect(refusal(answer)).toEqual({ status: 503, code: 'CHANNEL_UNAVAILABLE' });
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    }
    expect(await messagesOf(key, chat.id)).toEqual([]);
    const list = await key.get<{ data: { total: number } }>('/api/conversations?userId=bob');
    expect(bodyOf(list).data.total).toBe(0);
  });
});

describe('while the server stops', () => {
  it('streams end without their last event, waiting callers are told to ask again, and the answer is stored', async () => {
    const app = await startChatApp({ SHUTDOWN_GRACE_MS: '200' });
    const { model } = app;
    const { key } = await app.tenant();
    const [streamed, waited] = [await createChat(key), await createChat(key)];
    const gate = new AnswerGate();
    model.otherwise = { steps: ['So far', { hold: gate }] };
    const stream = await sayStreaming(key, streamed.id, 'Hello');
    await stream.take(3);
    const waiting = say(key, waited.id, { content: 'Hello', client_message_id: 'c1' });
    await until(
      () => Promise.resolve(model.requests.length),
      (n) => n === 2,
    );
    const closing = app.close();
    expect(await stream.rest()).toEqual([]);
    const refused = await waiting;
    expect(refusal(refused)).toEqual({ status: 503, code: 'SERVICE_UNAVAILABLE' });
    expect(errorOf(refused).details).toEqual({ hint: expect.any(String), outcome: 'unknown' });
    expect(refused.headers.get('retry-after')).not.toBeNull();
    gate.open();
    await closing;
  });

  it('an answer that ends in time still gets out', async () => {
    const app = await startChatApp();
    const { model } = app;
    const { key } = await app.tenant();
    const chat = await createChat(key);
    const gate = new AnswerGate();
    model.next({ steps: ['In ', { hold: gate }, 'time'] }, faults.status(500));
    const waiting = ask(key, chat.id, 'Hello');
    await gate.reached;
    const closing = app.close();
    gate.open();
    expect((await waiting).answer).toMatchObject({ content: 'In time', status: 'completed' });
    await closing;
  });
});
