import { bare, type ProviderScript } from '../script';
import {
  AFTER,
  BEFORE,
  type Case,
  CHANNELS,
  COMMON,
  CONTENT,
  cutAfter,
  FINISHED,
  json,
  lines,
  type Matrix,
  PACE,
  raw,
  REQUESTS,
  STATUSES,
  type Told,
  toldEverywhere,
} from './matrix';

/** A chunk that says something in `choices[0]`. */
const chunk = (choice: object): object => ({ object: 'chat.completion.chunk', choices: [{ index: 0, ...choice }] });
const delta = (fields: object, more: object = {}): object => chunk({ delta: fields, ...more });
const text = (content: string): object => delta({ content });
const finish = (finish_reason: string): object => chunk({ delta: {}, finish_reason });
const said = (...events: (object | string)[]): ProviderScript => bare(text('Hel'), text('lo'), ...events, '[DONE]');

/** A fault that is told in a document, in each of its shapes, by whose fault it is. */
const TOLD: Told = [
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
  ['A11: {"error": {"code": 429}}', { error: { code: 429, message: 'slow down' } }, PACE],
  [
    'A1: a refusal that quotes a user who writes of keys',
    { error: { code: 400, message: 'Cannot say: "incorrect api key, insufficient quota, rate limit"' } },
    REQUESTS,
  ],
];

const REFUSALS: readonly Case[] = [
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
    CONTENT,
  ],
  [
    'A1: a content filter',
    'before headers',
    json({ error: { code: 'content_filter', message: 'The response was filtered' } }, 400),
    CONTENT,
  ],
  [
    'A8: a bad key with HTTP 400',
    'before headers',
    json([{ error: { code: 400, message: 'API key not valid.' } }], 400),
    CHANNELS,
  ],
];

const ENDS: readonly Case[] = [
  ['A3: only [DONE]', BEFORE, bare('[DONE]'), CHANNELS],
  ['A3: finish_reason error', BEFORE, bare(finish('error'), '[DONE]'), CHANNELS],
  ['A3: finish_reason error', AFTER, said(finish('error')), { cutAfter: 'Hello' }],
  ['A3: an error in the choice', AFTER, said(chunk({ error: { code: 502, message: 'no' } })), { cutAfter: 'Hello' }],
  [
    'A3: delta.refusal',
    BEFORE,
    bare(delta({ refusal: 'I will not' }), finish('stop')),
    { text: 'I will not', finish: 'refusal' },
  ],
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
  [
    'A11: finish_reason stop with each chunk',
    AFTER,
    bare(...['Hel', 'lo'].map((content) => delta({ content }, { finish_reason: 'stop' }))),
    { text: 'Hello', finish: 'stop' },
  ],
  ['A11: the connection is cut', FINISHED, cutAfter(text('Hello'), finish('stop')), { text: 'Hello', finish: 'stop' }],
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
  ['A3: bare CR', BEFORE, lines('\r', text('Hello'), finish('stop'), '[DONE]'), { text: 'Hello', finish: 'stop' }],
  [
    'A3: CR LF, byte by byte',
    BEFORE,
    lines('\r\n', text('Hello'), finish('stop'), '[DONE]'),
    { text: 'Hello', finish: 'stop' },
  ],
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

export const OPENAI_MATRIX: Matrix = {
  cases: [...STATUSES, ...REFUSALS, ...toldEverywhere(TOLD, text), ...COMMON, ...ENDS, ...SHAPES],
  text,
  finish: finish('stop'),
  account: { choices: [], usage: { prompt_tokens: 70, completion_tokens: 7 } },
};
