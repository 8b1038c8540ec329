import { AppError } from '../../common/errors';
import type { Scope, TenantPolicy } from './caller';

/** What an API key stands for. */
export interface KeyGrant {
  readonly keyId: string;
  readonly scopes: readonly Scope[];
  readonly tenant: TenantPolicy;
  /** When the key expires, in milliseconds since 1970; undefined: never. */
  readonly endsAtMs?: number | undefined;
}

/** What a user token stands for; it dies with the key that minted it. */
export interface TokenGrant {
  readonly keyId: string;
  readonly userId: string;
  readonly tenant: TenantPolicy;
  /** When the token ends, or its key if that is earlier, in milliseconds since 1970; undefined: never. */
  readonly endsAtMs?: number | undefined;
}

/** Begins every API key, so that people and secret scanners know one when they see it. */
export const API_KEY_PREFIX = 'chatapi_';

/** Begins every socket ticket. */
export const TICKET_PREFIX = 'wst_';

/** What a socket ticket stands for. `endsAtMs` is the end of the session that it opens, not of the ticket. */
export interface TicketGrant extends TokenGrant {
  readonly ticketId: string;
  /** Until when it may be used, in milliseconds since 1970. */
  readonly usableUntilMs: number;
  /** The installation's epoch at which it was made: it is good in no other. */
  readonly epoch: number | undefined;
  /** The timeline of the database at which it was made: on another one it is not known whether it was used. */
  readonly timeline: number | undefined;
}

/** Where a credential comes from. Read only where it matters: FastifyRequest works its `ip` out when asked. */
export interface CallSource {
  /** The client's address; behind a proxy (TRUST_PROXY) the one that the proxy saw. */
  readonly ip: string;
}

/** A credential that this installation did not make, or an API key that does not live. */
export interface Guess {
  /** What lists show of the API key, where it begins like one. */
  readonly prefix?: string | undefined;
}

export type CredentialKind = 'master' | 'key' | 'token' | 'ticket';

/**
 * Tells what a credential stands for, or undefined when it is not good (unknown, expired, revoked, forged). The
 * tenants module implements it. Answers synchronously where it can: the hot path then costs no promise. A rejected
 * promise means that the database is away (503), never that the credential is bad.
 */
export abstract class CredentialVerifier {
  abstract verifyKey(apiKey: string, source: CallSource): KeyGrant | undefined | Promise<KeyGrant | undefined>;
  abstract verifyToken(token: string): TokenGrant | undefined | Promise<TokenGrant | undefined>;
  /** Whether it was used already is another question: `Tickets`. */
  abstract verifyTicket(ticket: string): TicketGrant | undefined | Promise<TicketGrant | undefined>;
  abstract isMasterKey(key: string): boolean;
  /**
   * Whether a credential is worth a place in a queue. Answers at once for what is malformed, forged, expired or known to be
   * bad (false) and for what was good before (true). A key that was not shown yet is looked up, together with the others
   * of its kind, in a queue of its own. May reject with 503.
   */
  abstract isPlausible(
    kind: Exclude<CredentialKind, 'master'>,
    credential: string,
    source: CallSource,
  ): boolean | Promise<boolean>;
  /** What a bad credential is a guess at; undefined: it is one of this installation that has ended. Without I/O. */
  abstract guessOf(kind: Exclude<CredentialKind, 'master'>, credential: string): Guess | undefined;
}

/** Knows which tickets were used, for all nodes. The tenants module implements it. */
export abstract class Tickets {
  /** Uses the ticket up; false when it was used before. Rejects with 503 when the database is away. */
  abstract redeem(ticket: TicketGrant): Promise<boolean>;
}

/** Knows which users may not call any more because they were erased. The removal module implements it. */
export abstract class UserRefusals {
  /** Without I/O. @throws 503 as long as it is not known */
  abstract isRefused(tenantId: string, userId: string): boolean;
  /** Tenants in which somebody is refused since less than half a minute: connections of theirs may be open. */
  abstract recent(): readonly string[];
  /** Calls back when somebody is refused from now on. */
  abstract onRefused(handler: () => void): void;
}

/** 401 for a credential that was shown and is no good. */
export class BadCredential extends AppError {
  constructor(
    message: string,
    readonly kind: CredentialKind,
    /** undefined: it was good once. */
    readonly guess: Guess | undefined,
  ) {
    super('AUTHENTICATION_ERROR', message);
  }
}

/** What became of keys and tenants, for connections that were opened with them. The same change may be told again. */
export interface CredentialChanges {
  readonly keys: readonly {
    readonly tenantId: string;
    readonly keyId: string;
    readonly revoked: boolean;
    /** When the key expires, in milliseconds since 1970; undefined: never. */
    readonly endsAtMs: number | undefined;
  }[];
  /** As they are now. */
  readonly tenants: readonly TenantPolicy[];
  /** Tenants that exist no more. */
  readonly gone: readonly string[];
}

/** Tells what has changed, on whichever node. The tenants module implements it. */
export abstract class CredentialWatch {
  /**
   * What changed in these tenants in the last 30 s, and since the call before if that is longer ago. Rejects with 503
   * while the database is away; the next call makes up for it.
   */
  abstract readChanges(tenantIds: readonly string[]): Promise<CredentialChanges>;
  /** Calls back after every change that this node made itself. */
  abstract onOwnChange(handler: () => void): void;
}
