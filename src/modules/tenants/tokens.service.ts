import { Injectable } from '@nestjs/common';
import jwt from 'jsonwebtoken';
import { randomUUID } from 'node:crypto';
import { unauthenticated } from '../../common/errors';
import { isUuid } from '../../common/ids';
import { userIdFault } from '../../common/text';
import { type Caller, TICKET_PREFIX } from '../../platform/auth';
import { Epoch } from '../../platform/database';
import { Secrets } from '../../platform/secrets';
import { type CreateTokenDto, DEFAULT_TOKEN_SECONDS, type TicketDto, type TokenCreatedDto } from './dto/key.dto';
import { TenantsRepository } from './tenants.repository';

/** `user`: a Bearer token; `ticket`: opens one socket. */
type TokenUse = 'user' | 'ticket';

interface TokenClaims {
  readonly tenantId: string;
  readonly userId: string;
  /** The API key that minted it: it dies with that key. */
  readonly keyId: string;
  /** Of a ticket: when the session that it opens ends, in milliseconds since 1970; undefined: with the key. */
  readonly sessionEndsAtMs?: number | undefined;
  /** Of a ticket: the installation's epoch. */
  readonly epoch?: number | undefined;
  /** Of a ticket: the timeline of the database; undefined where none is known. */
  readonly timeline?: number | undefined;
}

export interface ReadClaims extends TokenClaims {
  /** Unique per token. */
  readonly tokenId: string;
  readonly expiresAtMs: number;
}

/** Latest moment that a Date can hold, in milliseconds since 1970. */
const LAST_MS = 8.64e15;

/** Signs and reads user tokens and socket tickets: JWTs, HS256, with the server's own secret. */
@Injectable()
export class TokenSigner {
  constructor(private readonly secrets: Secrets) {}

  /** Returns the token and when it ends; `seconds` from now. */
  sign(use: TokenUse, claims: TokenClaims, seconds: number): { token: string; expiresAt: Date } {
    const iat = Math.floor(Date.now() / 1000);
    const payload = {
      sub: claims.userId,
      tid: claims.tenantId,
      kid: claims.keyId,
      use,
      jti: randomUUID(),
      iat,
      exp: iat + seconds,
      ...(claims.sessionEndsAtMs === undefined ? {} : { end: claims.sessionEndsAtMs }),
      ...(claims.epoch === undefined ? {} : { epoch: claims.epoch }),
      ...(claims.timeline === undefined ? {} : { tl: claims.timeline }),
    };
    const token = jwt.sign(payload, this.secrets.jwtSecret, { algorithm: 'HS256' });
    return { token: use === 'ticket' ? TICKET_PREFIX + token : token, expiresAt: new Date(payload.exp * 1000) };
  }

  /** Whether this server has signed the text as a token of that use, be it expired. */
  isOurs(token: string, use: TokenUse): boolean {
    const raw = use === 'ticket' && token.startsWith(TICKET_PREFIX) ? token.slice(TICKET_PREFIX.length) : token;
    try {
      jwt.verify(raw, this.secrets.jwtSecret, { algorithms: ['HS256'], ignoreExpiration: true });
      return true;
    } catch {
      return false;
    }
  }

  /** The claims of a good, unexpired token of that use; undefined for every other text. */
  read(token: string, use: TokenUse): ReadClaims | undefined {
    const raw = use === 'ticket' ? (token.startsWith(TICKET_PREFIX) ? token.slice(TICKET_PREFIX.length) : '') : token;
    try {
      const payload = jwt.verify(raw, this.secrets.jwtSecret, { algorithms: ['HS256'] });
      return typeof payload === 'string' || payload['use'] !== use ? undefined : claimsOf(payload);
    } catch {
      return undefined;
    }
  }
}

/**
 * The claims as we write them; undefined where one has another form. The signature says who made a token, not that it is
 * well made: another holder of the secret may sign anything, and what has the wrong form must not get as far as the database.
 */
function claimsOf({
  sub,
  tid,
  kid,
  jti,
  iat,
  exp,
  end,
  epoch,
  tl,
}: Readonly<Record<string, unknown>>): ReadClaims | undefined {
  if (typeof sub !== 'string' || userIdFault(sub) !== undefined) return undefined;
  if (!isId(tid) || !isId(kid) || !isId(jti)) return undefined;
  if (typeof exp !== 'number' || !isMoment(exp * 1000)) return undefined;
  if (iat !== undefined && !isMoment(iat)) return undefined;
  if (end !== undefined && !isMoment(end)) return undefined;
  if (epoch !== undefined && !isMoment(epoch)) return undefined;
  if (tl !== undefined && !isMoment(tl)) return undefined;
  const own = { tenantId: tid, userId: sub, keyId: kid, tokenId: jti, expiresAtMs: exp * 1000 };
  return { ...own, sessionEndsAtMs: end, epoch, timeline: tl };
}

function isId(claim: unknown): claim is string {
  return typeof claim === 'string' && isUuid(claim);
}

function isMoment(claim: unknown): claim is number {
  return typeof claim === 'number' && claim >= 0 && claim <= LAST_MS;
}

/** Seconds that a socket ticket may be used (contract §2). */
export const TICKET_SECONDS = 60;

/** User tokens for browsers and apps, and single-use tickets for sockets. */
@Injectable()
export class TokensService {
  constructor(
    private readonly signer: TokenSigner,
    private readonly repository: TenantsRepository,
    private readonly epoch: Epoch,
  ) {}

  /** Mints a token with which a browser acts as one user of the caller's tenant. */
  async create(caller: Caller, input: CreateTokenDto): Promise<TokenCreatedDto> {
    const seconds = input.expires_in ?? DEFAULT_TOKEN_SECONDS;
    await this.repository.ensureUsers(caller.tenantId, [input.user_id]);
    const claims = { tenantId: caller.tenantId, userId: input.user_id, keyId: keyOf(caller) };
    const { token, expiresAt } = this.signer.sign('user', claims, seconds);
    return { token, user_id: input.user_id, expires_in: seconds, expires_at: expiresAt.toISOString() };
  }

  /** Mints a ticket that opens one socket as the caller, as long as no backup is restored and no other database takes over. */
  async ticket(caller: Caller): Promise<TicketDto> {
    const claims = {
      tenantId: caller.tenantId,
      userId: caller.userId,
      keyId: keyOf(caller),
      // A ticket must not prolong the token that it was made with; a key's own end is looked up when it is used.
      sessionEndsAtMs: caller.kind === 'token' ? caller.endsAtMs : undefined,
      epoch: await this.epoch.readEpoch(),
      timeline: this.epoch.timeline,
    };
    return { token: this.signer.sign('ticket', claims, TICKET_SECONDS).token, expires_in: TICKET_SECONDS };
  }
}

function keyOf(caller: Caller): string {
  if (caller.keyId === undefined) throw unauthenticated('An API key is required');
  return caller.keyId;
}
