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
  named,
  PACE,
  raw,
  REQUESTS,
  STATUSES,
  type Told,
  toldEverywhere,
} from './matrix';

type Json = Readonly<Record<string, unknown>>;

const delta = (fields: Json): Json => ({ type: 'content_block_delta', index: 0, delta: fields });
const text = (said: string): Json => delta({ type: 'text_delta', text: said });
const block = (content_block: Json): Json => ({ type: 'content_block_start', index: 0, content_block });
const stopped = (stop_reason: string | null): Json => ({
  type: 'message_delta',
  delta: { stop_reason, stop_sequence: null },
});
const start = (usage: Json = { input_tokens: 8, output_tokens: 1 }): Json => ({
  type: 'message_start',
  message: { id: 'msg_1', type: 'message', role: 'assistant', content: [], stop_reason: null, usage },
});
const OK = { text: 'Hello', finish: 'stop' } as const;
const OVER = { type: 'message_stop' };
const said = (...events: object[]): ProviderScript => bare(start(), text('Hel'), text('lo'), ...events);
const error = (type: string, message: string): Json => ({ type: 'error', error: { type, message } });
const whole = (content: readonly Json[], stop_reason = 'end_turn'): Json => ({
  ...{ id: 'msg_1', type: 'message', role: 'assistant', content, stop_reason },
  usage: { input_tokens: 8, output_tokens: 2 },
});

const TOLD: Told = [
  ['A1: invalid_request_error', error('invalid_request_error', 'messages: at least one message is required'), REQUESTS],
  ['A1: an unknown model', error('not_found_error', 'model: claude-of-yesterday'), REQUESTS],
  ['A1: an overflow', error('invalid_request_error', 'prompt is too long: 208310 tokens > 200000 maximum'), REQUESTS],
  [
    'A1: an overflow together with the limit',
    error('invalid_request_error', 'input length and `max_tokens` exceed context limit: 190000 + 32000 > 200000'),
    REQUESTS,
  ],
  ['A1: request_too_large', error('request_too_large', 'Request exceeds the maximum size'), REQUESTS],
  [
    'A1: a refusal that quotes a user who writes of keys',
    error('invalid_request_error', 'Cannot say: "incorrect api key, authentication failed, rate limit"'),
    REQUESTS,
  ],
  ['A3: overloaded_error', error('overloaded_error', 'Overloaded'), CHANNELS],
  ['A3: api_error', error('api_error', 'Internal server error'), CHANNELS],
  ['A3: timeout_error', error('timeout_error', 'Request timed out'), CHANNELS],
  ['A3: an error without its shell', { type: 'api_error', message: 'it fell over' }, CHANNELS],
  ['A3: {"detail"}', { detail: 'Internal problem' }, CHANNELS],
  ['A3: {"error": "text"}', { error: 'it fell over' }, CHANNELS],
  ['A8: a wrong key', error('authentication_error', 'invalid x-api-key'), CHANNELS],
  ['A8: a key that may not', error('permission_error', 'Your API key may not use this'), CHANNELS],
  ['A8: billing_error', error('billing_error', 'check your plan'), CHANNELS],
  [
    'A8: a balance that is too low',
    error('invalid_request_error', 'Your credit balance is too low to access the Anthropic API.'),
    CHANNELS,
  ],
  [
    'A8: a limit that the account has set',
    error('invalid_request_error', 'You have reached your specified API usage limits.'),
    CHANNELS,
  ],
  ['A11: rate_limit_error', error('rate_limit_error', 'This request would exceed the rate limit'), PACE],
];

const REFUSALS: readonly Case[] = [
  [
    'A1: content that is filtered',
    'before headers',
    json(error('invalid_request_error', 'Output blocked by content filtering policy'), 400),
    CONTENT,
  ],
  [
    'A8: a balance that is too low with HTTP 400',
    'before headers',
    json(error('invalid_request_error', 'Your credit balance is too low to access the Anthropic API.'), 400),
    CHANNELS,
  ],
];

/** What comes of each reason, after text and without any. */
const STOPS: readonly (readonly [reason: string, finish: string, without: Case[3]])[] = [
  ['end_turn', 'stop', REQUESTS],
  ['stop_sequence', 'stop', REQUESTS],
  ['max_tokens', 'length', REQUESTS],
  ['model_context_window_exceeded', 'length', REQUESTS],
  ['pause_turn', 'length', REQUESTS],
  ['tool_use', 'tool_calls', REQUESTS],
  ['refusal', 'content_filter', CONTENT],
  ['something_new', 'other', CHANNELS],
];

const ENDS: readonly Case[] = [
  ...STOPS.flatMap(([reason, finish, without]): Case[] => [
    [`A3: stop_reason ${reason}`, BEFORE, bare(start(), stopped(reason), OVER), without],
    [`A3: stop_reason ${reason}`, AFTER, said(stopped(reason), OVER), { text: 'Hello', finish }],
  ]),
  ['A3: only message_stop', BEFORE, bare(start(), OVER), CHANNELS],
  ['A3: no stop_reason, but message_stop', AFTER, said(OVER), { text: 'Hello', finish: 'other' }],
  ['A11: stop_reason null with a delta, then cut', AFTER, said(stopped(null)), { cutAfter: 'Hello' }],
  ['A11: the connection is cut', FINISHED, cutAfter(start(), text('Hello'), stopped('end_turn')), OK],
  ['A11: what follows message_stop', FINISHED, bare(start(), text('Hello'), stopped('end_turn'), OVER, text('?')), OK],
];

const SHAPES: readonly Case[] = [
  [
    'A4: pings, comments, and events that nobody knows yet',
    BEFORE,
    raw(
      ': hi\n\n',
      named('ping', { type: 'ping' }),
      named('novelty', { type: 'novelty' }),
      `data: ${JSON.stringify(start())}\n\n`,
      named('ping', { type: 'ping' }),
      `data: ${JSON.stringify(text('Hello'))}\n\n`,
      `data: ${JSON.stringify(stopped('end_turn'))}\n\n`,
    ),
    OK,
  ],
  [
    'A3: several blocks, one that begins with its text, thoughts between them',
    AFTER,
    bare(
      start(),
      block({ type: 'thinking', thinking: '', signature: '' }),
      delta({ type: 'thinking_delta', thinking: 'hm' }),
      delta({ type: 'signature_delta', signature: 'x' }),
      block({ type: 'redacted_thinking', data: 'x' }),
      block({ type: 'text', text: 'Hel' }),
      delta({ type: 'citations_delta', citation: {} }),
      block({ type: 'text', text: '' }),
      text('lo'),
      stopped('end_turn'),
    ),
    OK,
  ],
  ['A3: a document instead of a stream', BEFORE, json(whole([{ type: 'text', text: 'Hello' }])), OK],
  [
    'A3: a document without text',
    BEFORE,
    json(whole([{ type: 'tool_use', id: 'x', name: 'x', input: {} }], 'tool_use')),
    REQUESTS,
  ],
  ['A3: [DONE], as gateways send it', FINISHED, bare(start(), text('Hello'), stopped('end_turn'), '[DONE]'), OK],
  ['A3: bare CR', BEFORE, lines('\r', start(), text('Hello'), stopped('end_turn')), OK],
  ['A3: CR LF, byte by byte', BEFORE, lines('\r\n', start(), text('Hello'), stopped('end_turn')), OK],
  [
    'A3: a byte order mark',
    BEFORE,
    raw('\ufeff', `data: ${JSON.stringify(text('Hello'))}\n\n`, `data: ${JSON.stringify(stopped('end_turn'))}\n\n`),
    OK,
  ],
  [
    'A3: a last event without its end',
    BEFORE,
    raw(`data: ${JSON.stringify(text('Hello'))}\n\n`, `data: ${JSON.stringify(stopped('end_turn'))}`),
    OK,
  ],
  ["A3: OpenAI's protocol", BEFORE, bare({ choices: [{ index: 0, delta: { content: 'Hello' } }] }, '[DONE]'), CHANNELS],
];

export const ANTHROPIC_MATRIX: Matrix = {
  cases: [...STATUSES, ...REFUSALS, ...toldEverywhere(TOLD, text), ...COMMON, ...ENDS, ...SHAPES],
  text,
  finish: stopped('end_turn'),
  account: {
    type: 'message_delta',
    delta: {},
    usage: { input_tokens: 30, cache_read_input_tokens: 40, output_tokens: 7 },
  },
};
