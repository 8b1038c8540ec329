import { ManualClock } from '../../src/common/time';
import { AppError } from '../../src/common/errors';
import type { Channel } from '../../src/modules/models/channels/channel-directory';
import type { ModelPart, ModelRequest, ModelUsage } from '../../src/modules/models';
import { OPEN_MS } from '../../src/modules/models/routing/gates';
import { ChannelChoice } from '../../src/modules/models/routing/channel-choice';
import type { ModelsService } from '../../src/modules/models/routing/models.service';
import { SilentLog } from '../../src/platform/logging';
import { Metrics } from '../../src/platform/metrics';
import { outboundPost } from '../../src/platform/outbound';
import { faults, FakeModel, AnswerGate, type ProviderServer, type ProviderScript } from '../support/fake-model';
import { endpointTo, testChannel, testModels } from '../support/models/channels';
import { RecordingLog } from '../support/recording-log';

const BOUNDS = { allowPrivate: true, connectMs: 20_000, maxBytes: 1_000_000, maxErrorBytes: 1000 };
const PRICED: Partial<Channel> = { prices: { input: 1_000_000, output: 1_000_000 } };
const SUM = { promptTokens: 13, completionTokens: 122, totalTokens: 135 };
const MESSAGES = [{ role: 'user', content: 'hello' }] as const;

/** The parts of an answer as one line each. */
function line(part: ModelPart): string {
  if (part.type === 'start') return `start ${part.channel} ${part.model}`;
  if (part.type === 'reasoning') return `thinks ${part.text}`;
  return part.type === 'delta' ? part.text : `end ${part.finishReason} ${part.usage.totalTokens}`;
}

/** Two channels over real connections to two fakes, and the environment's to a third where a test says so. */
describe('models: channels, fallback and breakers', () => {
  let servers: Record<'main' | 'spare', ProviderServer>;
  let clock: ManualClock;
  let metrics: Metrics;
  let log: RecordingLog;
  let channels: Channel[];
  let models: ModelsService;

  beforeAll(async () => {
    servers = { main: await FakeModel.start(), spare: await FakeModel.start() };
  });
  beforeEach(() => {
    clock = new ManualClock();
    metrics = new Metrics(new SilentLog());
    log = new RecordingLog();
    channels = [channel('main', 0), channel('spare', 1)];
    const choice = new ChannelChoice({ of: () => Promise.resolve(channels) }, { environment: undefined, echo: ECHO });
    models = testModels({ choice, metrics, log, clock });
  });
  afterEach(() => Object.values(servers).forEach((server) => server.reset()));
  afterAll(() => Promise.all(Object.values(servers).map((server) => server.stop())));

  const ECHO = { ...channel('main', 0), key: 'echo', name: 'echo', provider: 'echo', model: 'echo' };

  function channel(name: 'main' | 'spare', priority: number, values: Partial<Channel> = {}): Channel {
    const endpoint = () => endpointTo(servers[name].url, outboundPost(BOUNDS), 'sk-x');
    return testChannel(name, { priority, endpoint, ...values });
  }

  async function ask(request: Partial<ModelRequest> = {}): Promise<{ lines: string[]; error: unknown }> {
    const signal = new AbortController().signal;
    const lines: string[] = [];
    try {
      for await (const part of models.streamAnswer({ tenantId: 't', messages: MESSAGES, signal, ...request }))
        lines.push(line(part));
    } catch (error) {
      return { lines, error };
    }
    return { lines, error: undefined };
  }

  async function usageOf(request: Partial<ModelRequest>): Promise<ModelUsage | undefined> {
    const signal = new AbortController().signal;
    for await (const part of models.streamAnswer({ tenantId: 't', messages: MESSAGES, signal, ...request }))
      if (part.type === 'end') return part.usage;
    return undefined;
  }

  async function failsWith(code: string): Promise<AppError> {
    const { error } = await ask();
    expect(error).toBeInstanceOf(AppError);
    expect((error as AppError).code).toBe(code);
    return error as AppError;
  }

  async function metric(name: string): Promise<string[]> {
    return (await metrics.text()).split('\n').filter((row) => row.startsWith(name) && !row.endsWith(' 0'));
  }

  const answer = (...steps: string[]): ProviderScript => ({ steps, usage: { prompt: 1, completion: 2 } });

  it('says who answers, then the answer, then its end', async () => {
    servers.main.next(answer('a', 'b'));
    expect(await ask()).toEqual({ lines: ['start main model-of-main', 'a', 'b', 'end stop 3'], error: undefined });
    expect(await metric('chatapi_model_requests_total')).toEqual([
      'chatapi_model_requests_total{outcome="completed"} 1',
    ]);
    expect(await metric('chatapi_model_first_token_seconds_count')).toEqual([
      'chatapi_model_first_token_seconds_count 1',
    ]);
  });

  it("takes what the request says before what the channel says, and that before the provider's own", async () => {
    channels = [channel('main', 0, { maxTokens: 50, temperature: 0 })];
    await ask();
    await ask({ model: 'other', temperature: 1.5, maxTokens: 9 });
    const bodies = servers.main.requests.map(({ body: { model, temperature, max_tokens } }) => [
      model,
      temperature,
      max_tokens,
    ]);
    expect(bodies).toEqual([
      ['model-of-main', 0, 50],
      ['other', 1.5, 9],
    ]);
  });

  it.each<[string, ProviderScript, number?]>([
    ['HTTP 500', faults.status(500)],
    ['HTTP 401', faults.status(401)],
    ['HTTP 400', faults.status(400)],
    ['a page', faults.html(), 2],
    ['garbage', faults.garbage(), 2],
    ['a cut', faults.cut(), 2],
  ])('falls back to the next channel after %s before the first token', async (_, script, begun = 0) => {
    servers.main.next(script);
    servers.spare.next(answer('b'));
    expect((await ask()).lines).toEqual(['start spare model-of-spare', 'b', `end stop ${3 + begun}`]);
    expect(await metric('chatapi_model_fallbacks_total')).toEqual(['chatapi_model_fallbacks_total 1']);
    expect(log.lines).toEqual([expect.objectContaining({ level: 'warn', message: 'model channel failed' })]);
    expect(JSON.stringify(log.lines)).not.toMatch(/sk-x|127\.0\.0\.1|hello/);
  });

  it('falls back after what a channel has thought: what the next one thinks is a paragraph of its own', async () => {
    servers.main.next({ steps: [{ reasoning: 'hm' }, { cut: true }] });
    servers.spare.next({
      steps: [{ reasoning: 'well' }, { reasoning: '…' }, 'b'],
      usage: { prompt: 1, completion: 2 },
    });
    const { lines, error } = await ask();
    const thoughts = ['thinks hm', 'thinks \n\nwell', 'thinks …'];
    expect([lines, error]).toEqual([[...thoughts, 'start spare model-of-spare', 'b', 'end stop 6'], undefined]);
  });

  it('charges what a failed channel has thought, and what was spent before, with the answer of the next', async () => {
    channels = [channel('main', 0, PRICED), channel('spare', 1, PRICED)];
    servers.main.next({ steps: [{ reasoning: 'x'.repeat(400) }, { cut: true }] });
    servers.spare.next(answer('b'));
    const spentBefore = { promptTokens: 10, completionTokens: 20, totalTokens: 30, estimated: false, cost: 7 };
    const usage = await usageOf({ spentBefore });
    // 10 + 2 + 1 of prompts, 20 + 100 + 2 of answers: each million costs a million.
    expect(usage).toEqual({ ...SUM, estimated: true, cost: 7 + 102 + 3 });
  });

  it('says what failed channels have thought, and what was spent before, where none answers', async () => {
    for (const server of [servers.main, servers.spare])
      server.next({ steps: [{ reasoning: 'x'.repeat(40) }, { cut: true }] });
    const spentBefore = { promptTokens: 10, completionTokens: 20, totalTokens: 30, estimated: false };
    let spent: ModelUsage | undefined;
    await ask({ spentBefore, onSpent: (usage) => (spent = usage) });
    expect(spent).toMatchObject({ promptTokens: 14, completionTokens: 40, totalTokens: 54 });
  });

  it('counts images as nothing where no channel is shown any', async () => {
    const image = { mediaType: 'image/png', base64: 'x', tokens: 900 } as const;
    const messages = [{ content: 'a' }, { content: 'b', images: [image] }];
    expect(await models.weighed('t', undefined, messages)).toEqual([
      { content: 'a' },
      { content: 'b', images: [{ ...image, tokens: 0 }] },
    ]);
    channels = [channel('main', 0), channel('spare', 1, { vision: true })];
    expect(await models.weighed('t', undefined, messages)).toBe(messages);
  });

  it('keeps all channels of an answer within one bound', async () => {
    const thinks = { steps: [{ reasoning: 'x'.repeat(32) }, { cut: true as const }] };
    servers.main.next(thinks);
    servers.spare.next(answer('12345678', '9'));
    const bound = { tokens: 10, more: () => Promise.resolve(false) };
    const { lines } = await ask({ bound });
    // 8 of 10 tokens were thought by the other.
    expect(lines.slice(2)).toEqual(['12345678', 'end budget 14']);
  });

  it('never falls back after the first token: the answer is cut', async () => {
    servers.main.next(faults.cut('a'));
    const { lines, error } = await ask();
    expect(lines).toEqual(['start main model-of-main', 'a']);
    expect(error).toMatchObject({
      code: 'MODEL_ERROR',
      message: expect.stringContaining('The answer was cut: channel "main"'),
    });
    expect(servers.spare.requests).toHaveLength(0);
    expect(await metric('chatapi_model_requests_total')).toEqual(['chatapi_model_requests_total{outcome="cut"} 1']);
  });

  it('names every channel that failed, and how, when all have', async () => {
    servers.main.next(faults.status(500));
    servers.spare.next(faults.status(429));
    const { message } = await failsWith('MODEL_ERROR');
    expect(message).toBe('No model has answered: channel "main" answered HTTP 500; channel "spare" answered HTTP 429');
    expect(await metric('chatapi_model_requests_total')).toEqual(['chatapi_model_requests_total{outcome="failed"} 1']);
  });

  it('leaves a channel alone that has failed again and again, tries it once after a while, and then trusts it', async () => {
    servers.main.otherwise = faults.status(500);
    for (let i = 0; i < 7; i++) expect((await ask()).error).toBeUndefined();
    expect([servers.main.requests.length, servers.spare.requests.length]).toEqual([5, 7]);
    clock.advance(OPEN_MS);
    const gate = new AnswerGate();
    servers.main.otherwise = faults.silentAfter(gate);
    const probe = ask();
    await gate.reached;
    expect((await ask()).lines[0]).toBe('start spare model-of-spare');
    gate.open();
    expect((await probe).lines[0]).toBe('start main model-of-main');
    servers.main.otherwise = {};
    expect((await ask()).lines[0]).toBe('start main model-of-main');
    expect(servers.main.requests).toHaveLength(7);
  });

  it('a request that would fail anywhere breaks no channel', async () => {
    servers.main.otherwise = faults.status(400);
    servers.spare.otherwise = faults.status(422);
    for (let i = 0; i < 6; i++) await failsWith('MODEL_ERROR');
    await models.available('t');
    expect(servers.main.requests).toHaveLength(6);
  });

  it('is unavailable while all channels are left alone, and says until when', async () => {
    servers.main.otherwise = servers.spare.otherwise = faults.status(503);
    for (let i = 0; i < 5; i++) await failsWith('MODEL_ERROR');
    clock.advance(OPEN_MS - 2500);
    const error = await failsWith('CHANNEL_UNAVAILABLE');
    expect([error.status, error.retryAfterSeconds]).toEqual([503, 3]);
    await expect(models.available('t')).rejects.toMatchObject({ code: 'CHANNEL_UNAVAILABLE', retryAfterSeconds: 3 });
    expect(servers.main.requests).toHaveLength(5);
    expect(await metric('chatapi_model_requests_total')).toContain(
      'chatapi_model_requests_total{outcome="unavailable"} 1',
    );
    clock.advance(2500);
    await models.available('t');
  });

  it('is unavailable where all channels are disabled', async () => {
    channels = [channel('main', 0, { enabled: false })];
    expect((await failsWith('CHANNEL_UNAVAILABLE')).message).toBe('All model channels are disabled');
    await expect(models.available('t')).rejects.toMatchObject({ retryAfterSeconds: 30 });
  });

  it('a channel that was changed starts anew', async () => {
    servers.main.otherwise = faults.status(500);
    channels = [channel('main', 0)];
    for (let i = 0; i < 5; i++) await failsWith('MODEL_ERROR');
    await failsWith('CHANNEL_UNAVAILABLE');
    servers.main.otherwise = {};
    channels = [channel('main', 0, { key: 'main, changed' })];
    expect((await ask()).error).toBeUndefined();
  });

  it('a key that cannot be read is a fault of that channel', async () => {
    const endpoint = (): never => {
      throw new Error('Encrypted with key 1234: add it to ENCRYPTION_KEYS_OLD');
    };
    channels = [channel('main', 0, { endpoint }), channel('spare', 1)];
    expect((await ask()).lines[0]).toBe('start spare model-of-spare');
  });

  it('echoes where there is no channel', async () => {
    channels = [];
    const { lines } = await ask();
    expect(lines[0]).toBe('start echo echo');
    expect(lines.slice(1, -1).join('')).toMatch(/^No model is configured.*You said: hello$/s);
    await models.available('t');
  });

  it('throws the reason of whoever stops it, at once, and says nothing against the channel', async () => {
    for (let i = 0; i < 6; i++) {
      const [gate, abort, reason] = [new AnswerGate(), new AbortController(), new Error('stopped')];
      servers.main.next(faults.silentAfter(gate, ...(i % 2 === 0 ? ['a'] : [])));
      const asked = ask({ signal: abort.signal });
      await gate.reached;
      abort.abort(reason);
      expect((await asked).error).toBe(reason);
      expect(await (await servers.main.request(i + 1)).closed).toBe('early');
      gate.open();
    }
    expect(servers.spare.requests).toHaveLength(0);
    expect(await metric('chatapi_model_requests_total')).toEqual([
      'chatapi_model_requests_total{outcome="cancelled"} 6',
    ]);
    servers.main.next(answer('a'));
    expect((await ask()).lines[0]).toBe('start main model-of-main');
  });

  it('closes the connection when its reader leaves', async () => {
    const gate = new AnswerGate();
    servers.main.next(faults.silentAfter(gate, 'a'));
    const signal = new AbortController().signal;
    for await (const part of models.streamAnswer({ tenantId: 't', messages: MESSAGES, signal }))
      if (part.type === 'delta') break;
    expect(await (await servers.main.request(1)).closed).toBe('early');
    expect(await metric('chatapi_model_requests_total')).toEqual([
      'chatapi_model_requests_total{outcome="cancelled"} 1',
    ]);
    gate.open();
  });
});
