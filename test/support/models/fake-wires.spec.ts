import { createAnthropic } from '@ai-sdk/anthropic';
import { createGoogleGenerativeAI } from '@ai-sdk/google';
import { ANTHROPIC_WIRE } from './anthropic-wire';
import { PNG } from '../images';
import { GOOGLE_WIRE } from './google-wire';
import { ProviderServer, type Wire } from './provider-server';
import { AnswerGate, faults } from './script';

const prompt = [
  { role: 'system' as const, content: 'Be brief.' },
  { role: 'user' as const, content: [{ type: 'text' as const, text: 'hi' }] },
];

const MODELS = {
  anthropic: (baseURL: string) => createAnthropic({ baseURL, apiKey: 'sk-x' })('claude-haiku-4-5'),
  google: (baseURL: string) => createGoogleGenerativeAI({ baseURL, apiKey: 'sk-x' })('gemini-2.5-flash'),
};
const WIRES: readonly [keyof typeof MODELS, Wire][] = [
  ['anthropic', ANTHROPIC_WIRE],
  ['google', GOOGLE_WIRE],
];

/** Their own SDKs take the fakes for the real ones. */
describe.each(WIRES)('the fake of %s', (name, wire) => {
  let fake: ProviderServer;

  beforeAll(async () => {
    fake = await ProviderServer.start(wire);
  });
  afterEach(() => fake.reset());
  afterAll(() => fake.stop());

  async function streamed(): Promise<{ text: string; thought: string; errors: number; end: unknown }> {
    const { stream } = await MODELS[name](fake.url).doStream({ prompt });
    let [text, thought, errors, end] = ['', '', 0, undefined as unknown];
    for await (const part of stream as unknown as AsyncIterable<{ type: string; delta?: string }>) {
      if (part.type === 'text-delta') text += part.delta ?? '';
      if (part.type === 'reasoning-delta') thought += part.delta ?? '';
      if (part.type === 'error') errors++;
      if (part.type === 'finish') end = part;
    }
    return { text, thought, errors, end };
  }

  it('is taken for a model, streamed and whole', async () => {
    const usage = { inputTokens: { total: 11 }, outputTokens: { total: 6 } };
    expect(await streamed()).toMatchObject({
      ...{ text: 'Hello from the fake model.', errors: 0 },
      end: { finishReason: { unified: 'stop' }, usage },
    });
    const { content } = await MODELS[name](fake.url).doGenerate({ prompt });
    expect(content).toEqual([expect.objectContaining({ type: 'text', text: 'Hello from the fake model.' })]);
    expect(await fake.requests[0]?.closed).toBe('whole');
  });

  it('thinks, calls tools, counts what its cache had, and says why it ended', async () => {
    const usage = { prompt: 70, cached: 64, completion: 9 };
    fake.next({ steps: [{ reasoning: 'hm' }, 'so', { toolCall: 'look_up' }], finish: 'tool_calls', usage });
    expect(await streamed()).toMatchObject({
      ...{ text: 'so', thought: 'hm', errors: 0 },
      end: {
        finishReason: { unified: 'tool-calls' },
        usage: { inputTokens: { total: 70, cacheRead: 64 }, outputTokens: { total: 9 } },
      },
    });
    for (const [finish, unified] of [
      ['length', 'length'],
      ['content_filter', 'content-filter'],
    ] as const) {
      fake.next({ finish });
      expect((await streamed()).end).toMatchObject({ finishReason: { unified } });
    }
  });

  it('is shown images, and refuses what is none', async () => {
    const showing = (data: string) => ({
      role: 'user' as const,
      content: [
        { type: 'file' as const, mediaType: 'image/png', data },
        { type: 'text' as const, text: 'what is it?' },
      ],
    });
    const { content } = await MODELS[name](fake.url).doGenerate({ prompt: [showing(PNG.toString('base64'))] });
    expect(content).toMatchObject([{ type: 'text' }]);
    const other = Buffer.from('no image').toString('base64');
    await expect(MODELS[name](fake.url).doGenerate({ prompt: [showing(other)] })).rejects.toMatchObject({
      statusCode: 400,
    });
  });

  it('fails as it is told', async () => {
    fake.next(faults.status(403), faults.errorEvent('Hel'), faults.garbage('Hel'), { steps: [{ bytewise: '👩‍🚀' }] });
    await expect(streamed()).rejects.toMatchObject({ statusCode: 403, message: 'fault 403' });
    expect(await streamed()).toMatchObject({ text: 'Hel', errors: 1 });
    expect(await streamed()).toMatchObject({ text: 'Hel after', errors: 1 });
    expect(await streamed()).toMatchObject({ text: '👩‍🚀', errors: 0 });
    fake.next(faults.cut('Hel'));
    await expect(streamed()).rejects.toThrow();
  });

  it('waits at a gate, and sees when somebody hangs up', async () => {
    const gate = new AnswerGate();
    fake.next(faults.silentAfter(gate, 'Hel', 'lo'));
    const abort = new AbortController();
    const { stream } = await MODELS[name](fake.url).doStream({ prompt, abortSignal: abort.signal });
    await gate.reached;
    abort.abort();
    await expect(stream.pipeTo(new WritableStream())).rejects.toThrow();
    expect(await (await fake.request(1)).closed).toBe('early');
  });
});

const VERSION = { 'anthropic-version': '2023-06-01', 'x-api-key': 'k' };
const KEY = { 'x-goog-api-key': 'k' };
const STREAM = '/v1beta/models/gemini-2.5-pro:streamGenerateContent?alt=sse';
const says = (...roles: string[]): object[] => roles.map((role) => ({ role, content: 'x' }));
const contents = (...roles: string[]): object[] => roles.map((role) => ({ role, parts: [{ text: 'x' }] }));
const message = (fields: object): object => ({ model: 'm', max_tokens: 5000, messages: says('user'), ...fields });
const content = (fields: object): object => ({ contents: contents('user'), ...fields });

type Refused = readonly [
  what: string,
  path: string,
  headers: Readonly<Record<string, string>>,
  body: object,
  status: number,
];

const REFUSED_BY_ANTHROPIC: readonly Refused[] = [
  ['another path', '/v1/complete', VERSION, message({}), 404],
  ['no key', '/v1/messages', { 'anthropic-version': '2023-06-01' }, message({}), 401],
  ['no version', '/v1/messages', { 'x-api-key': 'k' }, message({}), 400],
  ['no model', '/v1/messages', VERSION, message({ model: undefined }), 400],
  ['no limit', '/v1/messages', VERSION, message({ max_tokens: undefined }), 400],
  ['a limit of 0', '/v1/messages', VERSION, message({ max_tokens: 0 }), 400],
  ['no messages', '/v1/messages', VERSION, message({ messages: [] }), 400],
  ['a system message', '/v1/messages', VERSION, message({ messages: says('system', 'user') }), 400],
  ['the model first', '/v1/messages', VERSION, message({ messages: says('assistant', 'user') }), 400],
  ['two of one role', '/v1/messages', VERSION, message({ messages: says('user', 'user') }), 400],
  ['the model last', '/v1/messages', VERSION, message({ messages: says('user', 'assistant') }), 400],
  ['a blank message', '/v1/messages', VERSION, message({ messages: [{ role: 'user', content: ' ' }] }), 400],
  ['a seed', '/v1/messages', VERSION, message({ seed: 1 }), 400],
  ['much temperature', '/v1/messages', VERSION, message({ temperature: 1.1 }), 400],
  ['temperature and top_p', '/v1/messages', VERSION, message({ temperature: 1, top_p: 1 }), 400],
  ['a blank stop', '/v1/messages', VERSION, message({ stop_sequences: ['\n'] }), 400],
  [
    'an open schema',
    '/v1/messages',
    VERSION,
    message({ output_config: { format: { type: 'json_schema', schema: { items: [{ type: 'object' }] } } } }),
    400,
  ],
  ['a small budget', '/v1/messages', VERSION, message({ thinking: { type: 'enabled', budget_tokens: 1000 } }), 400],
  ['a large budget', '/v1/messages', VERSION, message({ thinking: { type: 'enabled', budget_tokens: 5000 } }), 400],
];

const REFUSED_BY_GOOGLE: readonly Refused[] = [
  ['another path', '/v1beta/models/x:predict', KEY, content({}), 404],
  ['no events', STREAM.replace('?alt=sse', ''), KEY, content({}), 400],
  ['no key', STREAM, {}, content({}), 403],
  ['no contents', STREAM, KEY, content({ contents: [] }), 400],
  ['a role of others', STREAM, KEY, content({ contents: contents('assistant') }), 400],
  ['the model first', STREAM, KEY, content({ contents: contents('model', 'user') }), 400],
  ['two of one role', STREAM, KEY, content({ contents: contents('user', 'user') }), 400],
  ['an empty part', STREAM, KEY, content({ contents: [{ role: 'user', parts: [] }] }), 400],
  ['a name of others', STREAM, KEY, content({ messages: [] }), 400],
  ['a parameter of others', STREAM, KEY, content({ generationConfig: { max_tokens: 1 } }), 400],
  ['a large seed', STREAM, KEY, content({ generationConfig: { seed: 2 ** 31 } }), 400],
  ['no thinking', STREAM, KEY, content({ generationConfig: { thinkingConfig: { thinkingBudget: 0 } } }), 400],
  ['a schema for text', STREAM, KEY, content({ generationConfig: { responseJsonSchema: {} } }), 400],
  [
    'a system prompt for Gemma',
    '/v1beta/models/gemma-3-27b-it:streamGenerateContent?alt=sse',
    KEY,
    content({ systemInstruction: { parts: [] } }),
    400,
  ],
];

describe.each([
  ['anthropic', ANTHROPIC_WIRE, REFUSED_BY_ANTHROPIC],
  ['google', GOOGLE_WIRE, REFUSED_BY_GOOGLE],
] as const)('the fake of %s refuses what the real one would refuse:', (_name, wire, cases) => {
  let fake: ProviderServer;

  beforeAll(async () => {
    fake = await ProviderServer.start(wire);
  });
  afterAll(() => fake.stop());

  it.each(cases)('%s', async (_what, path, headers, body, expected) => {
    const { status } = await fetch(new URL(path, fake.url), { method: 'POST', headers, body: JSON.stringify(body) });
    expect(status).toBe(expected);
  });
});
