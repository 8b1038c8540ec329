import { bare, faults, type AnswerStep, type ProviderScript } from '../script';

/** What becomes of a request that goes to `main`, with a healthy `spare` behind it. */
export type Outcome =
  /** `main` answers this text, and ends for this reason; `thought`: what is told of its thoughts. */
  | { readonly text: string; readonly finish: string; readonly thought?: string }
  /** `spare` answers; whether `main` is left alone after five of these says whose fault it is. */
  | { readonly fallback: 'channel' | 'request' | 'pace' }
  /** The request fails, and `spare` is not asked. */
  | { readonly fails: string }
  /** This text, and then the answer is cut: the run ends `interrupted`. */
  | { readonly cutAfter: string };

export type Stage = 'before headers' | 'in the stream, before text' | 'in the stream, after text' | 'after the finish';
export type Case = readonly [behaviour: string, stage: Stage, script: ProviderScript, outcome: Outcome];

export const BEFORE = 'in the stream, before text';
export const AFTER = 'in the stream, after text';
export const FINISHED = 'after the finish';
export const CHANNELS = { fallback: 'channel' } as const;
export const REQUESTS = { fallback: 'request' } as const;
export const PACE = { fallback: 'pace' } as const;
export const CONTENT = { fails: 'content' } as const;

/** What one protocol's table is made of. */
export interface Matrix {
  readonly cases: readonly Case[];
  /** Events of a good answer. */
  readonly text: (text: string) => object;
  readonly finish: object;
  /** An account that comes with, or after, the finish: 70 tokens of a prompt and 7 of an answer. */
  readonly account: object;
}

export const raw = (...steps: string[]): ProviderScript => ({
  bare: true,
  steps: steps.map((step) => ({ raw: step })),
});
export const named = (event: string, data: object): string => `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
export const json = (body: unknown, status = 200): ProviderScript => ({ status, body: JSON.stringify(body) });

/** The same with another end of each line, byte by byte. */
export const lines = (end: string, ...events: (object | string)[]): ProviderScript => ({
  bare: true,
  steps: events
    .map((event) => `data: ${typeof event === 'string' ? event : JSON.stringify(event)}`)
    .map((line): AnswerStep => ({ raw: line + end + end, slowly: true })),
});

/** Events, and then the connection is cut. */
export const cutAfter = (...events: object[]): ProviderScript => ({
  bare: true,
  steps: [...(bare(...events).steps ?? []), { cut: true }],
});

/** Statuses that mean the same for every provider. */
export const STATUSES: readonly Case[] = [
  ...[400, 404, 413, 422].map((status): Case => [
    `A1: HTTP ${status}`,
    'before headers',
    faults.status(status),
    REQUESTS,
  ]),
  ...[401, 402, 403, 408, 425, 500, 502, 503, 504, 529].map((status): Case => [
    `A1: HTTP ${status}`,
    'before headers',
    faults.status(status),
    CHANNELS,
  ]),
  ['A11: HTTP 429', 'before headers', faults.status(429, { 'retry-after': '5' }), PACE],
  ['A3: a page', 'before headers', faults.html(), CHANNELS],
];

/** Ends and bytes that mean the same for every provider. */
export const COMMON: readonly Case[] = [
  ['A3: event: error with plain text', BEFORE, raw('event: error\ndata: it fell over\n\n'), CHANNELS],
  ['A3: nothing at all', BEFORE, bare(), CHANNELS],
  ['A3: only comments', BEFORE, raw(': hello\n\n', ': hello\n\n'), CHANNELS],
  ['A3: reasoning that used all', BEFORE, { steps: [{ reasoning: 'hm' }], finish: 'length' }, REQUESTS],
  [
    'reasoning, then text',
    BEFORE,
    { steps: [{ reasoning: 'Let me' }, { reasoning: ' see.' }, 'Hello'] },
    { text: 'Hello', finish: 'stop', thought: 'Let me see.' },
  ],
  [
    'reasoning between text',
    AFTER,
    { steps: ['Hel', { reasoning: 'hm\0' }, 'lo'] },
    { text: 'Hello', finish: 'stop', thought: 'hm\ufffd' },
  ],
  ['reasoning, then the connection is cut', BEFORE, { steps: [{ reasoning: 'hm' }, { cut: true }] }, CHANNELS],
  ['reasoning, and nothing else', BEFORE, { steps: [{ reasoning: 'hm' }] }, REQUESTS],
  [
    'a tool that nobody offered, beside text',
    AFTER,
    { steps: ['Hello', { toolCall: 'look_up' }], finish: 'tool_calls' },
    { text: 'Hello', finish: 'tool_calls' },
  ],
  ['A3: a tool that nobody offered', BEFORE, { steps: [{ toolCall: 'look_up' }], finish: 'tool_calls' }, REQUESTS],
  ['A3: only a finish', BEFORE, { steps: [] }, REQUESTS],
  ['A3: a filter', BEFORE, { steps: [], finish: 'content_filter' }, CONTENT],
  [
    'A3: a filter',
    AFTER,
    { steps: ['Hel', 'lo'], finish: 'content_filter' },
    { text: 'Hello', finish: 'content_filter' },
  ],
  ['A10: max_tokens reached', AFTER, { steps: ['Hel', 'lo'], finish: 'length' }, { text: 'Hello', finish: 'length' }],
  ['the connection is cut', BEFORE, faults.cut(), CHANNELS],
  ['the connection is cut', AFTER, faults.cut('Hel', 'lo'), { cutAfter: 'Hello' }],
  ['the stream ends without a word', AFTER, faults.endless('Hel', 'lo'), { cutAfter: 'Hello' }],
  ['garbage', BEFORE, faults.garbage(), CHANNELS],
  ['garbage', AFTER, faults.garbage('Hel', 'lo'), { cutAfter: 'Hello' }],
  ['an error event of its own', BEFORE, faults.errorEvent(), CHANNELS],
  ['an error event of its own', AFTER, faults.errorEvent('Hel', 'lo'), { cutAfter: 'Hello' }],
];

/** Faults that are told in a document, each told everywhere: as a body, as an event, as the provider's error event. */
export type Told = readonly (readonly [name: string, told: object, outcome: Outcome])[];

export function toldEverywhere(told: Told, text: (text: string) => object): readonly Case[] {
  return told.flatMap(([name, document, outcome]): Case[] => [
    [name, BEFORE, bare(document), outcome],
    [`${name}, as the whole answer`, BEFORE, json(document), outcome],
    [`${name}, as event: error`, BEFORE, raw(named('error', document)), outcome],
    [name, AFTER, bare(text('Hel'), text('lo'), document), { cutAfter: 'Hello' }],
  ]);
}

const BLAMES = {
  channel: "the channel's fault",
  request: "the request's fault",
  pace: 'it wants a slower pace',
} as const;

function thoughtOf({ thought }: Extract<Outcome, { readonly text: string }>): string {
  return thought === undefined ? '' : `, having thought ${JSON.stringify(thought)}`;
}

/** One row of the table that the tests print. */
export function rowOf(provider: string, [behaviour, stage, , outcome]: Case): string {
  const came = 'text' in outcome ? `"${outcome.text}", ${outcome.finish}${thoughtOf(outcome)}` : undefined;
  const cut = 'cutAfter' in outcome ? `"${outcome.cutAfter}", then interrupted` : undefined;
  const fails = 'fails' in outcome ? `fails (${outcome.fails}), no other is asked` : undefined;
  const next = 'fallback' in outcome ? `the next is asked; ${BLAMES[outcome.fallback]}` : undefined;
  return [provider.padEnd(17), stage.padEnd(26), behaviour.padEnd(76), came ?? cut ?? fails ?? next ?? ''].join(' ');
}
