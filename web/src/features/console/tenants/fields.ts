import type { Tenant } from '../tenant';
import type { Change } from './data';

export type Area = 'limits' | 'settings';

/** A value as the server has it in force: what it is, what it is without being set, and which of the two it is. */
export interface InForce {
  readonly value?: unknown;
  readonly default?: unknown;
  readonly source: 'default' | 'tenant';
}

/** How a value is typed. `count`: a whole number; `choice`: one of a few; `lines`: texts, one a line. */
export interface FieldSpec {
  readonly name: string;
  readonly label: string;
  readonly hint: string;
  readonly kind: 'count' | 'choice' | 'lines';
  /** What null means. */
  readonly none: string;
  readonly options?: readonly string[];
  readonly least?: number;
  readonly most?: number;
}

/** `default`: it is not set. `none`: it is set to null. `own`: it is set to the text. */
export interface Draft {
  readonly mode: 'default' | 'none' | 'own';
  readonly text: string;
}

export type Drafts = Readonly<Record<string, Draft>>;

const MOST_LIMIT = 1_000_000_000;

const LIMIT_WORDS: Readonly<Record<string, readonly [label: string, hint: string] | undefined>> = {
  requests_per_second: ['Requests per second', 'Of the Rooms API: every route that is not under /api/.'],
  ai_requests_per_minute: ['AI requests per minute', 'Of the AI chats and Conversations APIs.'],
  ws_messages_per_second: ['Messages per second and socket', 'What one connection may send.'],
  ws_connections: ['Connections to /ws', 'Open at the same time.'],
  ws_connections_per_user: ['Connections to /ws of one user', 'Open at the same time.'],
  chat_connections: ['Connections to /ws/chat', 'Open at the same time.'],
  sse_streams: ['Streams of server-sent events', 'Open at the same time.'],
  sse_streams_per_user: ['Streams of server-sent events of one user', 'Open at the same time.'],
  tokens_per_day: ['Tokens per day', 'Of models’ answers; a day is of UTC.'],
  tokens_per_user_per_day: ['Tokens per day of one user', 'Of models’ answers; a day is of UTC.'],
  tokens_per_chat_per_day: ['Tokens per day in one chat', 'Of models’ answers; a day is of UTC.'],
  cost_per_day: [
    'Cost per day',
    'Of models’ answers, in the unit of the channels’ prices; those without prices answer nobody.',
  ],
  runs_at_once: ['Answers written at once', 'More wait in order, users by turns.'],
  runs_at_once_per_user: ['Answers written at once for one user', 'More wait in order.'],
  users: ['Users', 'Agents are not counted. Whoever would be one too many is refused.'],
  rooms: ['Rooms', 'Those that are not deleted, chats with a model included.'],
  members_per_room: ['Members of one room', 'Those who are in it stay when it is lowered.'],
};

const SETTINGS: readonly FieldSpec[] = [
  {
    ...{ name: 'allowed_origins', label: 'Browser origins', kind: 'lines', none: 'any origin' },
    hint: 'From which web pages it may be used, one a line: https://app.example.com; https://*.example.com stands for one label more.',
  },
  {
    ...{ name: 'while_answering', label: 'A message while an answer is written', kind: 'choice', none: '' },
    ...{ options: ['queue', 'reject', 'interrupt'], hint: 'It waits, is refused, or ends the answer.' },
  },
  {
    ...{ name: 'openai_door', label: 'Parameters of models on /v1', kind: 'choice', none: '' },
    ...{
      options: ['keys', 'open'],
      hint: 'Whether users may say there what else only API keys may, such as a system prompt.',
    },
  },
  {
    ...{ name: 'agent_control', label: 'Who adds and changes agents in a room', kind: 'choice', none: '' },
    ...{ options: ['admins', 'members'], hint: 'Where the room itself does not say.' },
  },
  {
    ...{ name: 'presence_room_limit', label: 'Largest room with presence', kind: 'count', none: '' },
    ...{ least: 0, most: 10_000, hint: 'Rooms with more members do not say who comes and goes.' },
  },
  {
    ...{ name: 'retention_days', label: 'Days that messages are kept', kind: 'count', none: 'for ever' },
    ...{ least: 1, most: 3650, hint: 'What is older is deleted for good, where its room does not say otherwise.' },
  },
  {
    ...{ name: 'response_format', label: 'Shape of answers', kind: 'choice', none: '', options: ['bare', 'envelope'] },
    hint: 'As documented, or each success in {success, data, error}.',
  },
];

/** The webhook has a page of its own. */
const ELSEWHERE: readonly string[] = ['webhook'];

/** What a tenant has in force in an area, with how each is typed; what this page does not know is shown only. */
export function fieldsOf({ effective }: Tenant, area: Area): readonly (readonly [FieldSpec, InForce])[] {
  const specs = area === 'settings' ? SETTINGS : Object.keys(effective.limits).map(limitSpec);
  return specs.flatMap((spec) => {
    const inForce = effective[area][spec.name];
    return inForce === undefined ? [] : [[spec, inForce] as const];
  });
}

/** Settings that this page has no words for: a newer server has them. */
export function unknownSettings({ effective }: Tenant): readonly (readonly [string, InForce])[] {
  const known = [...ELSEWHERE, ...SETTINGS.map(({ name }) => name)];
  return Object.entries(effective.settings).filter(([name]) => !known.includes(name));
}

function limitSpec(name: string): FieldSpec {
  const [label, hint] = LIMIT_WORDS[name] ?? [name.replaceAll('_', ' '), ''];
  return { name, label, hint, kind: 'count', none: 'unlimited', least: 0, most: MOST_LIMIT };
}

export function draftOf({ value, source }: InForce): Draft {
  if (source === 'default') return { mode: 'default', text: '' };
  if (value === null || value === undefined) return { mode: 'none', text: '' };
  const text = Array.isArray(value) ? value.join('\n') : typeof value === 'number' ? String(value) : '';
  return { mode: 'own', text: typeof value === 'string' ? value : text };
}

/** A value in words. */
export function wordsOf({ none }: Pick<FieldSpec, 'none'>, value: unknown): string {
  if (value === null || value === undefined) return none === '' ? 'none' : none;
  if (typeof value === 'number') return new Intl.NumberFormat().format(value);
  if (typeof value === 'string') return value;
  return Array.isArray(value) ? value.join(', ') || 'none at all' : JSON.stringify(value);
}

/** What is wrong with a draft; undefined: nothing. */
export function faultIn({ kind, least = 0, most = MOST_LIMIT }: FieldSpec, { mode, text }: Draft): string | undefined {
  if (mode !== 'own' || kind !== 'count') return undefined;
  const value = Number(text.trim());
  const isGood = /^\d+$/.test(text.trim()) && value >= least && value <= most;
  return isGood ? undefined : `A whole number from ${wordsOf({ none: '' }, least)} to ${wordsOf({ none: '' }, most)}`;
}

export function isSame(one: Draft, other: Draft): boolean {
  return one.mode === other.mode && (one.mode !== 'own' || one.text.trim() === other.text.trim());
}

/** As the API takes it: a limit goes back to its default by a word, a setting by null. */
function sentOf(area: Area, { kind }: FieldSpec, { mode, text }: Draft): unknown {
  if (mode === 'default') return area === 'limits' ? 'default' : null;
  if (mode === 'none') return null;
  if (kind === 'count') return Number(text.trim());
  return kind === 'choice' ? text : text.split(/\s+/).filter(Boolean);
}

/** What is to be sent of the drafts: only what was changed, so that two who change other things do not meet. */
export function changeOf(area: Area, changed: readonly (readonly [FieldSpec, Draft])[]): Change {
  return { [area]: Object.fromEntries(changed.map(([spec, draft]) => [spec.name, sentOf(area, spec, draft)])) };
}

/** What differs between a tenant as it was and as it is now, in words. */
export function differences(before: Tenant, after: Tenant): readonly string[] {
  const areas: readonly Area[] = ['limits', 'settings'];
  const values = areas.flatMap((area) =>
    Object.entries<InForce | undefined>(after.effective[area]).flatMap(([name, now]) => {
      const then = before.effective[area][name];
      if (JSON.stringify(then) === JSON.stringify(now)) return [];
      const spec = [...fieldsOf(after, area)].find(([one]) => one.name === name)?.[0] ?? { label: name, none: 'none' };
      return [`${spec.label}: ${wordsOf(spec, then?.value)} → ${wordsOf(spec, now?.value)}`];
    }),
  );
  return [
    ...(before.name === after.name ? [] : [`Name: ${before.name} → ${after.name}`]),
    ...(before.status === after.status ? [] : [`Status: ${before.status} → ${after.status}`]),
    ...values,
  ];
}
