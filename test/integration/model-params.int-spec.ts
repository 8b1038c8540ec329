import { ManualClock } from '../../src/common/time';
import type { ModelRequest } from '../../src/modules/models';
import { type ChannelParams, paramsOf } from '../../src/modules/models/channels/channels.repository';
import { type Channel, environmentChannel } from '../../src/modules/models/channels/channel-directory';
import { ChannelChoice } from '../../src/modules/models/routing/channel-choice';
import { loadConfig } from '../../src/config';
import { SilentLog } from '../../src/platform/logging';
import { Metrics } from '../../src/platform/metrics';
import { outboundPost } from '../../src/platform/outbound';
import type { Endpoint } from '../../src/modules/models/providers/chat-model';
import { faults, FakeModel, ProviderServer, chatRefusal } from '../support/fake-model';
import { ANTHROPIC_WIRE, anthropicError } from '../support/models/anthropic-wire';
import { endpointTo, testChannel, testModels } from '../support/models/channels';

const POST = outboundPost({ allowPrivate: true, connectMs: 20_000, maxBytes: 1_000_000, maxErrorBytes: 65_536 });

/** Providers that refuse what others want, and what is asked of them. */
describe('A7: how a channel wants to be asked', () => {
  let server: ProviderServer;
  let spare: ProviderServer;

  beforeAll(async () => {
    server = await FakeModel.start();
    spare = await FakeModel.start();
  });
  afterEach(() => [server, spare].forEach((each) => each.reset()));
  afterAll(() => Promise.all([server.stop(), spare.stop()]));

  const channel = (values: Partial<Channel> = {}, params: Partial<ChannelParams> = {}): Channel =>
    testChannel('main', { endpoint: () => endpointTo(server.url, POST, 'sk-x'), params: paramsOf(params), ...values });

  function asking(channels: readonly Channel[]): (request?: Partial<ModelRequest>) => Promise<string> {
    const log = new SilentLog();
    const choice = new ChannelChoice(
      { of: () => Promise.resolve(channels) },
      { environment: undefined, echo: testChannel('echo') },
    );
    const models = testModels({ choice, log, metrics: new Metrics(log), clock: new ManualClock() });
    return async (request = {}) => {
      let text = '';
      const { signal } = new AbortController();
      const messages = [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'hi' },
      ] as const;
      for await (const part of models.streamAnswer({ tenantId: 't', messages, signal, ...request }))
        if (part.type === 'start') text = part.model;
      return text;
    };
  }

  const bodies = (): readonly Readonly<Record<string, unknown>>[] => server.requests.map(({ body }) => body);
  const has = (name: string): boolean[] => bodies().map((body) => name in body);

  it('max_completion_tokens where max_tokens is refused: asked once more, and then right from the start', async () => {
    const words = "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens'.";
    server.refuse = ({ body }) => ('max_tokens' in body ? chatRefusal(400, words, 'unsupported_parameter') : undefined);
    const ask = asking([channel()]);
    await ask({ maxTokens: 50 });
    await ask({ maxTokens: 60 });
    expect(bodies().map((body) => [body['max_tokens'], body['max_completion_tokens']])).toEqual([
      [50, undefined],
      [undefined, 50],
      [undefined, 60],
    ]);
  });

  it('no stream_options where they are refused, also together with the tokens', async () => {
    server.refuse = ({ body }) => {
      if ('max_tokens' in body) return chatRefusal(400, 'max_tokens is not supported');
      const detail = [{ loc: ['body', 'stream_options'], msg: 'extra fields not permitted' }];
      return 'stream_options' in body ? { status: 422, body: { detail } } : undefined;
    };
    const ask = asking([channel()]);
    await ask({ maxTokens: 50 });
    await ask({ maxTokens: 50 });
    expect(has('stream_options')).toEqual([true, true, false, false]);
  });

  it('a limit that is too high is refused twice, teaches nothing, and is the fault of the request', async () => {
    server.refuse = ({ body }) =>
      Object.values(body).includes(9000) ? chatRefusal(400, 'max_tokens is too large: 9000') : undefined;
    const ask = asking([channel()]);
    await expect(ask({ maxTokens: 9000 })).rejects.toMatchObject({
      code: 'MODEL_ERROR',
      details: { reason: 'request' },
    });
    await ask({ maxTokens: 50 });
    expect(bodies().at(-1)).toMatchObject({ max_tokens: 50 });
    expect(server.requests).toHaveLength(3);
  });

  it("a limit that is too high is asked once where the protocol has one name for it: Anthropic's", async () => {
    const claude = await ProviderServer.start(ANTHROPIC_WIRE);
    claude.refuse = () => ({ status: 400, body: anthropicError(400, 'max_tokens: 90000 > 64000') });
    const endpoint = (): Endpoint => endpointTo(claude.url, POST, 'sk-x', 'x-api-key');
    const error = { code: 'MODEL_ERROR', details: { reason: 'request' } };
    await expect(asking([channel({ provider: 'anthropic', endpoint })])({ maxTokens: 90_000 })).rejects.toMatchObject(
      error,
    );
    expect(claude.requests).toHaveLength(1);
    await claude.stop();
  });

  it('what the channel says is not tried otherwise', async () => {
    server.refuse = ({ body }) => ('stream_options' in body ? chatRefusal(400, 'stream_options?') : undefined);
    await expect(asking([channel({}, { streamOptions: true })])()).rejects.toMatchObject({ code: 'MODEL_ERROR' });
    await asking([channel({}, { streamOptions: false, maxTokensField: 'max_completion_tokens' })])({ maxTokens: 5 });
    expect(has('stream_options')).toEqual([true, false]);
    expect(bodies()[1]).toMatchObject({ max_completion_tokens: 5 });
  });

  it('all that a preset or a request asks for is sent, and nothing else', async () => {
    const responseFormat = { type: 'json_schema', json_schema: { name: 'a', schema: { type: 'object' } } } as const;
    const more = { topP: 0.5, stop: ['END'], reasoningEffort: 'low', responseFormat, seed: 7 } as const;
    const ask = asking([channel({}, { systemRole: 'developer', extra: { top_k: 40, temperature: 1 } })]);
    await ask({ model: 'o3', maxTokens: 9, temperature: 0.1, ...more });
    await ask();
    const { messages, ...body } = bodies()[0] ?? {};
    expect(messages).toMatchObject([{ role: 'developer' }, { role: 'user' }]);
    expect(body).toEqual({
      ...{ model: 'o3', max_completion_tokens: 9, temperature: 0.1, top_p: 0.5, stop: ['END'], seed: 7, top_k: 40 },
      ...{ reasoning_effort: 'low', response_format: responseFormat, stream: true },
      stream_options: { include_usage: true },
    });
    expect(Object.keys(bodies()[1] ?? {}).sort()).toEqual(
      ['messages', 'model', 'stream', 'stream_options', 'temperature', 'top_k'].sort(),
    );
  });

  it('the query of the base URL and the api-key header of Azure', async () => {
    const env = { OPENAI_API_KEY: 'azure-key', OPENAI_AUTH_HEADER: 'api-key' };
    const { models } = loadConfig({ ...env, OPENAI_BASE_URL: `${server.url}/?api-version=2024-06-01` });
    const environment = environmentChannel(models, POST);
    if (environment === undefined) throw new Error('there is no channel of the environment');
    await asking([environment])();
    const { url, headers } = await server.request(1);
    expect(url).toBe('/v1/chat/completions?api-version=2024-06-01');
    expect([headers['api-key'], headers['authorization']]).toEqual(['azure-key', undefined]);
  });

  it.each<[string, string, Partial<Channel>, Partial<Channel>, string]>([
    [
      "another vendor's fallback is asked for its own",
      'gpt-4o',
      { model: 'gpt-4o-mini' },
      { model: 'claude-3' },
      'claude-3',
    ],
    ["one of the same family for the preset's", 'gpt-4o', { model: 'gpt-4o-mini' }, { model: 'gpt-4.1' }, 'gpt-4o'],
    [
      'one that has a name for it for that',
      'smart',
      { models: { smart: 'gpt-5' } },
      { models: { smart: 'opus' } },
      'opus',
    ],
    ['one of an unknown family for its own', 'gpt-4o', { model: 'gpt-4o-mini' }, { model: 'orca' }, 'orca'],
    ["a second key of the same service for the preset's", 'orca-2', { baseUrl: 'x' }, { baseUrl: 'x' }, 'orca-2'],
  ])('A11: %s', async (_, model, main, second, expected) => {
    server.otherwise = faults.status(500);
    const fallback = { priority: 1, endpoint: () => endpointTo(spare.url, POST, 'sk-x') };
    expect(await asking([channel(main), { ...channel(second), ...fallback, key: 'spare' }])({ model })).toBe(expected);
    expect(server.requests[0]?.body['model']).toBe(main.models?.['smart'] ?? model);
  });

  it('A9: how much a model reads is what its channel says, else what is known of it', async () => {
    const log = new SilentLog();
    const of = (channels: readonly Channel[], model?: string): Promise<number> => {
      const choice = new ChannelChoice(
        { of: () => Promise.resolve(channels) },
        { environment: undefined, echo: testChannel('echo') },
      );
      return testModels({ choice, log, metrics: new Metrics(log), clock: new ManualClock() }).contextTokens('t', model);
    };
    expect(await of([channel({ contextTokens: 2048 })])).toBe(2048);
    expect(await of([channel({ model: 'gpt-4' })])).toBe(8192);
    expect(await of([channel({ model: 'gpt-4' })], 'gpt-4o')).toBe(128_000);
    expect(await of([channel()])).toBe(16_000);
    expect(await of([channel({ enabled: false })])).toBe(16_000);
  });
});
