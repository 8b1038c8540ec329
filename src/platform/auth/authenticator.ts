import { Injectable } from '@nestjs/common';
import { AppError, forbidden, unauthenticated } from '../../common/errors';
import { userIdFault } from '../../common/text';
import { listsOrigin } from '../../common/urls';
import type { AccessKind } from './access';
import { Caller, type TenantPolicy } from './caller';
import {
  API_KEY_PREFIX,
  BadCredential,
  type CallSource,
  type CredentialKind,
  CredentialVerifier,
  type KeyGrant,
  type TicketGrant,
  type TokenGrant,
  UserRefusals,
} from './credential-verifier';

/** The headers that carry credentials, as Node gives them. */
export interface CredentialHeaders {
  readonly authorization?: string | undefined;
  readonly 'x-api-key'?: string | string[] | undefined;
  readonly 'x-user-id'?: string | string[] | undefined;
  readonly 'x-master-key'?: string | string[] | undefined;
  readonly origin?: string | undefined;
}

/** A credential that was found good; what it may do is decided by `authorise`. */
export type Identity =
  | { readonly kind: 'master' }
  | { readonly kind: 'key'; readonly grant: KeyGrant }
  | { readonly kind: 'token'; readonly grant: TokenGrant; readonly ticket?: TicketGrant };

/** A credential as it was sent. */
type Shown<K extends CredentialKind> = K extends unknown ? { readonly kind: K; readonly text: string } : never;
type TenantCredential = Exclude<CredentialKind, 'master'>;

const INVALID: Readonly<Record<CredentialKind, string>> = {
  master: 'Invalid master key',
  key: 'Invalid API key',
  token: 'Invalid or expired token',
  ticket: 'Invalid or expired ticket',
};
const BEARER = /^Bearer +(\S+)$/i;
const BEARER_SCHEME = /^Bearer( |$)/i;
/** Routes of the tenants' operators: no user calls them. */
const NO_USER: ReadonlySet<AccessKind> = new Set(['tenantOrMaster', 'admin', 'master']);

const MASTER_KEY_OPENS: ReadonlySet<AccessKind> = new Set([...NO_USER, 'anyCredential']);

/** Routes that a user may call alone. */
const TOKEN_OPENS: ReadonlySet<AccessKind> = new Set(['user', 'tenant', 'bearer', 'anyScope', 'anyCredential']);

/** Routes that are open to a key whatever its scopes are. */
const ANY_SCOPE: ReadonlySet<AccessKind> = new Set(['tenantOrMaster', 'anyScope', 'anyCredential']);

/**
 * Decides the caller, in two steps, so that a limit can be taken in between: `identify` proves the credential,
 * `authorise` applies the route's rule. Used by the HTTP hook and by the socket's upgrade; never as middleware.
 */
@Injectable()
export class Authenticator {
  constructor(
    private readonly verifier: CredentialVerifier,
    private readonly refusals: UserRefusals,
  ) {}

  /**
   * Proves the credential that counts: on admin routes the master key first, then Bearer, then the API key. Another
   * scheme of Authorization beside an API key is a proxy's business (e.g. Basic in front of the server) and ignored. A key
   * as Bearer is one on routes for `bearer` only.
   * Throws 401, a `BadCredential` for one that was shown and is no good.
   */
  identify(headers: CredentialHeaders, access: AccessKind, source: CallSource): Identity | Promise<Identity> {
    const shown = shownIn(headers, access);
    switch (shown.kind) {
      case 'master':
        if (!this.verifier.isMasterKey(shown.text)) throw new BadCredential(INVALID.master, 'master', {});
        return { kind: 'master' };
      case 'key':
        return this.proven(this.verifier.verifyKey(shown.text, source), asKey, shown);
      case 'token':
        return this.proven(this.verifier.verifyToken(shown.text), asToken, shown);
    }
  }

  /** Proves a socket ticket; whether it was used already is asked by the socket that accepts it. */
  identifyTicket(ticket: string): Identity | Promise<Identity> {
    return this.proven(this.verifier.verifyTicket(ticket), asTicket, { kind: 'ticket', text: ticket });
  }

  /**
   * Asks before a queue whether a credential is worth a place in it: throws like `identify` for what is surely bad.
   * Without I/O, but for a key that was not shown before: that one waits among its kind.
   */
  vet(headers: CredentialHeaders, access: AccessKind, source: CallSource): void | Promise<void> {
    const shown = shownIn(headers, access);
    if (shown.kind !== 'master') return this.plausible(shown, source);
  }

  vetTicket(ticket: string, source: CallSource): void | Promise<void> {
    return this.plausible({ kind: 'ticket', text: ticket }, source);
  }

  /** Applies the route's rule to a proven credential. Throws 400, 401 or 403. */
  authorise(identity: Identity, headers: CredentialHeaders, access: AccessKind, requestId: string): Caller {
    if (identity.kind === 'master') return new Caller('master', requestId, undefined, undefined, undefined, []);
    if (access === 'master') throw forbidden('This route needs the master key');
    const { tenant } = identity.grant;
    admitTenant(tenant, headers.origin);
    if (identity.kind === 'token') {
      if (!TOKEN_OPENS.has(access)) throw forbidden('A user token may not do this; use an API key from your server');
      const { userId, keyId, endsAtMs } = identity.grant;
      this.admitUser(tenant, userId);
      return ending(new Caller('token', requestId, tenant, userId, keyId, ['chat']), endsAtMs);
    }
    const { grant } = identity;
    const needed = access === 'admin' || access === 'tenantAdmin' ? 'admin' : 'chat';
    if (!ANY_SCOPE.has(access) && !grant.scopes.includes(needed))
      throw forbidden(`This API key lacks the scope "${needed}"`);
    const user = NO_USER.has(access) ? undefined : userOf(headers['x-user-id'], access === 'user');
    if (user !== undefined) this.admitUser(tenant, user);
    return ending(new Caller('key', requestId, tenant, user, grant.keyId, grant.scopes), grant.endsAtMs);
  }

  /** Why this identity would be refused on a route with this rule; undefined: it may. */
  refusalOf(identity: Identity, headers: CredentialHeaders, access: AccessKind): AppError | undefined {
    if (access === 'public') return undefined;
    // There the master key is not looked at.
    if (identity.kind === 'master' && !MASTER_KEY_OPENS.has(access)) return unauthenticated(missingCredential(access));
    try {
      this.authorise(identity, headers, access, '');
      return undefined;
    } catch (error) {
      if (error instanceof AppError) return error;
      throw error;
    }
  }

  private admitUser({ tenantId }: TenantPolicy, userId: string): void {
    if (this.refusals.isRefused(tenantId, userId)) throw userErased();
  }

  private plausible(shown: Shown<TenantCredential>, source: CallSource): void | Promise<void> {
    const settle = (isPlausible: boolean): void => {
      if (!isPlausible) throw this.bad(shown);
    };
    const answer = this.verifier.isPlausible(shown.kind, shown.text, source);
    if (answer instanceof Promise) return answer.then(settle);
    settle(answer);
  }

  private proven<G>(
    answer: G | undefined | Promise<G | undefined>,
    wrap: (grant: G) => Identity,
    shown: Shown<TenantCredential>,
  ): Identity | Promise<Identity> {
    if (answer instanceof Promise) return answer.then((grant) => this.proven(grant, wrap, shown));
    if (answer === undefined) throw this.bad(shown);
    return wrap(answer);
  }

  private bad({ kind, text }: Shown<TenantCredential>): BadCredential {
    return new BadCredential(INVALID[kind], kind, this.verifier.guessOf(kind, text));
  }
}

/** Finds the credential that counts. Throws 401 where there is none, or none that can be one. */
function shownIn(headers: CredentialHeaders, access: AccessKind): Shown<'master' | 'key' | 'token'> {
  const master = headers['x-master-key'];
  if (MASTER_KEY_OPENS.has(access) && master !== undefined) {
    if (typeof master !== 'string') throw unauthenticated(INVALID.master);
    return { kind: 'master', text: master };
  }
  const key = headers['x-api-key'];
  const { authorization } = headers;
  if (authorization !== undefined && (key === undefined || BEARER_SCHEME.test(authorization))) {
    const token = BEARER.exec(authorization)?.[1];
    if (token === undefined) throw unauthenticated('Authorization must be "Bearer <token>"');
    const isKey = access === 'bearer' && token.startsWith(API_KEY_PREFIX);
    return { kind: isKey ? 'key' : 'token', text: token };
  }
  if (typeof key !== 'string' || key === '') throw unauthenticated(missingCredential(access));
  return { kind: 'key', text: key };
}

function asKey(grant: KeyGrant): Identity {
  return { kind: 'key', grant };
}

function asToken(grant: TokenGrant): Identity {
  return { kind: 'token', grant };
}

function asTicket(grant: TicketGrant): Identity {
  return { kind: 'token', grant, ticket: grant };
}

function ending(caller: Caller, endsAtMs: number | undefined): Caller {
  caller.endsAtMs = endsAtMs;
  return caller;
}

/** What a user gets who was erased lately. */
export function userErased(): AppError {
  return forbidden('This user was erased');
}

function missingCredential(access: AccessKind): string {
  if (access === 'master') return 'X-Master-Key is required';
  if (access === 'bearer') return 'An API key or a user token is required: Authorization: Bearer <key>';
  if (access === 'tenantOrMaster') return 'X-Master-Key or X-API-Key is required';
  if (access === 'anyCredential') return 'X-Master-Key, X-API-Key or a Bearer token is required';
  if (access === 'admin') return 'X-Master-Key or an admin-scoped X-API-Key is required';
  if (access === 'tenantAdmin') return 'An admin-scoped X-API-Key is required';
  return 'X-API-Key (with X-User-Id) or a Bearer token is required';
}

function admitTenant(tenant: TenantPolicy, origin: string | undefined): void {
  if (tenant.status === 'suspended') throw forbidden('This tenant is suspended');
  const allowed = tenant.settings.allowed_origins;
  if (origin !== undefined && Array.isArray(allowed) && !listsOrigin(allowed, origin))
    throw forbidden('This origin is not allowed for the tenant');
}

function userOf(header: string | string[] | undefined, required: boolean): string | undefined {
  if (header === undefined || header === '') {
    if (required) throw unauthenticated('X-User-Id is required');
    return undefined;
  }
  const value = Array.isArray(header) ? header.join(',') : header;
  const fault = userIdFault(value);
  if (fault !== undefined) throw new AppError('VALIDATION_ERROR', `X-User-Id ${fault}`, { field: 'X-User-Id' });
  return value;
}
