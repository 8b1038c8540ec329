import type { FastifyRequest } from 'fastify';
import { type Identity, type LimitName, limitOf } from '../auth';

export type Family = 'rooms' | 'ai' | 'master';

/** The window that a request counts against. */
export interface RateWindow {
  readonly family: Family;
  /** One counter per tenant and family. */
  readonly key: string;
  /** Requests allowed per window; null is unlimited. */
  readonly limit: number | null;
  readonly windowMs: number;
}

const MASTER_PER_SECOND = 100;
const FAMILIES: Readonly<Record<'rooms' | 'ai', { limit: LimitName; windowMs: number }>> = {
  rooms: { limit: 'requests_per_second', windowMs: 1000 },
  ai: { limit: 'ai_requests_per_minute', windowMs: 60_000 },
};

/** `/api/*` counts per minute, every other route of a tenant per second, the master key 100 a second. */
export function windowOf(identity: Identity, url: string): RateWindow {
  if (identity.kind === 'master')
    return { family: 'master', key: 'rate:master', limit: MASTER_PER_SECOND, windowMs: 1000 };
  const { tenant } = identity.grant;
  const family = url.startsWith('/api/') ? 'ai' : 'rooms';
  const { limit, windowMs } = FAMILIES[family];
  return { family, key: `rate:${family}:${tenant.tenantId}`, limit: limitOf(tenant, limit), windowMs };
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Set by the auth hook before the limit is taken. */
    rateWindow: RateWindow | undefined;
  }
}

/** The window of a request; every request that reaches the guard has one. */
export function rateWindowOf(request: FastifyRequest): RateWindow {
  if (request.rateWindow === undefined) throw new Error('the rate window is set before the limit is taken');
  return request.rateWindow;
}
