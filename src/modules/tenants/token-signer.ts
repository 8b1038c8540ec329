import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import jwt from 'jsonwebtoken';
import { Secrets } from '../../platform/secrets';

/** `user`: a Bearer token; `ticket`: opens one socket. */
export type TokenUse = 'user' | 'ticket';

export interface TokenClaims {
  readonly tenantId: string;
  readonly userId: string;
  /** The API key that minted it: it dies with that key. */
  readonly keyId: string;
  /** Of a ticket: when the session that it opens ends, in milliseconds since 1970; undefined: with the key. */
  readonly sessionEndsAtMs?: number | undefined;
  /** Of a ticket: the installation's epoch. */
  readonly epoch?: number | undefined;
}

export interface ReadClaims extends TokenClaims {
  /** Unique per token. */
  readonly tokenId: string;
  readonly expiresAtMs: number;
}

/** Begins every socket ticket. */
export const TICKET_PREFIX = 'wst_';

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
    };
    const token = jwt.sign(payload, this.secrets.jwtSecret, { algorithm: 'HS256' });
    return { token: use === 'ticket' ? TICKET_PREFIX + token : token, expiresAt: new Date(payload.exp * 1000) };
  }

  /** The claims of a good, unexpired token of that use; undefined for every other text. */
  read(token: string, use: TokenUse): ReadClaims | undefined {
    const raw = use === 'ticket' ? (token.startsWith(TICKET_PREFIX) ? token.slice(TICKET_PREFIX.length) : '') : token;
    try {
      const payload = jwt.verify(raw, this.secrets.jwtSecret, { algorithms: ['HS256'] });
      if (typeof payload === 'string' || payload['use'] !== use) return undefined;
      const { sub, tid, kid, jti, exp, end, epoch } = payload as Record<string, unknown>;
      if (typeof sub !== 'string' || typeof tid !== 'string' || typeof kid !== 'string') return undefined;
      if (typeof jti !== 'string' || typeof exp !== 'number') return undefined;
      const own = { tenantId: tid, userId: sub, keyId: kid, tokenId: jti, expiresAtMs: exp * 1000 };
      return { ...own, sessionEndsAtMs: numberOf(end), epoch: numberOf(epoch) };
    } catch {
      return undefined;
    }
  }
}

function numberOf(claim: unknown): number | undefined {
  return typeof claim === 'number' ? claim : undefined;
}
