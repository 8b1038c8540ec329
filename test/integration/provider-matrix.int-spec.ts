import { ManualClock } from '../../src/common/time';
import type { ModelPart } from '../../src/modules/models';
import { faultReasonOf } from '../../src/modules/models';
import { ChannelChoice } from '../../src/modules/models/routing/channel-choice';
import { SilentLog } from '../../src/platform/logging';
import { Metrics } from '../../src/platform/metrics';
import { outboundPost } from '../../src/platform/outbound';
import {
  bare,
  faults,
  FakeModel,
  AnswerGate,
  type ProviderServer,
  type ProviderScript,
  type AnswerStep,
} from '../support/fake-model';
import { endpointTo, testChannel, testModels } from '../support/models/channels';

/** What becomes of a request that goes to `main`, with a healthy `spare` behind it. */
type Outcome =
  /** `main` answers this text, and ends for this reason. */
  | { readonly text: string; readonly finish: string }
  /** `spare` answers; whether `main` is left alone after five of these says whose fault it is. */
  | { readonly fallback: 'channel' | 'request' | 'pace' }
  /** The request fails, and `spare` is not asked. */
  | { readonly fails: string }
  /** This text, and then the answer is cut: the run ends `interrupted`. */
  | { readonly cutAfter: string };

type Stage = 'before headers' | 'in the stream, before text' | 'in the stream, after text' | 'after the finish';
type Case = readonly [behaviour: string, stage: Stage, script: ProviderScript, outcome: Outcome];

const BEFORE = 'in the stream, before text';
const AFTER = 'in the stream, after text';
const FINISHED = 'after the finish';
const BOUNDS = { allowPrivate: true, connectMs: 20_000, maxBytes: 1_000_000, maxErrorBytes: 65_536 };
const CHANNELS = { fallback: 'channel' } as const;
const REQUESTS = { fallback: 'request' } as const;

/** A chunk that says something in `choices[0]`. */
const chunk = (choice: object): object => ({ object: 'chat.completion.chunk', choices: [{ index: 0, ...choice }] });
const delta = (fields: object, more: object = {}): object => chunk({ delta: fields, ...more });
const text = (content: string): object => delta({ content });
const finish = (finish_reason: string): object => chunk({ delta: {}, finish_reason });
const said = (...events: (object | string)[]): ProviderScript => bare(text('Hel'), text('lo'), ...events, '[DONE]');
const raw = (...steps: string[]): ProviderScript => ({ bare: true, steps: steps.map((step) => ({ raw: step })) });
const named = (event: string, data: object): string => `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
const json = (body: unknown, status = 200): ProviderScript => ({ status, body: JSON.stringify(body) });
/** The same with another end of each line. */
const lines = (end: string, ...events: object[]): ProviderScript => ({
  bare: true,
  steps: [...events.map((event) => `data: ${JSON.stringify(event)}`), 'data: [DONE]'].map((line): AnswerStep => ({
    raw: line + end + end,
    slowly: true,
  })),
});

/** A fault that is told in a document, in each of its shapes, by whose fault it is. */
const TOLD: readonly (readonly [name: string, told: object, outcome: Outcome])[] = [
  ['A1: {"error": {"code": 400}}', { error: { code: 400, message: 'no' } }, REQUESTS],
  ['A1: {"error": {"code": "400"}}', { error: { code: '400', message: 'no' } }, REQUESTS],
  ['A1: {"error": {"status": 404}}', { error: { status: 404, message: 'no' } }, REQUESTS],
  ['A1: model_not_found', { error: { code: 'model_not_found', message: 'The model `x` does not exist' } }, REQUESTS],
  ['A1: context_length_exceeded', { error: { code: 'context_length_exceeded', message: 'too long' } }, REQUESTS],
  ['A1: an overflow as llama.cpp tells it', { error: { code: 500, type: 'exceed_context_size_error' } }, REQUESTS],
  [
    'A1: an overflow as vLLM tells it',
    {
      object: 'error',
      message: "This model's maximum context length is 2048 tokens",
      type: 'BadRequestError',
      code: 400,
    },
    REQUESTS,
  ],
  ['A3: {"object": "error"}', { object: 'error', message: 'it fell over', code: 50001 }, CHANNELS],
  ['A3: {"detail"}', { detail: 'Internal problem' }, CHANNELS],
  ['A3: {"type": "error"}', { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } }, CHANNELS],
  ['A3: code and message without choices', { code: 'internal', message: 'it fell over' }, CHANNELS],
  ['A3: {"error": "text"}', { error: 'it fell over' }, CHANNELS],
  ['A8: a wrong key', { error: { code: 'invalid_api_key', message: 'Incorrect API key provided' } }, CHANNELS],
  ['A8: insufficient_quota', { error: { code: 'insufficient_quota', message: 'no quota' } }, CHANNELS],
  ['A8: a balance that is too low', { error: { code: 402, message: 'Insufficient Balance' } }, CHANNELS],
  ['A11: {"error": {"code": 429}}', { error: { code: 429, message: 'slow down' } }, { fallback: 'pace' }],
  [
    'A1: a refusal that quotes a user who writes of keys',
    { error: { code: 400, message: 'Cannot say: "incorrect api key, insufficient quota, rate limit"' } },
    REQUESTS,
  ],
];

const STATUSES: readonly Case[] = [
  ...[400, 404, 413, 422].map((status): Case => [
    `A1: HTTP ${status}`,
    'before headers',
    faults.status(status),
    REQUESTS,
  ]),
  ...[401, 402, 403, 408, 425, 500, 502, 503, 504].map((status): Case => [
    `A1: HTTP ${status}`,
    'before headers',
    faults.status(status),
    CHANNELS,
  ]),
  ['A11: HTTP 429', 'before headers', faults.status(429, { 'retry-after': '5' }), { fallback: 'pace' }],
  ['A3: a page', 'before headers', faults.html(), CHANNELS],
  [
    'A1: HTTP 429 for a request that is too large',
    'before headers',
    json({ error: { message: 'Request too large for gpt-4o', code: 'rate_limit_exceeded' } }, 429),
    REQUESTS,
  ],
  [
    'A1: HTTP 403 for what moderation has flagged',
    'before headers',
    json({ error: { code: 403, message: 'Your input was flagged', metadata: { reasons: ['x'] } } }, 403),
    { fails: 'content' },
  ],
  [
    'A1: a content filter',
    'before headers',
    json({ error: { code: 'content_filter', message: 'The response was filtered' } }, 400),
    { fails: 'content' },
  ],
  [
    'A8: a bad key with HTTP 400',
    'before headers',
    json([{ error: { code: 400, message: 'API key not valid.' } }], 400),
    CHANNELS,
  ],
];

const TOLD_IN_STREAM: readonly Case[] = TOLD.flatMap(([name, told, outcome]): Case[] => [
  [name, BEFORE, bare(told), outcome],
  [`${name}, as the whole answer`, BEFORE, json(told), outcome],
  [`${name}, as event: error`, BEFORE, raw(named('error', told)), outcome],
  [name, AFTER, bare(text('Hel'), text('lo'), told), { cutAfter: 'Hello' }],
]);

const ENDS: readonly Case[] = [
  ['A3: event: error with plain text', BEFORE, raw('event: error\ndata: it fell over\n\n'), CHANNELS],
  ['A3: nothing at all', BEFORE, bare(), CHANNELS],
  ['A3: only [DONE]', BEFORE, bare('[DONE]'), CHANNELS],
  ['A3: only comments', BEFORE, raw(': hello\n\n', ': hello\n\n'), CHANNELS],
  ['A3: only a finish reason', BEFORE, bare(finish('stop'), '[DONE]'), REQUESTS],
  ['A3: content_filter', BEFORE, bare(finish('content_filter'), '[DONE]'), { fails: 'content' }],
  ['A3: content_filter', AFTER, said(finish('content_filter')), { text: 'Hello', finish: 'content_filter' }],
  ['A3: tool_calls', BEFORE, { steps: [{ toolCall: 'look_up' }], finish: 'tool_calls' }, REQUESTS],
  ['A3: reasoning that used all', BEFORE, { steps: [{ reasoning: 'hm' }], finish: 'length' }, REQUESTS],
  ['A3: finish_reason error', BEFORE, bare(finish('error'), '[DONE]'), CHANNELS],
  ['A3: finish_reason error', AFTER, said(finish('error')), { cutAfter: 'Hello' }],
  ['A3: an error in the choice', AFTER, said(chunk({ error: { code: 502, message: 'no' } })), { cutAfter: 'Hello' }],
  [
    'A3: delta.refusal',
    BEFORE,
    bare(delta({ refusal: 'I will not' }), finish('stop')),
    { text: 'I will not', finish: 'refusal' },
  ],
  ['A10: max_tokens reached', AFTER, said(finish('length')), { text: 'Hello', finish: 'length' }],
  [
    'A11: finish_reason "" with each chunk, then cut',
    AFTER,
    bare(delta({ content: 'Hello' }, { finish_reason: '' })),
    { cutAfter: 'Hello' },
  ],
  [
    'A11: finish_reason "null" with each chunk, then cut',
    AFTER,
    bare(delta({ content: 'Hello' }, { finish_reason: 'null' })),
    { cutAfter: 'Hello' },
  ],
  [
    'A11: finish_reason "" and then stop',
    AFTER,
    bare(delta({ content: 'Hello' }, { finish_reason: '' }), finish('stop')),
    { text: 'Hello', finish: 'stop' },
  ],
  ['the connection is cut', BEFORE, faults.cut(), CHANNELS],
  ['the connection is cut', AFTER, faults.cut('Hel', 'lo'), { cutAfter: 'Hello' }],
  [
    'A11: the connection is cut',
    FINISHED,
    {
      bare: true,
      steps: [
        { raw: `data: ${JSON.stringify(text('Hello'))}\n\n` },
        { raw: `data: ${JSON.stringify(finish('stop'))}\n\n` },
        { cut: true },
      ],
    },
    { text: 'Hello', finish: 'stop' },
  ],
  ['garbage', BEFORE, faults.garbage(), CHANNELS],
  ['garbage', AFTER, faults.garbage('Hel', 'lo'), { cutAfter: 'Hello' }],
];

const SHAPES: readonly Case[] = [
  [
    'A3: content as parts',
    BEFORE,
    bare(
      delta({
        content: [
          { type: 'text', text: 'Hel' },
          { type: 'text', text: 'lo' },
        ],
      }),
      finish('stop'),
    ),
    { text: 'Hello', finish: 'stop' },
  ],
  [
    'A3: message for delta',
    BEFORE,
    bare(chunk({ message: { content: 'Hel' } }), chunk({ message: { content: 'lo' }, finish_reason: 'stop' })),
    { text: 'Hello', finish: 'stop' },
  ],
  [
    'A3: all of it as a message once more',
    FINISHED,
    bare(text('Hello'), finish('stop'), chunk({ message: { content: 'Hello' } })),
    { text: 'Hello', finish: 'stop' },
  ],
  [
    'A3: a byte order mark',
    BEFORE,
    raw('\ufeff', `data: ${JSON.stringify(text('Hello'))}\n\n`, `data: ${JSON.stringify(finish('stop'))}\n\n`),
    { text: 'Hello', finish: 'stop' },
  ],
  ['A3: bare CR', BEFORE, lines('\r', text('Hello'), finish('stop')), { text: 'Hello', finish: 'stop' }],
  ['A3: CR LF, byte by byte', BEFORE, lines('\r\n', text('Hello'), finish('stop')), { text: 'Hello', finish: 'stop' }],
  [
    'A3: a document instead of a stream',
    BEFORE,
    json({ choices: [{ index: 0, message: { role: 'assistant', content: 'Hello' }, finish_reason: 'stop' }] }),
    { text: 'Hello', finish: 'stop' },
  ],
  [
    'A3: a last event without its end',
    BEFORE,
    raw(`data: ${JSON.stringify(text('Hello'))}\n\n`, `data: ${JSON.stringify(finish('stop'))}`),
    { text: 'Hello', finish: 'stop' },
  ],
  [
    'A11: two choices, one by one',
    AFTER,
    bare(
      text('Hel'),
      { choices: [{ index: 1, delta: { content: 'Bye' } }] },
      {
        choices: [
          { index: 1, delta: { content: 'x' } },
          { index: 0, delta: { content: 'lo' } },
        ],
      },
      finish('stop'),
    ),
    { text: 'Hello', finish: 'stop' },
  ],
  [
    'A4: comments, empty choices and roles before it',
    BEFORE,
    raw(
      ': hi\n\n',
      `data: ${JSON.stringify({ choices: [] })}\n\n`,
      `data: ${JSON.stringify(delta({ role: 'assistant' }))}\n\n`,
      `data: ${JSON.stringify(text('Hello'))}\n\n`,
      `data: ${JSON.stringify(finish('stop'))}\n\n`,
    ),
    { text: 'Hello', finish: 'stop' },
  ],
];

describe('what a provider does, and what comes of it', () => {
  const servers = {} as Record<'main' | 'spare', ProviderServer>;

  beforeAll(async () => {
    servers.main = await FakeModel.start();
    servers.spare = await FakeModel.start();
  });
  afterEach(() => Object.values(servers).forEach((server) => server.reset()));
  afterAll(() => Promise.all(Object.values(servers).map((server) => server.stop())));

  function asking(maxAnswerBytes = 1_048_576): () => Promise<{ parts: ModelPart[]; error: unknown }> {
    const channels = (['main', 'spare'] as const).map((name, priority) =>
      testChannel(name, { priority, endpoint: () => endpointTo(servers[name].url, outboundPost(BOUNDS), 'sk-x') }),
    );
    const choice = new ChannelChoice(
      { of: () => Promise.resolve(channels) },
      { environment: undefined, echo: testChannel('echo') },
    );
    const log = new SilentLog();
    const models = testModels({ choice, log, metrics: new Metrics(log), clock: new ManualClock(), maxAnswerBytes });
    return async () => {
      const parts: ModelPart[] = [];
      const request = {
        tenantId: 't',
        messages: [{ role: 'user', content: 'hi' }] as const,
        signal: new AbortController().signal,
      };
      try {
        for await (const part of models.streamAnswer(request)) parts.push(part);
      } catch (error) {
        return { parts, error };
      }
      return { parts, error: undefined };
    };
  }

  const textOf = (parts: readonly ModelPart[]): string =>
    parts.map((part) => (part.type === 'delta' ? part.text : '')).join('');

  async function check(outcome: Outcome, ask: ReturnType<typeof asking>): Promise<void> {
    const { parts, error } = await ask();
    const start = parts[0]?.type === 'start' ? parts[0].channel : undefined;
    if ('text' in outcome) {
      expect([start, textOf(parts), error]).toEqual(['main', outcome.text, undefined]);
      expect(parts.at(-1)).toMatchObject({ type: 'end', finishReason: outcome.finish });
    } else if ('cutAfter' in outcome) {
      expect([start, textOf(parts)]).toEqual(['main', outcome.cutAfter]);
      expect(error).toMatchObject({ code: 'MODEL_ERROR', message: expect.stringMatching(/^The answer was cut/) });
    } else if ('fails' in outcome) {
      expect([start, faultReasonOf(error), servers.spare.requests.length]).toEqual([undefined, outcome.fails, 0]);
    } else {
      expect([start, textOf(parts), error]).toEqual(['spare', 'Hello from the fake model.', undefined]);
      await checkBlame(outcome.fallback, ask);
    }
  }

  /** A channel's fifth fault in a row closes it, a request's never, and a wish for a slower pace at once. */
  async function checkBlame(blame: 'channel' | 'request' | 'pace', ask: ReturnType<typeof asking>): Promise<void> {
    for (let i = 0; i < 5; i++) await ask();
    expect(servers.main.requests).toHaveLength({ channel: 5, request: 6, pace: 1 }[blame]);
  }

  it.each([...STATUSES, ...TOLD_IN_STREAM, ...ENDS, ...SHAPES])(
    '%s | %s',
    async (_behaviour, _stage, script, outcome) => {
      servers.main.otherwise = script;
      await check(outcome, asking());
    },
  );

  it('A11: a connection that stays open after the finish holds the answer for 2 s, and no longer', async () => {
    const gate = new AnswerGate();
    servers.main.next({ bare: true, steps: [...(bare(text('Hello'), finish('stop')).steps ?? []), { hold: gate }] });
    const { parts, error } = await asking()();
    expect([textOf(parts), error, parts.at(-1)]).toMatchObject(['Hello', undefined, { finishReason: 'stop' }]);
    expect(await (await servers.main.request(1)).closed).toBe('early');
    gate.open();
  });

  it('A11: what is told between the finish and 2 s later counts: the tokens', async () => {
    const gate = new AnswerGate();
    const usage = { choices: [], usage: { prompt_tokens: 70, completion_tokens: 7 } };
    servers.main.next({
      bare: true,
      steps: [...(bare(text('Hello'), finish('stop'), usage).steps ?? []), { hold: gate }],
    });
    const { parts } = await asking()();
    expect(parts.at(-1)).toMatchObject({ usage: { promptTokens: 70, completionTokens: 7, estimated: false } });
    gate.open();
  });

  it('A17: an answer ends with `length` where it is as long as it may be, between two characters', async () => {
    servers.main.next({ steps: ['x'.repeat(1022), '🚀', ' and so on', ' for ever'] });
    const { parts, error } = await asking(1024)();
    expect([textOf(parts), error]).toEqual(['x'.repeat(1022), undefined]);
    expect(parts.at(-1)).toMatchObject({ finishReason: 'length', usage: { completionTokens: 256, estimated: true } });
    expect(await (await servers.main.request(1)).closed).toBe('early');
  });

  it.each<[string, ProviderScript]>([
    ['zeros', { steps: ['Hello'], usage: { prompt: 0, completion: 0 } }],
    ['nothing', { steps: ['Hello'], usage: null }],
  ])('A5: %s reported for a text is estimated, reasoning included', async (_, script) => {
    servers.main.next({ ...script, steps: [{ reasoning: 'x'.repeat(400) }, 'Hello'] });
    const { parts } = await asking()();
    expect(parts.at(-1)).toMatchObject({ usage: { promptTokens: 1, completionTokens: 102, estimated: true } });
  });
});
