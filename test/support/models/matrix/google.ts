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

type Json = Readonly<Record<string, unknown>>;

const chunk = (candidate: Json, more: Json = {}): Json => ({ candidates: [{ index: 0, ...candidate }], ...more });
const parts = (...all: Json[]): Json => chunk({ content: { role: 'model', parts: all } });
const text = (said: string): Json => parts({ text: said });
const finish = (finishReason: string): Json => chunk({ finishReason });
const said = (...events: object[]): ProviderScript => bare(text('Hel'), text('lo'), ...events);
const error = (code: number, status: string, message: string, details: readonly Json[] = []): Json => ({
  error: { code, message, status, ...(details.length === 0 ? {} : { details }) },
});
const OK = { text: 'Hello', finish: 'stop' } as const;

const TOLD: Told = [
  ['A1: INVALID_ARGUMENT', error(400, 'INVALID_ARGUMENT', 'Unknown name "x": Cannot find field.'), REQUESTS],
  ['A1: NOT_FOUND', error(404, 'NOT_FOUND', 'models/x is not found for API version v1beta'), REQUESTS],
  ['A1: a name without a status', { error: { status: 'NOT_FOUND', message: 'models/x' } }, REQUESTS],
  [
    'A1: an overflow',
    error(
      400,
      'INVALID_ARGUMENT',
      'The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).',
    ),
    REQUESTS,
  ],
  [
    'A1: a refusal that quotes a user who writes of keys',
    error(400, 'INVALID_ARGUMENT', 'Cannot say: "API key not valid, quota exceeded, rate limit"'),
    REQUESTS,
  ],
  ['A3: INTERNAL', error(500, 'INTERNAL', 'An internal error has occurred.'), CHANNELS],
  ['A3: UNAVAILABLE', error(503, 'UNAVAILABLE', 'The model is overloaded.'), CHANNELS],
  ['A3: DEADLINE_EXCEEDED', error(504, 'DEADLINE_EXCEEDED', 'Deadline expired.'), CHANNELS],
  ['A3: in a list', [error(503, 'UNAVAILABLE', 'The model is overloaded.')], CHANNELS],
  ['A3: {"detail"}', { detail: 'Internal problem' }, CHANNELS],
  ['A3: code and message alone', { code: 'internal', message: 'it fell over' }, CHANNELS],
  ['A8: a wrong key', error(400, 'INVALID_ARGUMENT', 'API key not valid. Please pass a valid API key.'), CHANNELS],
  ['A8: UNAUTHENTICATED', error(401, 'UNAUTHENTICATED', 'Request had invalid credentials.'), CHANNELS],
  ['A8: PERMISSION_DENIED', error(403, 'PERMISSION_DENIED', 'Permission denied.'), CHANNELS],
  [
    'A8: a country that it does not serve',
    error(400, 'FAILED_PRECONDITION', 'User location is not supported for the API use.'),
    CHANNELS,
  ],
  ['A11: RESOURCE_EXHAUSTED', error(429, 'RESOURCE_EXHAUSTED', 'You exceeded your current quota.'), PACE],
];

const BLOCKED: readonly Case[] = [
  ['A3: a prompt that is blocked', BEFORE, bare({ promptFeedback: { blockReason: 'PROHIBITED_CONTENT' } }), CONTENT],
  ['A3: a prompt that is blocked for something new', BEFORE, bare({ promptFeedback: { blockReason: 'NEW' } }), CONTENT],
  [
    'A3: a prompt that is blocked, as a document',
    BEFORE,
    json({ promptFeedback: { blockReason: 'SAFETY' }, usageMetadata: { promptTokenCount: 4 } }),
    CONTENT,
  ],
  [
    'A3: a prompt that is blocked after all',
    AFTER,
    said({ promptFeedback: { blockReason: 'OTHER' } }),
    { text: 'Hello', finish: 'content_filter' },
  ],
  [
    'A3: a prompt that is rated, and not blocked',
    AFTER,
    bare(
      { promptFeedback: { safetyRatings: [], blockReason: 'BLOCK_REASON_UNSPECIFIED' } },
      text('Hello'),
      finish('STOP'),
    ),
    OK,
  ],
];

/** What comes of each reason, after text and without any. */
const FINISHES: readonly (readonly [reason: string, finish: string, without: Case[3]])[] = [
  ['STOP', 'stop', REQUESTS],
  ['MAX_TOKENS', 'length', REQUESTS],
  ['CONTINUATION', 'length', REQUESTS],
  ...['SAFETY', 'RECITATION', 'LANGUAGE', 'BLOCKLIST', 'PROHIBITED_CONTENT', 'SPII', 'IMAGE_SAFETY'].map(
    (reason) => [reason, 'content_filter', CONTENT] as const,
  ),
  ['MALFORMED_FUNCTION_CALL', 'tool_calls', REQUESTS],
  ['UNEXPECTED_TOOL_CALL', 'tool_calls', REQUESTS],
  ['OTHER', 'other', CHANNELS],
  ['SOMETHING_NEW', 'other', CHANNELS],
];

const ENDS: readonly Case[] = [
  ...FINISHES.flatMap(([reason, finished, without]): Case[] => [
    [`A3: finishReason ${reason}`, BEFORE, bare(finish(reason)), without],
    [`A3: finishReason ${reason}`, AFTER, said(finish(reason)), { text: 'Hello', finish: finished }],
  ]),
  ['A3: STOP after a call', BEFORE, bare(parts({ functionCall: { name: 'x', args: {} } }), finish('STOP')), REQUESTS],
  ['A11: FINISH_REASON_UNSPECIFIED, then cut', AFTER, said(finish('FINISH_REASON_UNSPECIFIED')), { cutAfter: 'Hello' }],
  ['A11: finishReason "" with a chunk, then cut', AFTER, said(finish('')), { cutAfter: 'Hello' }],
  ['A11: the connection is cut', FINISHED, cutAfter(text('Hello'), finish('STOP')), OK],
];

const SHAPES: readonly Case[] = [
  [
    'A3: the finish in the last chunk with text, several parts in one',
    AFTER,
    bare(
      parts({ text: 'hm', thought: true }, { text: 'H' }, { text: 'el' }),
      chunk({ content: { parts: [{ text: 'lo' }] }, finishReason: 'STOP' }),
    ),
    OK,
  ],
  [
    'A11: STOP with each chunk, as early models say it',
    AFTER,
    bare(...['Hel', 'lo'].map((said) => chunk({ content: { parts: [{ text: said }] }, finishReason: 'STOP' }))),
    OK,
  ],
  [
    'A3: a list of chunks, as without alt=sse',
    BEFORE,
    json([text('Hel'), text('lo'), chunk({ content: {}, finishReason: 'STOP' })]),
    OK,
  ],
  [
    'A3: a list of chunks that ends with an error',
    BEFORE,
    json([text('Hel'), error(503, 'UNAVAILABLE', 'The model is overloaded.')]),
    CHANNELS,
  ],
  [
    'A3: a document instead of a stream',
    BEFORE,
    json(chunk({ content: { parts: [{ text: 'Hello' }], role: 'model' }, finishReason: 'STOP' })),
    OK,
  ],
  [
    'A11: two candidates, one by one',
    AFTER,
    bare(
      text('Hel'),
      { candidates: [{ index: 1, content: { parts: [{ text: 'Bye' }] }, finishReason: 'STOP' }] },
      {
        candidates: [
          { index: 1, content: { parts: [{ text: 'x' }] } },
          { index: 0, content: { parts: [{ text: 'lo' }] } },
        ],
      },
      finish('STOP'),
    ),
    OK,
  ],
  [
    'A4: comments, empty candidates and counts before it',
    BEFORE,
    raw(
      ': hi\n\n',
      `data: ${JSON.stringify({ candidates: [] })}\n\n`,
      `data: ${JSON.stringify({ usageMetadata: { promptTokenCount: 4 }, modelVersion: 'm' })}\n\n`,
      `data: ${JSON.stringify(chunk({ content: { role: 'model' } }))}\n\n`,
      `data: ${JSON.stringify(text('Hello'))}\n\n`,
      `data: ${JSON.stringify(finish('STOP'))}\n\n`,
    ),
    OK,
  ],
  ['A3: [DONE], as gateways send it', FINISHED, bare(text('Hello'), finish('STOP'), '[DONE]'), OK],
  ['A3: bare CR', BEFORE, lines('\r', text('Hello'), finish('STOP')), OK],
  ['A3: CR LF, byte by byte', BEFORE, lines('\r\n', text('Hello'), finish('STOP')), OK],
  [
    'A3: a byte order mark',
    BEFORE,
    raw('\ufeff', `data: ${JSON.stringify(text('Hello'))}\n\n`, `data: ${JSON.stringify(finish('STOP'))}\n\n`),
    OK,
  ],
  [
    'A3: a last event without its end',
    BEFORE,
    raw(`data: ${JSON.stringify(text('Hello'))}\n\n`, `data: ${JSON.stringify(finish('STOP'))}`),
    OK,
  ],
  ["A3: OpenAI's protocol", BEFORE, bare({ choices: [{ index: 0, delta: { content: 'Hello' } }] }, '[DONE]'), CHANNELS],
];

export const GOOGLE_MATRIX: Matrix = {
  cases: [...STATUSES, ...toldEverywhere(TOLD, text), ...BLOCKED, ...COMMON, ...ENDS, ...SHAPES],
  text,
  finish: finish('STOP'),
  account: {
    usageMetadata: {
      promptTokenCount: 70,
      cachedContentTokenCount: 40,
      candidatesTokenCount: 2,
      thoughtsTokenCount: 5,
    },
  },
};
