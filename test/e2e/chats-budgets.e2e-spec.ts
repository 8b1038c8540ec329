import type { TestTenant } from '../support/app';
import {
  ask,
  type ChatBody,
  chatPath,
  createChat,
  messagesOf,
  roomIdOf,
  say,
  sayStreaming,
  type WithModel,
  withModel,
} from '../support/chats/http';
import { openChat } from '../support/chats/socket';
import { AnswerGate, faults, type ProviderServer } from '../support/fake-model';
import { type Answer, errorOf } from '../support/http/api';
import { until } from '../support/poll';
import { bodyOf, refusal } from '../support/rooms';
import { closeAll } from '../support/ws/client';
import { type SocketApp, startSocketApp } from '../support/ws/socket-app';

const UNLIMITED = {
  ...{ requests_per_second: null, ai_requests_per_minute: null, ws_messages_per_second: null },
  ...{ runs_at_once: null, runs_at_once_per_user: null },
};
const SPENT = { status: 429, code: 'QUOTA_EXCEEDED' };
const AT_ONCE = 50;
/** What one answer takes: all that there is, as its provider counts it. */
const ONE = 60;
const WHOLE = { prompt: ONE - 6, completion: 6 };

let app: WithModel<SocketApp>;
let model: ProviderServer;

beforeAll(async () => {
  app = await withModel((env) => startSocketApp({ env: { ...env, CHANNEL_ALLOW_PRIVATE: 'true' } }));
  ({ model } = app);
});
afterAll(() => app.close());
beforeEach(() => model.reset());

const setLimits = (tenant: TestTenant, limits: object): Promise<unknown> =>
  app.master.patch(`/admin/tenants/${tenant.tenantId}`, { limits });

function times<T>(count: number, work: (n: number) => Promise<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: count }, (_, n) => work(n)));
}

const chatsOf = (tenant: TestTenant): Promise<ChatBody[]> => times(AT_ONCE, () => createChat(tenant.key));

interface Charged {
  readonly spent: number;
  /** Calls that run, or were not ended. */
  readonly open: number;
}

async function charged({ tenantId }: TestTenant): Promise<Charged | undefined> {
  const [row] = await app.database.sql<Charged>(
    `SELECT COALESCE(sum(tokens), 0)::int AS spent, count(*) FILTER (WHERE ended_at IS NULL)::int AS open
     FROM charges WHERE tenant_id = $1::uuid`,
    [tenantId.slice('tenant_'.length)],
  );
  return row;
}

/** How the runs of a tenant ended, once all have; those of before are left out. */
async function ends({ tenantId }: TestTenant, before = 0): Promise<{ answered: number; refused: number }> {
  const rows = await until(
    () =>
      app.database.sql<{ state: string; error_code: string | null }>(
        'SELECT state, error_code FROM runs WHERE tenant_id = $1::uuid ORDER BY created_at, run_id',
        [tenantId.slice('tenant_'.length)],
      ),
    (all) => all.every(({ state }) => state !== 'queued' && state !== 'streaming'),
  );
  const own = rows.slice(before);
  return {
    answered: own.filter(({ state }) => state === 'completed').length,
    refused: own.filter(({ state, error_code }) => state === 'failed' && error_code === SPENT.code).length,
  };
}

/** Of all that were begun one was answered, the others were refused without a call, and no more is charged than there was. */
async function oneAnswered(tenant: TestTenant, before = { runs: 0, requests: 0, spent: 0 }): Promise<void> {
  const { answered } = await ends(tenant, before.runs);
  expect(answered).toBe(1);
  expect(model.requests).toHaveLength(before.requests + 1);
  expect(await charged(tenant)).toEqual({ spent: before.spent + ONE, open: 0 });
}

function refusedButOne(answers: readonly Answer<unknown>[]): void {
  const refused = answers.filter(({ status }) => status !== 200);
  expect(refused.map((answer) => refusal(answer))).toEqual(Array.from({ length: answers.length - 1 }, () => SPENT));
  for (const answer of refused) {
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(Number(answer.headers.get('retry-after'))).toBeLessThanOrEqual(86_400);
  }
}

describe('fifty at once on a budget of one answer', () => {
  beforeEach(() => (model.otherwise = { usage: WHOLE }));

  for (const name of ['tokens_per_day', 'tokens_per_user_per_day'])
    it(`sent by the AI chats API, on ${name}`, async () => {
      const tenant = await app.tenant({ ...UNLIMITED, [name]: ONE });
      const chats = await chatsOf(tenant);
      refusedButOne(await Promise.all(chats.map(({ id }) => say(tenant.key, id, 'Hello'))));
      await oneAnswered(tenant);
    });

  it('sent by the Conversations API', async () => {
    const tenant = await app.tenant({ ...UNLIMITED, tokens_per_day: ONE });
    const bodies = await times(AT_ONCE, (n) => tenant.key.post('/api/chat', { message: 'Hello', userId: `user${n}` }));
    refusedButOne(bodies);
    await oneAnswered(tenant);
  });

  it('sent by the Rooms API', async () => {
    const tenant = await app.tenant({ ...UNLIMITED, tokens_per_day: ONE });
    const chats = await chatsOf(tenant);
    const alice = tenant.as('alice');
    const sent = await Promise.all(
      chats.map(({ id }) => alice.post(`/rooms/${roomIdOf(id)}/messages`, { content: 'Hello' })),
    );
    for (const answer of sent) expect([201, SPENT.status]).toContain(answer.status);
    await oneAnswered(tenant);
  });

  it('sent on /ws/chat', async () => {
    const tenant = await app.tenant({ ...UNLIMITED, tokens_per_day: ONE, chat_connections: null });
    const chats = await chatsOf(tenant);
    const sockets = await Promise.all(chats.map(({ id }) => openChat(app.url, tenant, id)));
    for (const [n, socket] of sockets.entries())
      socket.send({ type: 'message', request_id: `r${n}`, content: 'Hello' });
    await Promise.all(
      sockets.map((socket) => socket.frame(({ type }) => type === 'message_stream_ended' || type === 'error')),
    );
    await oneAnswered(tenant);
    await closeAll(sockets);
  });

  it('sent on /ws', async () => {
    const tenant = await app.tenant({ ...UNLIMITED, tokens_per_day: ONE, ws_connections_per_user: null });
    const chats = await chatsOf(tenant);
    const alice = await app.open(tenant, 'alice');
    for (const [n, { id }] of chats.entries())
      alice.send({
        type: 'send_message',
        request_id: `r${n}`,
        room_id: roomIdOf(id),
        content: 'Hello',
        client_message_id: `c${n}`,
      });
    await until(
      () => Promise.resolve(alice.frames.filter(({ request_id }) => request_id !== undefined).length),
      (answered) => answered >= AT_ONCE,
    );
    await oneAnswered(tenant);
    await closeAll([alice]);
  });

  it('written anew', async () => {
    const tenant = await app.tenant(UNLIMITED);
    const chats = await chatsOf(tenant);
    await Promise.all(chats.map(({ id }) => ask(tenant.key, id)));
    const spent = ONE * AT_ONCE;
    await setLimits(tenant, { tokens_per_day: spent + ONE });
    refusedButOne(await Promise.all(chats.map(({ id }) => tenant.key.post(`${chatPath(id)}/regenerate`))));
    await oneAnswered(tenant, { runs: AT_ONCE, requests: AT_ONCE, spent });
  });

  it('tried again by the same id after a failure', async () => {
    const tenant = await app.tenant(UNLIMITED);
    const chats = await chatsOf(tenant);
    const failing = await app.tenant(UNLIMITED);
    model.otherwise = faults.status(400);
    const body = (n: number): object => ({ content: 'Hello', client_message_id: `c${n}` });
    const failed = await Promise.all(chats.map(({ id }, n) => say(tenant.key, id, body(n))));
    expect(new Set(failed.map(({ status }) => status))).toEqual(new Set([502]));
    expect(await charged(tenant)).toEqual({ spent: 0, open: 0 });
    model.otherwise = { usage: WHOLE };
    await ask(failing.key, (await createChat(failing.key)).id);
    await setLimits(tenant, { tokens_per_day: ONE });
    const { length: requests } = model.requests;
    refusedButOne(await Promise.all(chats.map(({ id }, n) => say(tenant.key, id, body(n)))));
    await oneAnswered(tenant, { runs: AT_ONCE, requests, spent: 0 });
  });

  it('that wait for their turn in one chat', async () => {
    const tenant = await app.tenant(UNLIMITED);
    const chat = await createChat(tenant.key);
    const gate = new AnswerGate();
    model.next({ steps: ['One', { hold: gate }], usage: { prompt: 1, completion: 1 } });
    const first = say(tenant.key, chat.id, 'first');
    await gate.reached;
    for (let n = 0; n < AT_ONCE; n++) {
      const stream = await sayStreaming(tenant.key, chat.id, `${n}`);
      await stream.take(1);
      stream.cut();
    }
    await setLimits(tenant, { tokens_per_day: ONE + 2 });
    gate.open();
    bodyOf(await first);
    expect(await ends(tenant, 1)).toEqual({ answered: 1, refused: AT_ONCE - 1 });
    await oneAnswered(tenant, { runs: 1, requests: 1, spent: 2 });
  });
});

describe('the budget of a chat', () => {
  it('is that of one chat, for whoever asks in it, and on every way', async () => {
    const tenant = await app.tenant({ ...UNLIMITED, tokens_per_chat_per_day: 17 });
    const [one, other] = [await createChat(tenant.key), await createChat(tenant.key)];
    await ask(tenant.key, one.id);
    const refused = [
      await say(tenant.key, one.id, 'more'),
      await tenant.key.post(`${chatPath(one.id)}/regenerate`),
      await tenant.as('alice').post(`/rooms/${roomIdOf(one.id)}/messages`, { content: 'more' }),
    ];
    for (const answer of refused) {
      expect(refusal(answer)).toEqual(SPENT);
      expect(errorOf(answer).details).toMatchObject({ limit: 'tokens_per_chat_per_day' });
    }
    expect(model.requests).toHaveLength(1);
    await ask(tenant.key, other.id);
  });

  it('is spent by one of fifty that are sent into it at once', async () => {
    model.otherwise = { usage: WHOLE };
    const tenant = await app.tenant({ ...UNLIMITED, tokens_per_chat_per_day: ONE });
    const chat = await createChat(tenant.key);
    refusedButOne(
      await times(AT_ONCE, (n) => say(tenant.key, chat.id, { content: 'Hello', client_message_id: `c${n}` })),
    );
    await oneAnswered(tenant);
  });
});

describe('an answer that crosses what is left', () => {
  /** "You are a helpful assistant." and "Hello", by our own count. */
  const CONTEXT = 9;

  it('ends at that token with its text kept, and the next one is refused', async () => {
    const tenant = await app.tenant({ ...UNLIMITED, tokens_per_day: CONTEXT + 3 });
    const chat = await createChat(tenant.key);
    const gate = new AnswerGate();
    model.next({ steps: ['0123', '4567', '89ab', 'cdef', { hold: gate }] });
    const { answer } = await ask(tenant.key, chat.id);
    expect(answer).toMatchObject({ status: 'completed', content: '0123456789ab', finish_reason: 'budget' });
    expect(answer.usage).toMatchObject({ completion_tokens: 3, estimated: true });
    expect(await (await model.request(1)).closed).toBe('early');
    const refused = await say(tenant.key, chat.id, 'Hello');
    expect(refusal(refused)).toEqual(SPENT);
    expect(errorOf(refused).details).toMatchObject({ limit: 'tokens_per_day' });
    const { spent, open } = (await charged(tenant)) ?? {};
    expect(spent).toBeLessThanOrEqual(CONTEXT + 3);
    expect(open).toBe(0);
  });

  it('goes on as long as there is more, beyond what it was given at first', async () => {
    const tenant = await app.tenant({ ...UNLIMITED, tokens_per_day: CONTEXT + 5000 });
    const chat = await createChat(tenant.key);
    model.next({ steps: Array.from({ length: 60 }, () => 'x'.repeat(400)), usage: null });
    const { answer } = await ask(tenant.key, chat.id);
    expect(answer).toMatchObject({ content: 'x'.repeat(20_000), finish_reason: 'budget' });
    expect((await charged(tenant))?.spent).toBeLessThanOrEqual(CONTEXT + 5000);
  });

  it('by a single piece is cut within it', async () => {
    const tenant = await app.tenant({ ...UNLIMITED, tokens_per_day: CONTEXT + 100 });
    const chat = await createChat(tenant.key);
    model.next({ steps: ['é'.repeat(50_000)] });
    const { answer } = await ask(tenant.key, chat.id);
    expect(answer).toMatchObject({ content: 'é'.repeat(200), finish_reason: 'budget' });
  });

  it('by what it thinks is no answer: the budget is said', async () => {
    const tenant = await app.tenant({ ...UNLIMITED, tokens_per_day: CONTEXT + 10 });
    const chat = await createChat(tenant.key);
    model.next({ steps: [{ reasoning: 'hmm '.repeat(100) }, 'never'] });
    const refused = await say(tenant.key, chat.id, 'Hello');
    expect(refusal(refused)).toEqual(SPENT);
    expect(await messagesOf(tenant.key, chat.id)).toMatchObject([{}, { status: 'failed', content: '' }]);
    expect(await charged(tenant)).toMatchObject({ open: 0 });
  });

  it('is not cut where its budget is taken away meanwhile', async () => {
    const tenant = await app.tenant({ ...UNLIMITED, tokens_per_day: CONTEXT + 3 });
    const chat = await createChat(tenant.key);
    const gate = new AnswerGate();
    model.next({ steps: ['0123', { hold: gate }, '456789abcdef'] });
    const answer = ask(tenant.key, chat.id);
    await gate.reached;
    await setLimits(tenant, { tokens_per_day: null });
    gate.open();
    expect((await answer).answer).toMatchObject({ content: '0123456789abcdef', finish_reason: 'stop' });
  });
});

describe('a budget of money', () => {
  /** One for each token of the prompt, two for each of the answer. */
  const PRICES = { input: 1_000_000, output: 2_000_000 };

  const channel = (tenant: TestTenant, name: string, more: object): Promise<Answer<unknown>> =>
    tenant.key.post('/api/channels', { name, provider: 'openai-compatible', baseUrl: model.url, ...more });

  async function pricedTenant(limits: object): Promise<TestTenant> {
    const tenant = await app.tenant({ ...UNLIMITED, ...limits });
    bodyOf(await channel(tenant, 'unpriced', { priority: 0 }), 201);
    bodyOf(await channel(tenant, 'priced', { priority: 1, prices: PRICES }), 201);
    return tenant;
  }

  it('is spent by what answers cost; the one that crosses it ends there', async () => {
    const tenant = await pricedTenant({ cost_per_day: 40 });
    const chat = await createChat(tenant.key);
    const { answer } = await ask(tenant.key, chat.id);
    // 11 + 2 × 6, by the channel that has prices.
    expect(answer).toMatchObject({ finish_reason: 'stop', metadata: { channel: 'priced' } });
    // 17 are left: 9 for the context, which is all of the prompt here, and 4 tokens for 8.
    const { answer: next } = await ask(tenant.key, (await createChat(tenant.key)).id);
    expect(next).toMatchObject({ content: 'Hello from the f', finish_reason: 'budget' });
    const refused = await say(tenant.key, chat.id, 'Hello');
    expect(refusal(refused)).toEqual(SPENT);
    expect(errorOf(refused).details).toMatchObject({ limit: 'cost_per_day' });
    const path = `/admin/usage?tenant_id=${tenant.tenantId}&group_by=channel`;
    const { items } = await until(
      async () => bodyOf(await app.master.get<{ items: { cost: number; runs: number }[] }>(path)),
      (usage) => usage.items[0]?.runs === 2,
    );
    expect(items).toMatchObject([{ channel: 'priced', cost: 40 }]);
  });

  it('lets one of fifty at once be answered', async () => {
    model.otherwise = { usage: WHOLE };
    const tenant = await pricedTenant({ cost_per_day: ONE + 6 });
    const chats = await chatsOf(tenant);
    refusedButOne(await Promise.all(chats.map(({ id }) => say(tenant.key, id, 'Hello'))));
    await oneAnswered(tenant);
  });

  it('is kept by channels that have prices: without any nobody answers, and nothing is stored', async () => {
    const tenant = await app.tenant({ ...UNLIMITED, cost_per_day: 1000 });
    const chat = await createChat(tenant.key);
    const unavailable = { status: 503, code: 'CHANNEL_UNAVAILABLE' };
    expect(refusal(await say(tenant.key, chat.id, 'Hello'))).toEqual(unavailable);
    bodyOf(await channel(tenant, 'unpriced', {}), 201);
    expect(refusal(await say(tenant.key, chat.id, 'Hello'))).toEqual(unavailable);
    expect(await messagesOf(tenant.key, chat.id)).toEqual([]);
    // The Rooms API does not ask before: the answer fails.
    bodyOf(await tenant.as('alice').post(`/rooms/${roomIdOf(chat.id)}/messages`, { content: 'Hello' }), 201);
    const [, failed] = await until(
      () => messagesOf(tenant.key, chat.id),
      (all) => all.length === 2,
    );
    expect(failed).toMatchObject({ status: 'failed', metadata: { error: { code: unavailable.code } } });
    expect(model.requests).toEqual([]);
    expect(await charged(tenant)).toEqual({ spent: 0, open: 0 });
  });

  it('may be for single models of a channel', async () => {
    const tenant = await app.tenant({ ...UNLIMITED, cost_per_day: 1000 });
    const priced = { modelPrices: { large: { input: 0, output: 0, cached: 0 } } };
    bodyOf(await channel(tenant, 'one', { model: 'small', ...priced }), 201);
    const chat = await createChat(tenant.key);
    bodyOf(await tenant.key.patch('/api/presets/default', { model: 'large' }));
    // Whether the model of the preset has a price is known when it is asked.
    const answer = await ask(tenant.key, chat.id, { content: 'Hello', model: 'large' });
    expect(answer.answer).toMatchObject({ status: 'completed' });
  });

  it('takes prices as they are, and no others', async () => {
    const tenant = await app.tenant(UNLIMITED);
    const made = await channel(tenant, 'one', { prices: { input: 0.5, output: 2, cached: 0.1 } });
    const { id, prices } = bodyOf(made as Answer<{ data: { id: string; prices: object } }>, 201).data;
    expect(prices).toEqual({ input: 0.5, output: 2, cached: 0.1 });
    const path = `/api/channels/${id}`;
    for (const wrong of [{ prices: { input: 1 } }, { prices: { input: -1, output: 1 } }, { modelPrices: { a: 1 } }])
      expect((await tenant.key.patch(path, wrong)).status).toBe(400);
    expect(bodyOf(await tenant.key.patch(path, { prices: null }))).toMatchObject({
      data: { prices: null, modelPrices: {} },
    });
  });
});
