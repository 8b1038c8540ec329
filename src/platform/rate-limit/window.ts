import type { FastifyRequest } from 'fastify';
import type { ErrorCode } from '../../common/errors';
import { type Identity, type LimitName, limitOf, type TenantPolicy } from '../auth';

export type Family = 'rooms' | 'ai' | 'master';

/** What a refusal is called: the Conversations API has a word of its own (contract §1). */
export type RateLimitCode = Extract<ErrorCode, 'RATE_LIMIT_EXCEEDED' | 'RATE_LIMITED'>;

/** The window that a request counts against. */
export interface RateWindow {
  readonly family: Family;
  /** One counter per tenant and family. */
  readonly key: string;
  /** Requests allowed per window; null is unlimited. */
  readonly limit: number | null;
  readonly windowMs: number;
  readonly code: RateLimitCode;
}

const MASTER_PER_SECOND = 100;
const FAMILIES: Readonly<Record<'rooms' | 'ai', { limit: LimitName; windowMs: number }>> = {
  rooms: { limit: 'requests_per_second', windowMs: 1000 },
  ai: { limit: 'ai_requests_per_minute', windowMs: 60_000 },
};

/** The code of a refusal on a route: RATE_LIMITED on the Conversations API, `/api/*` but not `/api/v1/*`. */
export function rateLimitCodeOf(url: string): RateLimitCode {
  return url.startsWith('/api/') && !url.startsWith('/api/v1/') ? 'RATE_LIMITED' : 'RATE_LIMIT_EXCEEDED';
}

/** `/api/*` counts per minute, every other route of a tenant per second, the master key 100 a second. */
export function windowOf(identity: Identity, url: string): RateWindow {
  const code = rateLimitCodeOf(url);
  if (identity.kind === 'master')
    return { family: 'master', key: 'rate:master', limit: MASTER_PER_SECOND, windowMs: 1000, code };
  const { tenant } = identity.grant;
  const family = url.startsWith('/api/') ? 'ai' : 'rooms';
  return { family, ...tenantWindow(family, tenant), code };
}

/** A tenant's window of a family of routes. */
export function tenantWindow(
  family: 'rooms' | 'ai',
  tenant: TenantPolicy,
): Pick<RateWindow, 'key' | 'limit' | 'windowMs'> {
  const { limit, windowMs } = FAMILIES[family];
  return { key: `rate:${family}:${tenant.tenantId}`, limit: limitOf(tenant, limit), windowMs };
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
