import type { TestTenant } from '../support/app';
import {
  ask,
  type ChatBody,
  chatPath,
  conversationIdOf,
  createChat,
  messagesOf,
  rejoin,
  roomIdOf,
  say,
  sayStreaming,
  type TurnBody,
  withModel,
  type WithModel,
} from '../support/chats/http';
import { SseClient, textOf } from '../support/chats/sse';
import { chunksOf, listed, postUi, uiBody } from '../support/chats/ui';
import { faults, AnswerGate, type ProviderServer } from '../support/fake-model';
import type { Api, Bodies } from '../support/http/api';
import { until } from '../support/poll';
import { badField, bodyOf, refusal } from '../support/rooms';
import { uuidOf } from '../support/tenants';
import { WsClient } from '../support/ws/client';
import { type SocketApp, startSocketApp } from '../support/ws/socket-app';

let app: WithModel<SocketApp>;
let model: ProviderServer;
let tenant: TestTenant;
let key: Api;
let chat: ChatBody;

beforeAll(async () => {
  app = await withModel((env) => startSocketApp({ env }));
  ({ model } = app);
  tenant = await app.tenant();
  ({ key } = tenant);
});
afterAll(() => app.close());
beforeEach(async () => {
  model.reset();
  chat = await createChat(key);
});

const FORMAT = {
  type: 'json_schema',
  json_schema: { name: 'answer', schema: { type: 'object', properties: { z: {}, a: {} } }, strict: true },
};
const OPTIONS = {
  model: 'special',
  temperature: 0.5,
  top_p: 0.9,
  max_tokens: 77,
  stop: ['END', '\n\n'],
  reasoning_effort: 'low',
  response_format: FORMAT,
  seed: 42,
};
const CAMEL = {
  model: 'special',
  temperature: 0.5,
  topP: 0.9,
  maxTokens: 77,
  stop: ['END', '\n\n'],
  reasoningEffort: 'low',
  responseFormat: FORMAT,
  seed: 42,
};

async function asked(n = 1): Promise<Record<string, unknown>> {
  return (await model.request(n)).body;
}

async function tokenOf(userId: string): Promise<Api> {
  const { token } = bodyOf(await tenant.key.post<{ token: string }>('/tokens', { user_id: userId }), 201);
  return app.anonymous.with({ authorization: `Bearer ${token}` });
}

describe('how one answer is wanted', () => {
  it('reaches the model as it was said, in its order, by both APIs', async () => {
    await ask(key, chat.id, { content: 'Hello', ...OPTIONS });
    expect(await asked()).toMatchObject(OPTIONS);
    // A schema's order is the answer's.
    expect(JSON.stringify((await asked())['response_format'])).toBe(JSON.stringify(FORMAT));
    for (const path of ['/api/chat', '/api/chat/stream'])
      expect((await key.post(path, { message: 'Hello', userId: 'alice', ...CAMEL })).status).toBe(200);
    expect(await asked(2)).toMatchObject(OPTIONS);
    expect(await asked(3)).toMatchObject(OPTIONS);
    await ask(key, chat.id, 'And without');
    for (const name of ['top_p', 'stop', 'seed', 'response_format', 'max_tokens'])
      expect(Object.keys(await asked(4))).not.toContain(name);
  });

  it('reaches it by /ws/chat, for a key', async () => {
    const socket = await app.open(tenant, 'alice', { path: '/ws/chat', query: { chat_id: chat.id } });
    socket.send({ type: 'message', content: 'Hello', request_id: 'r', ...OPTIONS });
    await socket.frame('message_stream_ended');
    expect(await asked()).toMatchObject(OPTIONS);
    await socket.close();
  });

  it('outlives a wait: it is stored with the answer that is to come', async () => {
    const gate = new AnswerGate();
    model.next({ steps: ['One', { hold: gate }] });
    const first = say(key, chat.id, 'first');
    await gate.reached;
    const second = say(key, chat.id, { content: 'second', ...OPTIONS });
    gate.open();
    await Promise.all([first, second]);
    expect(await asked(2)).toMatchObject(OPTIONS);
  });

  it('is that of the last answer where it is written anew, or tried again', async () => {
    const body = { content: 'Hello', client_message_id: 'c1', ...OPTIONS };
    model.next(faults.status(500));
    expect((await say(key, chat.id, body)).status).toBe(502);
    bodyOf(await say(key, chat.id, body));
    bodyOf(await key.post<TurnBody>(`${chatPath(chat.id)}/regenerate`));
    for (const n of [2, 3]) expect(await asked(n)).toMatchObject(OPTIONS);
  });

  it('is a part of what a repeat must be equal to, where it is said', async () => {
    const body = { content: 'Hello', client_message_id: 'c1', seed: 1, stop: ['x'] };
    const { answer } = await ask(key, chat.id, body);
    expect((await ask(key, chat.id, { ...body, seed: 1 })).answer).toEqual(answer);
    for (const other of [
      { ...body, seed: 2 },
      { content: 'Hello', client_message_id: 'c1' },
    ])
      expect(refusal(await say(key, chat.id, other))).toMatchObject({ status: 422, code: 'IDEMPOTENCY_MISMATCH' });
    expect(await messagesOf(key, chat.id)).toHaveLength(2);
  });

  it.each(Object.keys(OPTIONS))('%s is refused from users: their preset decides', async (name) => {
    const alice = await tokenOf('alice');
    const body = { content: 'Hello', [name]: OPTIONS[name as keyof typeof OPTIONS] };
    expect(refusal(await say(alice, chat.id, body))).toEqual({ status: 403, code: 'AUTHORIZATION_ERROR', field: name });
    expect(await messagesOf(key, chat.id)).toEqual([]);
    const socket = await WsClient.connect(app.url, {
      path: '/ws/chat',
      query: { chat_id: chat.id },
      headers: alice.headers,
    });
    socket.send({ type: 'message', request_id: 'r', ...body });
    expect(await socket.frame('error')).toMatchObject({ error_code: 'AUTHORIZATION_ERROR', details: { field: name } });
    await socket.close();
  });

  it('is refused from users in the words of the Conversations API', async () => {
    const alice = await tokenOf('alice');
    for (const [name, value] of Object.entries(CAMEL))
      expect(refusal(await alice.post('/api/chat', { message: 'Hello', userId: 'alice', [name]: value }))).toEqual({
        status: 403,
        code: 'AUTHORIZATION_ERROR',
        field: name,
      });
  });

  it.each<[string, unknown]>([
    ['model', ''],
    ['model', 'm'.repeat(201)],
    ['temperature', 2.1],
    ['temperature', '1'],
    ['top_p', -0.1],
    ['max_tokens', 0],
    ['max_tokens', 1.5],
    ['stop', 'x'],
    ['stop', []],
    ['stop', ['a', 'b', 'c', 'd', 'e']],
    ['stop', ['']],
    ['reasoning_effort', 'much'],
    ['response_format', 'json'],
    ['response_format', { type: 'yaml' }],
    ['response_format', { type: 'json_schema' }],
    ['response_format', { type: 'json_object', pad: 'x'.repeat(33_000) }],
    ['seed', 'x'],
  ])('refuses %s = %j with 400, and stores nothing', async (name, value) => {
    const refused = refusal(await say(key, chat.id, { content: 'Hello', [name]: value }));
    expect({ ...refused, field: refused.field?.split(/[.[]/)[0] }).toEqual(badField(name));
    expect(await messagesOf(key, chat.id)).toEqual([]);
  });
});

describe('what a model thinks', () => {
  const THINKING = {
    steps: [{ reasoning: 'Let me' }, { reasoning: ' see.' }, 'Hello', { reasoning: 'Hm.' }, ' there'],
  };
  const typed = (events: readonly { readonly data: Record<string, unknown> }[], type: string, field: string): string =>
    events.map(({ data }) => ([data['type'], data['event_type']].includes(type) ? String(data[field]) : '')).join('');
  const preset = async (keepReasoning: boolean): Promise<void> => {
    bodyOf(await key.patch('/api/presets/default', { keepReasoning }));
  };

  it('is told on the way, is no part of the answer, and is kept nowhere', async () => {
    model.otherwise = THINKING;
    const socket = await app.open(tenant, 'alice', { path: '/ws/chat', query: { chat_id: chat.id } });
    const chats = await (await sayStreaming(key, chat.id, 'one')).rest();
    expect([typed(chats, 'message_stream_reasoning', 'reasoning'), textOf(chats)]).toEqual([
      'Let me see.Hm.',
      'Hello there',
    ]);
    await socket.frame('message_stream_ended');
    expect(
      socket
        .got('message_stream_reasoning')
        .map(({ reasoning }) => reasoning)
        .join(''),
    ).toBe('Let me see.Hm.');
    const said = { message: 'two', userId: 'alice', conversationId: chat.id };
    const stream = await SseClient.open(key, 'POST', '/api/chat/stream', { body: said });
    expect(typed(await stream.rest(), 'reasoning', 'text')).toBe('Let me see.Hm.');
    const ui = await chunksOf(await postUi(tenant.as('alice'), uiBody(chat.id, 'three')));
    const thoughts = ui.map(({ type, delta }) => (type === 'reasoning-delta' ? delta : '')).join('');
    expect(thoughts).toBe('Let me see.Hm.');
    for (const message of await messagesOf(key, chat.id)) expect(message).not.toHaveProperty('reasoning');
    const [kept] = await app.database.sql('SELECT count(*)::int AS n FROM runs WHERE reasoning IS NOT NULL');
    expect(kept).toEqual({ n: 0 });
    await socket.close();
  });

  it('is kept where the preset says so, shown in every list, and not told to the model again', async () => {
    await preset(true);
    model.otherwise = THINKING;
    const { answer } = await ask(key, chat.id, 'one');
    const thought = 'Let me see.Hm.';
    expect(answer).toMatchObject({ content: 'Hello there', reasoning: thought });
    expect(answer.metadata).not.toHaveProperty('reasoning');
    await ask(key, chat.id, 'two');
    expect(JSON.stringify((await asked(2))['messages'])).not.toContain('see.');
    expect((await messagesOf(key, chat.id)).map((message) => (message as { reasoning?: string }).reasoning)).toEqual([
      ...[undefined, thought, undefined, thought],
    ]);
    const path = `/api/conversations/${conversationIdOf(chat.id)}`;
    const history = bodyOf(await key.get<{ data: Bodies['ConversationHistoryDto'] }>(path)).data;
    expect(history.messages[1]).toMatchObject({ content: 'Hello there', reasoning: thought });
    const [, shown] = await listed(tenant.as('alice'), chat.id);
    expect(shown?.parts).toMatchObject([
      { type: 'step-start' },
      { type: 'reasoning', text: thought, state: 'done' },
      { type: 'text', text: 'Hello there' },
    ]);
    await preset(false);
  });

  it('goes with its answer, and under a legal hold when that has ended', async () => {
    await preset(true);
    model.otherwise = THINKING;
    const reasoning = async ({ answer }: TurnBody): Promise<unknown> => {
      const sql = 'SELECT reasoning FROM runs WHERE run_id = $1';
      return (await app.database.sql<{ reasoning: string | null }>(sql, [uuidOf(answer.id)]))[0]?.reasoning;
    };
    const room = roomIdOf(chat.id);
    const remove = async ({ answer }: TurnBody): Promise<void> => {
      bodyOf(await tenant.as('alice').delete(`/rooms/${room}/messages/${answer.id}`), 204);
    };
    const hold = async (legal_hold: boolean): Promise<void> => {
      bodyOf(await key.patch(`/admin/rooms/${room}`, { legal_hold }));
    };
    // Who deletes another's message is an admin of the room.
    await app.database.sql(`UPDATE room_members SET role = 'admin' WHERE room_id = $1 AND user_id = 'alice'`, [
      chat.id,
    ]);
    const [one, two] = [await ask(key, chat.id, 'one'), await ask(key, chat.id, 'two')];
    expect(await reasoning(one)).toBe('Let me see.Hm.');
    await remove(one);
    expect([await reasoning(one), await reasoning(two)]).toEqual([null, 'Let me see.Hm.']);
    await hold(true);
    await remove(two);
    expect(await reasoning(two)).toBe('Let me see.Hm.');
    expect((await messagesOf(key, chat.id)).filter((message) => 'reasoning' in message)).toEqual([]);
    await hold(false);
    await until(
      () => reasoning(two),
      (left) => left === null,
    );
    await preset(false);
  });

  it('who joins in the middle has what is thought from then on', async () => {
    const [first, second] = [new AnswerGate(), new AnswerGate()];
    model.next({
      steps: [{ reasoning: 'before' }, { hold: first }, { reasoning: 'after' }, { hold: second }, 'Hello'],
    });
    const stream = await sayStreaming(key, chat.id, 'one');
    expect((await stream.take(3)).map(({ data }) => data['event_type'])).toEqual([
      ...['message_received', 'message_stream_started', 'message_stream_reasoning'],
    ]);
    const late = await rejoin(key, chat.id);
    const [begun] = await late.take(1);
    expect(begun?.data).toMatchObject({ event_type: 'message_stream_started', after_index: -1 });
    first.open();
    await second.reached;
    second.open();
    for (const [events, thought] of [
      [await stream.rest(), 'after'],
      [await late.rest(), 'after'],
    ] as const) {
      expect([typed(events, 'message_stream_reasoning', 'reasoning'), textOf(events)]).toEqual([thought, 'Hello']);
      expect(events.at(-1)?.data).toMatchObject({ content: 'Hello', status: 'completed' });
    }
  });
});

describe('a tool that nobody has offered', () => {
  it('is no answer: the run fails, and says why', async () => {
    model.next({ steps: [{ toolCall: 'look_up' }], finish: 'tool_calls' });
    const failed = await say(key, chat.id, 'Hello');
    expect(refusal(failed)).toMatchObject({ status: 502, code: 'MODEL_ERROR' });
    expect(await messagesOf(key, chat.id)).toMatchObject([
      {},
      { content: '', status: 'failed', finish_reason: 'error' },
    ]);
    model.next({ steps: ['Let me look.', { toolCall: 'look_up' }], finish: 'tool_calls' });
    const { answer } = await ask(key, chat.id, 'And now?');
    expect(answer).toMatchObject({ content: 'Let me look.', status: 'completed', finish_reason: 'tool_calls' });
  });
});
