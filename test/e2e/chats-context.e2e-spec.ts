import { startTestApp, type TestApp, type TestTenant } from '../support/app';
import {
  ask,
  type ChatBody,
  chatPath,
  createChat,
  messagesOf,
  roomIdOf,
  say,
  withModel,
  type WithModel,
} from '../support/chats/http';
import { faults, AnswerGate, OPENAI_WIRE, type ProviderServer } from '../support/fake-model';
import type { Wire } from '../support/models/provider-server';
import { until } from '../support/poll';
import { bodyOf } from '../support/rooms';

const UNLIMITED = { requests_per_second: null, ai_requests_per_minute: null };
/** What the particular model can read, at four bytes a token. */
const WINDOW = 2048;

interface Told {
  readonly role: string;
  readonly content: string;
}

/** What a particular provider has against a request; undefined: nothing. */
function objection(messages: readonly Told[]): { code: string; message: string } | undefined {
  const turns = messages.filter(({ role }, i) => i > 0 || role !== 'system');
  if (turns.some(({ role }, i) => role !== (i % 2 === 0 ? 'user' : 'assistant')) || turns.length % 2 === 0)
    return { code: 'invalid_value', message: 'roles must alternate user/assistant/user/assistant/...' };
  if (messages.some(({ content }) => content.trim() === ''))
    return { code: 'invalid_value', message: 'text content blocks must be non-empty' };
  const bytes = messages.reduce((sum, { content }) => sum + Buffer.byteLength(content), 0);
  if (bytes / 4 > WINDOW)
    return {
      code: 'context_length_exceeded',
      message: `This model's maximum context length is ${WINDOW} tokens. Please reduce the length of the messages.`,
    };
  return undefined;
}

/** OpenAI's wire from a provider that wants turns, and reads little. */
const PARTICULAR: Wire = {
  ...OPENAI_WIRE,
  refuse: (request) => {
    const refusal = OPENAI_WIRE.refuse(request);
    if (refusal !== undefined) return refusal;
    const fault = objection(request.body['messages'] as Told[]);
    return fault && { status: 400, body: { error: { ...fault, type: 'invalid_request_error', param: 'messages' } } };
  },
};

let app: WithModel<TestApp>;
let model: ProviderServer;
let tenant: TestTenant;
let chat: ChatBody;

beforeAll(async () => {
  app = await withModel((env) => startTestApp({ env }), PARTICULAR);
  ({ model } = app);
});
afterAll(() => app.close());
beforeEach(async () => {
  model.reset();
  tenant = await app.tenant(UNLIMITED, { while_answering: 'interrupt' });
  chat = await createChat(tenant.key);
});

const told = (n: number): Told[] => (model.requests.at(n)?.body['messages'] as Told[] | undefined) ?? [];
const remove = (messageId: string) => tenant.as('alice').delete(`/rooms/${roomIdOf(chat.id)}/messages/${messageId}`);

/** What goes wrong between two turns, each in its own way. */
const MISHAPS: Record<string, () => Promise<unknown>> = {
  nothing: () => Promise.resolve(),
  'a fault of the provider': async () => {
    model.next(faults.status(500));
    expect((await say(tenant.key, chat.id, 'fails')).status).toBe(502);
  },
  'an answer that is cut': async () => {
    model.next(faults.cut('Half', ' an'));
    expect(bodyOf(await say(tenant.key, chat.id, 'is cut')).answer.status).toBe('interrupted');
  },
  'a stop before the first token': async () => {
    const gate = new AnswerGate();
    model.next(faults.silentBeforeHeaders(gate));
    const stopped = say(tenant.key, chat.id, 'is stopped');
    await gate.reached;
    await tenant.key.post(`${chatPath(chat.id)}/stop`);
    expect(bodyOf(await stopped).answer).toMatchObject({ status: 'cancelled', content: '' });
  },
  'an interruption': async () => {
    const gate = new AnswerGate();
    model.next({ steps: ['One', { hold: gate }] });
    const first = say(tenant.key, chat.id, 'is interrupted');
    await gate.reached;
    await ask(tenant.key, chat.id, 'interrupts');
    expect(bodyOf(await first).answer.status).toBe('cancelled');
  },
  'a question that is deleted': async () => {
    const { message } = await ask(tenant.key, chat.id, 'is deleted');
    await remove(message.id);
  },
  'an answer written anew': async () => {
    bodyOf(await tenant.key.post(`${chatPath(chat.id)}/regenerate`));
  },
};

describe('A2 a provider that wants turns', () => {
  it('A2: answers thirty of them, whatever goes wrong in between', async () => {
    const mishaps = Object.values(MISHAPS);
    for (let turn = 0; turn < 30; turn++) {
      const { answer } = await ask(tenant.key, chat.id, `turn ${turn}`);
      expect([turn, answer.status]).toEqual([turn, 'completed']);
      expect(told(-1).at(-1)?.content.endsWith(`turn ${turn}`)).toBe(true);
      await mishaps[turn % mishaps.length]?.();
    }
    const all = model.requests.map(({ body }) => objection(body['messages'] as Told[]));
    expect(all.filter((fault) => fault !== undefined)).toEqual([]);
    expect(JSON.stringify(told(-1))).not.toContain('is deleted');
  }, 120_000);
});

describe('A9 a model that reads little', () => {
  const long = (n: number) => `${n} ${'word '.repeat(700)}`;

  it('A9: is asked once more with half where it reads less than is known of it, and the chat goes on', async () => {
    for (let turn = 0; turn < 12; turn++) {
      const { answer } = await ask(tenant.key, chat.id, long(turn));
      expect([turn, answer.status]).toEqual([turn, 'completed']);
      expect(told(-1).at(-1)?.content.startsWith(`${turn} word`)).toBe(true);
    }
    // What it was found to read is remembered.
    expect(model.requests.length).toBeLessThan(16);
  }, 60_000);

  it('A9: gives up after the second refusal, and finds what fits when it is asked again', async () => {
    // Even half of a question alone is too much.
    const question = { content: 'x'.repeat(32_000), client_message_id: 'c' };
    expect((await say(tenant.key, chat.id, question)).status).toBe(502);
    expect(model.requests).toHaveLength(2);
    expect(bodyOf(await say(tenant.key, chat.id, question)).answer.status).toBe('completed');
    expect(told(-1).at(-1)?.content).toMatch(/^x+\n\[….*…\]\nx+$/);
  });

  it('A9: that of a preset which says so is told no more than that, at the first try', async () => {
    const preset = { name: 'tiny', systemPrompt: 'Be brief.', contextTokens: 1500 };
    expect((await tenant.key.post('/api/presets', preset)).status).toBe(201);
    chat = await createChat(tenant.key, 'alice', { preset: 'tiny' });
    for (let turn = 0; turn < 6; turn++) await ask(tenant.key, chat.id, long(turn));
    expect(model.requests).toHaveLength(6);
  });

  it('A9: hears of a giant answer that it is cut, and of what was said before it', async () => {
    expect(
      (await tenant.key.post('/api/presets', { name: 'tiny', systemPrompt: '', contextTokens: 1500 })).status,
    ).toBe(201);
    chat = await createChat(tenant.key, 'alice', { preset: 'tiny' });
    await ask(tenant.key, chat.id, 'My name is Ada');
    model.next({ steps: ['begin ', ...Array.from({ length: 70 }, () => 'y'.repeat(1000)), ' end'] });
    await ask(tenant.key, chat.id, 'Say much');
    await ask(tenant.key, chat.id, 'continue');
    const turns = told(-1).filter(({ role }) => role !== 'system');
    expect(turns[0]?.content).toBe('My name is Ada');
    expect(turns.at(-2)?.content).toMatch(/^begin y+\n\[… \d+ characters were left out here …\]\ny+ end$/);
    expect(turns.at(-1)?.content).toBe('continue');
    await until(
      () => messagesOf(tenant.key, chat.id),
      (all) => all.length === 6,
    );
  });
});
