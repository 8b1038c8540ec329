import type { TestTenant } from '../support/app';
import {
  ask,
  type ChatBody,
  chatPath,
  createChat,
  messagesOf,
  roomIdOf,
  say,
  type TurnBody,
  withModel,
  type WithModel,
} from '../support/chats/http';
import { SseClient, textOf } from '../support/chats/sse';
import { AnswerGate, type ProviderServer } from '../support/fake-model';
import { type Api, errorOf } from '../support/http/api';
import { listAll } from '../support/messages';
import { until } from '../support/poll';
import { badField, bodyOf, refusal } from '../support/rooms';
import { checkFrame } from '../support/ws/asyncapi';
import { type SocketApp, startSocketApp } from '../support/ws/socket-app';

let app: WithModel<SocketApp>;
let model: ProviderServer;

beforeAll(async () => {
  app = await withModel((env) => startSocketApp({ env }));
  ({ model } = app);
});
afterAll(() => app.close());
beforeEach(() => model.reset());

const UNLIMITED = { requests_per_second: null, ai_requests_per_minute: null };

/** A chat whose first answer is being written: it waits at the gate after "One". */
async function answering(tenant: TestTenant) {
  const chat = await createChat(tenant.key);
  const gate = new AnswerGate();
  model.next({ steps: ['One', { hold: gate }, ' two'] });
  const first = say(tenant.key, chat.id, 'first');
  await gate.reached;
  return { chat, gate, first };
}

async function contents(tenant: TestTenant, chat: ChatBody): Promise<[string, string][]> {
  return (await messagesOf(tenant.key, chat.id)).map(({ content, status }) => [content, status]);
}

describe('a message while another is answered', () => {
  it('waits its turn (queue): the log reads u1 u2 a1 a2, the model sees u1 a1 u2', async () => {
    const tenant = await app.tenant(UNLIMITED);
    const { chat, gate, first } = await answering(tenant);
    const second = say(tenant.key, chat.id, 'second');
    await until(
      () => contents(tenant, chat),
      (all) => all.length === 2,
    );
    gate.open();
    await Promise.all([first, second]);
    const said = (await contents(tenant, chat)).map(([content]) => content);
    expect(said).toEqual(['first', 'second', 'One two', 'Hello from the fake model.']);
    expect(model.requests.at(-1)?.body['messages']).toEqual([
      { role: 'system', content: expect.any(String) },
      { role: 'user', content: 'first' },
      { role: 'assistant', content: 'One two' },
      { role: 'user', content: 'second' },
    ]);
  });

  it('is refused and not stored (reject), and of many at once one is taken', async () => {
    const tenant = await app.tenant(UNLIMITED, { while_answering: 'reject' });
    const { chat, gate, first } = await answering(tenant);
    expect(refusal(await say(tenant.key, chat.id, 'second'))).toEqual({ status: 409, code: 'CONFLICT' });
    gate.open();
    bodyOf(await first);
    const many = await Promise.all(Array.from({ length: 8 }, (_, n) => say(tenant.key, chat.id, `${n}`)));
    expect(many.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(many.filter(({ status }) => status === 409)).toHaveLength(7);
    expect(await contents(tenant, chat)).toHaveLength(4);
  });

  it('is refused (reject) at every door alike, and leaves its Idempotency-Key free', async () => {
    const tenant = await app.tenant(UNLIMITED, { while_answering: 'reject' });
    const { chat, gate, first } = await answering(tenant);
    const refused = { status: 409, code: 'CONFLICT' };
    const inRoom = await tenant.as('alice').post(`/rooms/${roomIdOf(chat.id)}/messages`, { content: 'second' });
    expect(refusal(inRoom)).toEqual(refused);
    const byKey = await say(tenant.key, chat.id, 'second', 'key');
    expect(refusal(byKey)).toEqual(refused);
    expect(errorOf(inRoom).message).toBe(errorOf(byKey).message);
    expect(await contents(tenant, chat)).toHaveLength(1);
    gate.open();
    bodyOf(await first);
    bodyOf(await say(tenant.key, chat.id, 'another', 'key'));
    expect(await contents(tenant, chat)).toHaveLength(4);
  });

  it('a repeat of what is being answered is no new message, whatever the mode', async () => {
    const tenant = await app.tenant(UNLIMITED, { while_answering: 'reject' });
    const chat = await createChat(tenant.key);
    const gate = new AnswerGate();
    model.next({ steps: ['One', { hold: gate }, ' two'] });
    const body = { content: 'first', client_message_id: 'c1' };
    const first = say(tenant.key, chat.id, body);
    await gate.reached;
    const again = say(tenant.key, chat.id, body);
    gate.open();
    const [one, two] = [bodyOf<TurnBody>(await first), bodyOf<TurnBody>(await again)];
    expect(two.answer).toEqual(one.answer);
    expect(await contents(tenant, chat)).toHaveLength(2);
  });

  it('ends the other answer (interrupt), whose text is kept', async () => {
    const tenant = await app.tenant(UNLIMITED, { while_answering: 'interrupt' });
    const { chat, first } = await answering(tenant);
    const { answer } = await ask(tenant.key, chat.id, 'second');
    expect(bodyOf(await first).answer).toMatchObject({ content: 'One', status: 'cancelled', reply_to_seq: 1 });
    expect(answer).toMatchObject({ status: 'completed', reply_to_seq: 2 });
    expect(await (await model.request(1)).closed).toBe('early');
  });
});

describe('budgets of tokens', () => {
  it('are spent by answers: then 429 QUOTA_EXCEEDED until midnight, and nothing is stored', async () => {
    const tenant = await app.tenant({ ...UNLIMITED, tokens_per_day: 17 });
    const chat = await createChat(tenant.key);
    await ask(tenant.key, chat.id, { content: 'first', client_message_id: 'c1' });
    const refused = await say(tenant.key, chat.id, 'second');
    expect(refusal(refused)).toEqual({ status: 429, code: 'QUOTA_EXCEEDED' });
    expect(errorOf(refused).details).toMatchObject({ limit: 'tokens_per_day' });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await contents(tenant, chat)).toHaveLength(2);
    // What was answered stays answered.
    bodyOf(await say(tenant.key, chat.id, { content: 'first', client_message_id: 'c1' }));
  });

  it('hold per user as well, and on every door', async () => {
    const tenant = await app.tenant({ ...UNLIMITED, tokens_per_user_per_day: 17 });
    const [alices, bobs] = [await createChat(tenant.key, 'alice'), await createChat(tenant.key, 'bob')];
    await ask(tenant.key, alices.id);
    expect(refusal(await say(tenant.key, alices.id, 'more'))).toEqual({ status: 429, code: 'QUOTA_EXCEEDED' });
    const inRoom = await tenant.as('alice').post(`/rooms/${roomIdOf(alices.id)}/messages`, { content: 'more' });
    expect(refusal(inRoom)).toEqual({ status: 429, code: 'QUOTA_EXCEEDED' });
    const spoken = await tenant.key.post('/api/chat', { message: 'more', userId: 'alice' });
    expect(refusal(spoken)).toEqual({ status: 429, code: 'QUOTA_EXCEEDED' });
    await ask(tenant.key, bobs.id);
  });
});

describe('a chat on the Rooms API', () => {
  it('is a room in which a message is answered, and its owner sees the answer come on /ws', async () => {
    const tenant = await app.tenant(UNLIMITED);
    const chat = await createChat(tenant.key);
    const room_id = roomIdOf(chat.id);
    const alice = await app.open(tenant, 'alice');
    await alice.frame((frame) => frame.type === 'sync.complete' && frame['room_id'] === room_id);
    alice.send({ type: 'send_message', request_id: 'r', room_id, content: 'Hello', client_message_id: 'c' });
    const answer = await alice.frame((frame) => frame.type === 'message' && frame['seq'] === 2);
    expect(answer).toMatchObject({ sender_id: 'agent_default', content: 'Hello from the fake model.' });
    const { message_id } = answer;
    const seen = alice.frames.filter((frame) => frame['message_id'] === message_id);
    expect(seen.map(({ type }) => type).filter((type) => type !== 'message.stream.delta')).toEqual([
      'message.stream.start',
      'message.stream.end',
      'message',
    ]);
    const deltas = seen.filter(({ type }) => type === 'message.stream.delta');
    expect(deltas.map((frame) => frame['text']).join('')).toBe('Hello from the fake model.');
    for (const frame of alice.frames) checkFrame(frame, 'server');
    await alice.close();
    // Its title is made after the answer.
    const { rooms } = await until(
      async () => bodyOf<{ rooms: { name: string }[] }>(await tenant.as('alice').get('/rooms')),
      (found) => found.rooms[0]?.name === 'Hello',
    );
    expect(rooms).toMatchObject([{ room_id, type: 'ai', last_seq: 2, unread_count: 1 }]);
  });

  it('tells of an answer that failed', async () => {
    const tenant = await app.tenant(UNLIMITED);
    const chat = await createChat(tenant.key);
    const room_id = roomIdOf(chat.id);
    const alice = await app.open(tenant, 'alice');
    await alice.frame((frame) => frame.type === 'sync.complete' && frame['room_id'] === room_id);
    model.next({ status: 500, body: '{}' });
    await tenant.as('alice').post(`/rooms/${room_id}/messages`, { content: 'Hello' });
    const error = await alice.frame('message.stream.error');
    expect(error).toMatchObject({ room_id, code: 'MODEL_ERROR' });
    await alice.frame((frame) => frame.type === 'message' && frame['message_id'] === error['message_id']);
    await alice.close();
  });

  it('cannot be made, joined, left or deleted as a room', async () => {
    const tenant = await app.tenant(UNLIMITED);
    const chat = await createChat(tenant.key);
    const path = `/rooms/${roomIdOf(chat.id)}`;
    const alice = tenant.as('alice');
    expect((await alice.post('/rooms', { type: 'ai' })).status).toBe(400);
    expect((await alice.post(`${path}/members`, { user_ids: ['bob'] })).status).toBe(403);
    expect((await alice.delete(`${path}/members/alice`)).status).toBe(403);
    expect((await alice.delete(path)).status).toBe(403);
    expect((await tenant.as('bob').post(`${path}/messages`, { content: 'x' })).status).toBe(403);
    const members = bodyOf<object[]>(await alice.get(`${path}/members`));
    expect(members).toMatchObject([
      { user_id: 'alice', role: 'member' },
      { user_id: 'agent_default', role: 'agent' },
    ]);
  });

  it('counts a message against the limit of the AI APIs', async () => {
    const tenant = await app.tenant({ requests_per_second: null, ai_requests_per_minute: 2 });
    const chat = await createChat(tenant.key);
    const send = () => tenant.as('alice').post(`/rooms/${roomIdOf(chat.id)}/messages`, { content: 'x' });
    expect((await send()).status).toBe(201);
    const refused = await send();
    expect(refusal(refused)).toEqual({ status: 429, code: 'RATE_LIMIT_EXCEEDED' });
    expect((await tenant.key.get(chatPath(chat.id))).status).toBe(429);
    // The model is the next test's then.
    await until(
      () => listAll(tenant.as('alice'), roomIdOf(chat.id)),
      (messages) => messages.length === 2,
    );
  });
});

describe('regenerate', () => {
  let key: Api;
  let chat: ChatBody;

  beforeEach(async () => {
    ({ key } = await app.tenant(UNLIMITED));
    chat = await createChat(key);
  });

  const regenerate = (body?: object) => key.post<TurnBody>(`${chatPath(chat.id)}/regenerate`, body);

  it('writes a new answer; the old one is superseded and leaves the context', async () => {
    model.next({ steps: ['Old'] }, { steps: ['New'] });
    const first = await ask(key, chat.id, 'Hello');
    const { message, answer } = bodyOf(await regenerate());
    expect(message).toEqual(first.message);
    expect(answer).toMatchObject({ content: 'New', status: 'completed', reply_to_seq: 1 });
    const all = await messagesOf(key, chat.id);
    expect(all.map(({ content, status }) => [content, status])).toEqual([
      ['Hello', 'completed'],
      ['Old', 'superseded'],
      ['New', 'completed'],
    ]);
    await ask(key, chat.id, 'And?');
    expect(JSON.stringify((await model.request(3)).body['messages'])).not.toContain('Old');
  });

  it('streams when it is asked to', async () => {
    model.next({ steps: ['Old'] }, { steps: ['N', 'ew'] });
    await ask(key, chat.id, 'Hello');
    const path = `${chatPath(chat.id)}/regenerate`;
    const stream = await SseClient.open(key, 'POST', path, { body: { stream: true } });
    const events = await stream.rest();
    expect(events[0]?.data).toMatchObject({ event_type: 'message_received', content: 'Hello', seq: 1 });
    expect(textOf(events)).toBe('New');
  });

  it('answers 409 where there is nothing to answer, or while an answer is written', async () => {
    expect(refusal(await regenerate())).toMatchObject({ status: 409, code: 'CONFLICT' });
    const gate = new AnswerGate();
    model.next({ steps: ['a', { hold: gate }] });
    const first = ask(key, chat.id, 'Hello');
    await gate.reached;
    expect(refusal(await regenerate())).toMatchObject({ status: 409, code: 'CONFLICT' });
    gate.open();
    await first;
  });

  it('takes no other field', async () => {
    expect(refusal(await regenerate({ content: 'x' }))).toEqual(badField('content'));
  });
});
