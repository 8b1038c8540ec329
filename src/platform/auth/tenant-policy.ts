/** The numeric limits of a tenant; a missing one has its default, null is unlimited. */
export const LIMIT_DEFAULTS = {
  requests_per_second: 100,
  ai_requests_per_minute: 100,
  ws_messages_per_second: 10,
  ws_connections: 10_000,
  ws_connections_per_user: 20,
  chat_connections: 50,
  sse_streams: 1000,
  sse_streams_per_user: 20,
  tokens_per_day: null,
  tokens_per_user_per_day: null,
  runs_at_once: 100,
  runs_at_once_per_user: 10,
  users: null,
  rooms: null,
  members_per_room: null,
} as const satisfies Record<string, number | null>;

export type LimitName = keyof typeof LIMIT_DEFAULTS;
export type TenantLimits = Readonly<Partial<Record<LimitName, number | null>>>;

/** The settings of a tenant. */
export interface TenantSettings {
  readonly response_format?: 'bare' | 'envelope';
  /** Origins that browsers may call from; null or missing = any. */
  readonly allowed_origins?: readonly string[] | null;
  readonly while_answering?: 'queue' | 'reject' | 'interrupt';
  readonly presence_room_limit?: number;
}

/** What a request needs to know of its tenant. Cached for at most 2 s. */
export interface TenantPolicy {
  readonly tenantId: string;
  readonly status: 'active' | 'suspended';
  readonly limits: TenantLimits;
  readonly settings: TenantSettings;
}

/** The limit in force: the tenant's own, else the default; null is unlimited. */
export function limitOf(policy: TenantPolicy, name: LimitName): number | null {
  const own = policy.limits[name];
  return own === undefined ? LIMIT_DEFAULTS[name] : own;
}
