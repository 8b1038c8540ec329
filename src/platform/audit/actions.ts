import { LIMIT_DEFAULTS, type LimitName } from '../auth';

/**
 * How a field is written: `shown` with its value, `changed` only that it is another one (`{changed: true}`: what users have
 * written, prompts), `secret` as `set`, `changed` or `cleared`.
 */
export type FieldRule = 'shown' | 'changed' | 'secret';

/** What may be written of an action. Whatever has no name here cannot be, so no user's text gets in by accident. */
export interface ActionRule {
  /** What the id is of, as `target` shows it; null: the action is about a user alone, or about nothing. */
  readonly target: string | null;
  /** Of `before` and `after`. */
  readonly fields: Readonly<Record<string, FieldRule>>;
  /** Names of further facts of the call: ids, numbers, words of a fixed list. */
  readonly details: readonly string[];
}

const LIMITS = Object.fromEntries(Object.keys(LIMIT_DEFAULTS).map((name) => [`limits.${name}`, 'shown'])) as Readonly<
  Record<`limits.${LimitName}`, 'shown'>
>;

const TENANT = {
  name: 'shown',
  status: 'shown',
  'settings.response_format': 'shown',
  'settings.allowed_origins': 'shown',
  'settings.while_answering': 'shown',
  'settings.openai_door': 'shown',
  'settings.presence_room_limit': 'shown',
  'settings.agent_control': 'shown',
  'settings.read_receipts': 'shown',
  'settings.message_history': 'shown',
  'settings.retention_days': 'shown',
  'webhook.url': 'shown',
  'webhook.events': 'shown',
  'webhook.enabled': 'shown',
  'webhook.secret': 'secret',
  ...LIMITS,
} as const;

const KEY = { name: 'shown', scopes: 'shown', expires_at: 'shown', revoked_at: 'shown' } as const;

const CHANNEL = {
  name: 'shown',
  provider: 'shown',
  base_url: 'shown',
  model: 'shown',
  priority: 'shown',
  weight: 'shown',
  enabled: 'shown',
  max_tokens: 'shown',
  temperature: 'shown',
  timeout_ms: 'shown',
  options: 'changed',
  api_key: 'secret',
} as const;

const PRESET = {
  system_prompt: 'changed',
  model: 'shown',
  temperature: 'shown',
  max_tokens: 'shown',
  context_messages: 'shown',
  options: 'changed',
} as const;

/**
 * Every action that is written down. Each is declared by the routes that do it (`@Audited`); the boot refuses one that no
 * route declares, so a new one comes with its route.
 */
export const AUDIT_ACTIONS = {
  'agent.add': { target: 'room', fields: { respond: 'shown' }, details: ['agent'] },
  'agent.remove': { target: 'room', fields: {}, details: ['agent'] },
  'channel.create': { target: 'channel', fields: CHANNEL, details: [] },
  'channel.delete': { target: 'channel', fields: CHANNEL, details: [] },
  'channel.update': { target: 'channel', fields: CHANNEL, details: [] },
  'connection.close': { target: 'connection', fields: {}, details: ['asked', 'code'] },
  'dead_letter.drop': { target: 'dead_letter', fields: {}, details: [] },
  'dead_letters.replay': { target: null, fields: {}, details: ['asked', 'ids', 'kind', 'room', 'before'] },
  'import.create': { target: 'import', fields: {}, details: ['source'] },
  'import.start': { target: 'import', fields: {}, details: [] },
  'import.upload': { target: 'import', fields: {}, details: [] },
  'import.validate': { target: 'import', fields: {}, details: [] },
  'job.run': { target: 'job', fields: {}, details: ['kind'] },
  'key.create': { target: 'key', fields: KEY, details: [] },
  'key.revoke': { target: 'key', fields: KEY, details: [] },
  'key.rotate': { target: 'key', fields: KEY, details: ['next_key'] },
  'member.remove': { target: 'room', fields: { role: 'shown' }, details: [] },
  'member.role': { target: 'room', fields: { role: 'shown' }, details: [] },
  'message.delete': { target: 'message', fields: {}, details: ['room'] },
  'preset.create': { target: 'preset', fields: PRESET, details: [] },
  'preset.delete': { target: 'preset', fields: PRESET, details: [] },
  'preset.update': { target: 'preset', fields: PRESET, details: [] },
  'room.delete': { target: 'room', fields: {}, details: [] },
  'room.read_content': { target: 'room', fields: {}, details: [] },
  'room.retention': { target: 'room', fields: { legal_hold: 'shown', retention_days: 'shown' }, details: [] },
  'tenant.create': { target: 'tenant', fields: TENANT, details: ['key'] },
  'tenant.delete': { target: 'tenant', fields: {}, details: [] },
  // In the log of the installation: what is left of the tenant. `name` is a keyed hash.
  'tenant.deleted': {
    target: 'tenant',
    fields: {},
    details: ['deletion', 'name', 'rows', 'counts', 'audit_rows', 'audit_mac'],
  },
  'tenant.export': { target: 'export', fields: {}, details: [] },
  'tenant.export_file': { target: 'export', fields: {}, details: ['asked'] },
  'tenant.export_link': { target: 'export', fields: {}, details: [] },
  'tenant.update': { target: 'tenant', fields: TENANT, details: [] },
  'user.erase': { target: null, fields: {}, details: [] },
  'user.export': { target: 'export', fields: {}, details: [] },
  'user.export_file': { target: 'export', fields: {}, details: ['asked'] },
  'user.export_link': { target: 'export', fields: {}, details: [] },
  'user.hold': { target: null, fields: { legal_hold: 'shown' }, details: [] },
  'user.read_content': { target: null, fields: {}, details: [] },
  'webhook.rotate': { target: 'tenant', fields: { secret: 'secret' }, details: ['overlap_seconds'] },
  'webhook.test': { target: 'tenant', fields: {}, details: ['asked', 'delivery'] },
} as const satisfies Readonly<Record<string, ActionRule>>;

export type AuditAction = keyof typeof AUDIT_ACTIONS;

type RuleOf<A extends AuditAction> = (typeof AUDIT_ACTIONS)[A];

/** Values of the fields that an action may show. A Date is written as ISO 8601; null and undefined are the same: none. */
export type AuditFields<A extends AuditAction> = Readonly<Partial<Record<keyof RuleOf<A>['fields'], unknown>>>;

/** A fact of an action; numbers by names of the schema. */
type AuditFact = string | number | boolean | null | undefined | Readonly<Record<string, number>>;

/** Further facts of an action, as its details may show them. */
export type AuditDetails<A extends AuditAction> = Readonly<Partial<Record<RuleOf<A>['details'][number], AuditFact>>>;

/** What was done. */
export interface AuditEntry<A extends AuditAction> {
  /** The id of what it was done to, as clients know it (`key_…`); undefined where the action has no target. */
  readonly target?: string | undefined;
  /** The user that it was done to. */
  readonly user?: string | undefined;
  /** undefined: there was nothing before. With `after`, only fields that differ are written; where none does, no row is. */
  readonly before?: AuditFields<A> | undefined;
  /** undefined: there is nothing afterwards. */
  readonly after?: AuditFields<A> | undefined;
  readonly details?: AuditDetails<A> | undefined;
}

/** A URL as it may be shown: what stands behind `?` and before `@` is often a secret. */
export function shownUrl(url: string): string {
  if (!URL.canParse(url)) return '';
  const { origin, pathname } = new URL(url);
  return `${origin}${pathname}`;
}
