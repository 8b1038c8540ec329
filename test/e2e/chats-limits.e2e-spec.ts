import type { TestApp, TestTenant } from '../support/app';
import {
  ask,
  type ChatBody,
  type ChatMessageBody,
  chatPath,
  createChat,
  messagesOf,
  roomIdOf,
  say,
  sayStreaming,
  startChatApp,
  type TurnBody,
  type WithModel,
} from '../support/chats/http';
import { faults, AnswerGate, type ProviderServer } from '../support/fake-model';
import { type Answer, type Api, errorOf } from '../support/http/api';
import { until } from '../support/poll';
import { bodyOf, refusal } from '../support/rooms';

const UNLIMITED = { requests_per_second: null, ai_requests_per_minute: null };
const SPENT = { status: 429, code: 'QUOTA_EXCEEDED' };

let app: WithModel<TestApp>;
let model: ProviderServer;

beforeAll(async () => {
  app = await startChatApp();
  ({ model } = app);
});
afterAll(() => app.close());
beforeEach(() => model.reset());

/** Says something that has to wait; its message, which is stored. */
async function sayLater(by: Api, chatId: string, body: object | string): Promise<string> {
  const stream = await sayStreaming(by, chatId, body);
  const [received] = await stream.take(1);
  stream.cut();
  return String(received?.data['message_id']);
}

/** An answer that waits at a gate after "One". */
async function answering(by: Api, chat: ChatBody, content: object | string = 'first') {
  const gate = new AnswerGate();
  model.next({ steps: ['One', { hold: gate }, ' two'] });
  const first = say(by, chat.id, content);
  await gate.reached;
  return { gate, first };
}

const regenerate = (by: Api, chat: ChatBody, key?: string): Promise<Answer<TurnBody>> =>
  by.post<TurnBody>(
    `${chatPath(chat.id)}/regenerate`,
    {},
    key === undefined ? {} : { headers: { 'Idempotency-Key': key } },
  );

/** The answers of a chat, once there are so many. */
async function answersOf(by: Api, chat: ChatBody, count: number): Promise<ChatMessageBody[]> {
  const all = await until(
    () => messagesOf(by, chat.id),
    (found) => found.filter(({ sender_role }) => sender_role === 'assistant').length >= count,
  );
  return all.filter(({ sender_role }) => sender_role === 'assistant');
}

const spend = (tenant: TestTenant): Promise<unknown> =>
  app.master.patch(`/admin/tenants/${tenant.tenantId}`, { limits: { tokens_per_day: 1 } });

async function tokenOf(tenant: TestTenant, userId: string): Promise<Api> {
  const { token } = bodyOf(await tenant.key.post<{ token: string }>('/tokens', { user_id: userId }), 201);
  return app.anonymous.with({ authorization: `Bearer ${token}` });
}

describe('A5 budgets, on every way in which an answer begins', () => {
  it('A5: regenerate, by a key and by the user', async () => {
    const tenant = await app.tenant({ ...UNLIMITED, tokens_per_user_per_day: 17 });
    const chat = await createChat(tenant.key);
    await ask(tenant.key, chat.id);
    for (const by of [tenant.key, await tokenOf(tenant, 'alice')]) {
      const refused = await regenerate(by, chat);
      expect(refusal(refused)).toEqual(SPENT);
      expect(errorOf(refused).details).toMatchObject({ limit: 'tokens_per_user_per_day' });
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    }
    expect(model.requests).toHaveLength(1);
    expect((await messagesOf(tenant.key, chat.id)).map(({ status }) => status)).toEqual(['completed', 'completed']);
  });

  it('A5: what was answered under a key stays answered', async () => {
    const tenant = await app.tenant({ ...UNLIMITED, tokens_per_day: 33 });
    const chat = await createChat(tenant.key);
    await ask(tenant.key, chat.id);
    const { answer } = bodyOf(await regenerate(tenant.key, chat, 'again'));
    expect(bodyOf(await regenerate(tenant.key, chat, 'again')).answer).toEqual(answer);
    expect(refusal(await regenerate(tenant.key, chat, 'once more'))).toEqual(SPENT);
  });

  it('A5: a failed answer, asked for again by the same id', async () => {
    const tenant = await app.tenant({ ...UNLIMITED, tokens_per_day: 1_000_000 });
    const chat = await createChat(tenant.key);
    const body = { content: 'Hello', client_message_id: 'c1' };
    model.next(faults.status(500));
    expect((await say(tenant.key, chat.id, body)).status).toBe(502);
    await ask(tenant.key, (await createChat(tenant.key)).id);
    await spend(tenant);
    await until(
      async () => refusal(await say(tenant.key, chat.id, body)),
      ({ code }) => code === SPENT.code,
    );
    expect(await messagesOf(tenant.key, chat.id)).toMatchObject([{}, { status: 'failed' }]);
    await app.master.patch(`/admin/tenants/${tenant.tenantId}`, { limits: { tokens_per_day: null } });
    await until(
      () => say(tenant.key, chat.id, body),
      ({ status }) => status === 200,
    );
  });

  it('A5: twenty messages that wait spend what is left, and not more', async () => {
    const tenant = await app.tenant({ ...UNLIMITED, tokens_per_day: 17 });
    const chat = await createChat(tenant.key);
    const { gate, first } = await answering(tenant.key, chat);
    for (let n = 0; n < 19; n++) await sayLater(tenant.key, chat.id, `${n}`);
    const waiting = say(tenant.key, chat.id, { content: 'last', client_message_id: 'last' });
    await until(
      () => messagesOf(tenant.key, chat.id),
      (all) => all.length === 21,
    );
    gate.open();
    bodyOf(await first);
    const refused = await waiting;
    expect(refusal(refused)).toEqual(SPENT);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    const [one, ...others] = await answersOf(tenant.key, chat, 21);
    expect(one).toMatchObject({ status: 'completed', content: 'One two' });
    expect(others).toHaveLength(20);
    for (const answer of others) {
      expect(answer).toMatchObject({ status: 'failed', content: '', metadata: { error: { code: SPENT.code } } });
      expect(answer.usage).toBeUndefined();
    }
    expect(model.requests).toHaveLength(1);
  });

  it('A5: an answer that is stopped or cut counts what it used', async () => {
    const tenant = await app.tenant({ ...UNLIMITED, tokens_per_day: 1_000_000 });
    const chat = await createChat(tenant.key);
    const { first } = await answering(tenant.key, chat);
    await tenant.key.post(`${chatPath(chat.id)}/stop`);
    const { answer } = bodyOf(await first);
    expect(answer).toMatchObject({ status: 'cancelled', content: 'One', usage: { estimated: true } });
    model.next(faults.cut('One', ' two'));
    const cut = await say(tenant.key, chat.id, 'second');
    expect(bodyOf(cut).answer).toMatchObject({ status: 'interrupted', usage: { estimated: true } });
    expect(Number(bodyOf(cut).answer.usage?.['prompt_tokens'])).toBeGreaterThan(0);
  });
});

describe('A6 a question that is deleted', () => {
  const remove = (tenant: TestTenant, chat: ChatBody, messageId: string) =>
    tenant.as('alice').delete(`/rooms/${roomIdOf(chat.id)}/messages/${messageId}`);

  it('A6: while it waits is answered by nobody, and costs nothing', async () => {
    const tenant = await app.tenant(UNLIMITED);
    const chat = await createChat(tenant.key);
    const { gate, first } = await answering(tenant.key, chat);
    const second = await sayLater(tenant.key, chat.id, 'second');
    expect((await remove(tenant, chat, second)).status).toBe(204);
    expect((await remove(tenant, chat, second)).status).toBe(204);
    gate.open();
    bodyOf(await first);
    const [, answer] = await answersOf(tenant.key, chat, 2);
    expect(answer).toMatchObject({ status: 'cancelled', content: '', reply_to_seq: 2 });
    expect(answer?.usage).toBeUndefined();
    expect(model.requests).toHaveLength(1);
    // What comes after it is answered as if it had not been said.
    await ask(tenant.key, chat.id, 'third');
    expect(JSON.stringify((await model.request(2)).body['messages'])).not.toContain('second');
  });

  it('A6: while it is answered stops its answer, and no model is told of either', async () => {
    const tenant = await app.tenant(UNLIMITED);
    const chat = await createChat(tenant.key);
    const gate = new AnswerGate();
    // Nothing is said meanwhile that would be stored: only the delete can stop it.
    model.next({ steps: ['One', { hold: gate }, ' two'] });
    const stream = await sayStreaming(tenant.key, chat.id, 'first');
    const [received] = await stream.take(3);
    await remove(tenant, chat, String(received?.data['message_id']));
    expect(await (await model.request(1)).closed).toBe('early');
    const events = await stream.rest();
    expect(events.at(-1)?.data).toMatchObject({ status: 'cancelled', content: 'One' });
    expect(events.at(-1)?.data['usage']).toMatchObject({ estimated: true });
    await ask(tenant.key, chat.id, 'second');
    const { messages } = (await model.request(2)).body as { messages: { role: string; content: string }[] };
    expect(messages.filter(({ role }) => role !== 'system')).toEqual([{ role: 'user', content: 'second' }]);
  });

  it('A6: after its answer takes that answer from what a model is told', async () => {
    const tenant = await app.tenant(UNLIMITED);
    const chat = await createChat(tenant.key);
    model.next({ steps: ['Orphan'] });
    const { message } = await ask(tenant.key, chat.id, 'first');
    await remove(tenant, chat, message.id);
    await ask(tenant.key, chat.id, 'second');
    const { messages } = (await model.request(2)).body as { messages: { role: string; content: string }[] };
    expect(messages.filter(({ role }) => role !== 'system')).toEqual([{ role: 'user', content: 'second' }]);
  });
});

describe('A17 answers at once', () => {
  it('A17: are ten of a user and as many of a tenant as it says; what is beyond waits and is answered', async () => {
    const tenant = await app.tenant({ ...UNLIMITED, runs_at_once: 12 });
    const gate = new AnswerGate();
    model.otherwise = { steps: ['One', { hold: gate }, ' two'] };
    const chats = await Promise.all(
      ['alice', 'bob'].flatMap((user) => Array.from({ length: 12 }, () => createChat(tenant.key, user))),
    );
    const alices = chats.slice(0, 12).map(({ id }) => say(tenant.key, id, 'Hello'));
    await model.request(10);
    const bobs = chats.slice(12).map(({ id }) => say(tenant.key, id, 'Hello'));
    await model.request(12);
    await until(
      () => running(tenant),
      ({ queued }) => queued === 12,
    );
    expect(await running(tenant)).toEqual({ streaming: 12, queued: 12, ofAlice: 10 });
    expect(model.requests).toHaveLength(12);
    gate.open();
    for (const answer of await Promise.all([...alices, ...bobs])) expect(bodyOf(answer).answer.content).toBe('One two');
  });

  it('A17: are limits of a tenant like the others', async () => {
    const { tenantId } = await app.tenant({ runs_at_once: 5, runs_at_once_per_user: 'default' });
    const { limits } = bodyOf(await app.master.get<{ limits: Record<string, unknown> }>(`/admin/tenants/${tenantId}`));
    expect(limits).toMatchObject({ runs_at_once: 5, runs_at_once_per_user: 10 });
  });

  async function running(tenant: TestTenant): Promise<Record<string, number>> {
    const id = tenant.tenantId.slice('tenant_'.length);
    const [row] = await app.database.sql<Record<string, number>>(
      `SELECT count(*) FILTER (WHERE state = 'streaming')::int AS streaming,
         count(*) FILTER (WHERE state = 'queued')::int AS queued,
         count(*) FILTER (WHERE state = 'streaming' AND user_id = 'alice')::int AS "ofAlice"
       FROM runs WHERE tenant_id = $1::uuid`,
      [id],
    );
    return row ?? {};
  }
});
