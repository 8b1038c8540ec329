import { unauthenticated } from '../../common/errors';

export type Scope = 'chat' | 'admin';

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
  tokens_per_chat_per_day: null,
  cost_per_day: null,
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
  /** What users may ask for on `/v1/*`: what their preset gives, or what keys may. */
  readonly openai_door?: 'keys' | 'open';
  readonly presence_room_limit?: number;
  /** Who may add, change, pause and remove agents of a room that does not say it itself. */
  readonly agent_control?: 'admins' | 'members';
  /** Who sees who has a message and who has read it. */
  readonly read_receipts?: 'all' | 'admins' | 'off';
  /** Whether what messages said before they were edited is kept and shown. */
  readonly message_history?: 'on' | 'off';
  /** Days that messages are kept; null or missing = for ever. */
  readonly retention_days?: number | null;
}

/** What is in force where a tenant has not set it. */
export const SETTING_DEFAULTS = {
  response_format: 'bare',
  allowed_origins: null,
  while_answering: 'queue',
  openai_door: 'keys',
  presence_room_limit: 200,
  agent_control: 'admins',
  read_receipts: 'all',
  message_history: 'off',
  retention_days: null,
} as const satisfies Required<TenantSettings>;

export type SettingName = keyof typeof SETTING_DEFAULTS;

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

/** The setting in force: the tenant's own, else the default. @param policy undefined for the master key */
export function settingOf<N extends SettingName>(
  policy: TenantPolicy | undefined,
  name: N,
): NonNullable<TenantSettings[N]> | (typeof SETTING_DEFAULTS)[N] {
  return policy?.settings[name] ?? SETTING_DEFAULTS[name];
}

/** An `Idempotency-Key` of a POST, with what it is bound to. */
export interface IdempotencyClaim {
  readonly key: string;
  /** Method and path. */
  readonly route: string;
  /** Hash of the body. */
  readonly fingerprint: Buffer;
}

/** What an audited call has left in the log (docs/adr/0029): the gate gives one to the caller of each audited route. */
export class AuditTrail {
  /** Rows that were written. */
  rows = 0;
  /** The call has changed nothing, and said so. */
  isNothing = false;

  constructor(
    /** Those that the route declares. */
    readonly actions: readonly string[],
    private readonly source: { readonly ip: string },
  ) {}

  /** The client's address; behind a proxy (TRUST_PROXY) the one that the proxy saw. */
  get address(): string {
    return this.source.ip;
  }
}

/** The user or key that makes a call, on whichever API: handed from the edge to the services, never stored. */
export class Caller {
  /** Set on POSTs that carry an Idempotency-Key. */
  idempotency: IdempotencyClaim | undefined;
  /** Set by a service that answered from what it had stored; becomes `Idempotent-Replayed: true`. */
  replayed = false;
  /** Set on calls of audited routes. */
  audit: AuditTrail | undefined;
  /** When the credential ends by itself, in milliseconds since 1970; undefined: never. */
  endsAtMs: number | undefined;

  constructor(
    readonly kind: 'key' | 'token' | 'master',
    readonly requestId: string,
    /** undefined for the master key. */
    private policy: TenantPolicy | undefined,
    /** The user that the call acts as; undefined where a key acts for its whole tenant. */
    private readonly user: string | undefined,
    readonly keyId: string | undefined,
    readonly scopes: readonly Scope[],
  ) {}

  /** The same caller for one frame of their socket: what a call may set belongs to that frame alone. */
  forFrame(requestId: string): Caller {
    return new Caller(this.kind, requestId, this.policy, this.user, this.keyId, this.scopes);
  }

  /** The same caller for a connection that acts as this user: a key that acted for its whole tenant. */
  actingAs(userId: string): Caller {
    const caller = new Caller(this.kind, this.requestId, this.policy, userId, this.keyId, this.scopes);
    caller.endsAtMs = this.endsAtMs;
    return caller;
  }

  /** The tenant of the credential; the master key has none. */
  get tenant(): TenantPolicy | undefined {
    return this.policy;
  }

  /** Puts changed settings and limits in force, for a caller that lives as long as a socket. */
  renew(policy: TenantPolicy): void {
    this.policy = policy;
  }

  get tenantId(): string {
    if (this.policy === undefined) throw unauthenticated('An API key is required');
    return this.policy.tenantId;
  }

  get userId(): string {
    if (this.user === undefined) throw unauthenticated('X-User-Id is required');
    return this.user;
  }

  get optionalUserId(): string | undefined {
    return this.user;
  }
}
