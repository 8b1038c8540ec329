/** The windows that requests count against: whose, how many, for how long. */
import { type ExecutionContext, Injectable } from '@nestjs/common';
import type { ThrottlerOptions } from '@nestjs/throttler';
import type { FastifyRequest } from 'fastify';
import { type ErrorCode, rateLimited } from '../../common/errors';
import { type Identity, type LimitName, limitOf, type TenantPolicy } from '../auth';
import { Counters, type CounterState } from '../cluster';

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
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Set when the limit is taken. */
    rateWindow: RateWindow | undefined;
  }
}

const MASTER_WINDOW: RateWindow = { family: 'master', key: 'rate:master', limit: 100, windowMs: 1000 };
const FAMILIES: Readonly<Record<'rooms' | 'ai', { limit: LimitName; windowMs: number }>> = {
  rooms: { limit: 'requests_per_second', windowMs: 1000 },
  ai: { limit: 'ai_requests_per_minute', windowMs: 60_000 },
};

/** The code of a refusal on a route: RATE_LIMITED on the Conversations API, `/api/*` but not `/api/v1/*`. */
export function rateLimitCodeOf(url: string): RateLimitCode {
  return url.startsWith('/api/') && !url.startsWith('/api/v1/') ? 'RATE_LIMITED' : 'RATE_LIMIT_EXCEEDED';
}

/** The tenant's window of a family, whatever the route; the master key counts for itself. */
export function windowOf(identity: Identity, family: 'rooms' | 'ai'): RateWindow {
  return identity.kind === 'master' ? MASTER_WINDOW : tenantWindow(family, identity.grant.tenant);
}

/** A tenant's window of a family of routes. */
export function tenantWindow(family: 'rooms' | 'ai', tenant: TenantPolicy): RateWindow {
  const { limit, windowMs } = FAMILIES[family];
  return { family, key: `rate:${family}:${tenant.tenantId}`, limit: limitOf(tenant, limit), windowMs };
}

/** The window of a request, settled at the first asking. Throws where no credential was proven before. */
export function windowFor(request: FastifyRequest, family: 'rooms' | 'ai'): RateWindow {
  if (request.identity === undefined) throw new Error('the limit is taken when the credential is proven');
  return (request.rateWindow ??= windowOf(request.identity, family));
}

const windowIn = (context: ExecutionContext, family: 'rooms' | 'ai'): RateWindow =>
  windowFor(context.switchToHttp().getRequest<FastifyRequest>(), family);

/** A family's limit and window in the words of the throttler, where no limit is one that cannot be reached. */
const throttled = (family: 'rooms' | 'ai'): Pick<ThrottlerOptions, 'limit' | 'ttl'> => ({
  limit: (context) => windowIn(context, family).limit ?? Infinity,
  ttl: (context) => windowIn(context, family).windowMs,
});

/** What every route counts as that says nothing else: the tenant's `requests_per_second`. */
export const ROOMS_REQUESTS = throttled('rooms');
/** For `@Throttle`: the routes below `/api` count together, against the tenant's `ai_requests_per_minute`. */
export const AI_REQUESTS = {
  default: { ...throttled('ai'), generateKey: (context: ExecutionContext): string => windowIn(context, 'ai').key },
};

/** The window of the AI APIs, for messages to a model that come by another API. */
@Injectable()
export class AiWindow {
  constructor(private readonly counters: Counters) {}

  /** Counts one call; throws RATE_LIMIT_EXCEEDED when there is none left. */
  async takeAiRequest(tenant: TenantPolicy): Promise<void> {
    const { key, limit, windowMs } = tenantWindow('ai', tenant);
    if (limit !== null) refuseBeyond(limit, await this.counters.take(key, windowMs, limit));
  }
}

/** How many calls are left. */
@Injectable()
export class RequestsLeft {
  constructor(private readonly counters: Counters) {}

  /** Of a tenant's current window of a family of routes; null: it is not limited. */
  async requestsLeft(tenant: TenantPolicy, family: 'rooms' | 'ai'): Promise<number | null> {
    const { key, limit, windowMs } = tenantWindow(family, tenant);
    return limit === null ? null : Math.max(0, limit - (await this.counters.count(key, windowMs)));
  }
}

/** 429 for a call beyond its window's limit. */
export function refuseBeyond(
  limit: number,
  { count, resetAtMs }: CounterState,
  code: 'RATE_LIMIT_EXCEEDED' | 'RATE_LIMITED' = 'RATE_LIMIT_EXCEEDED',
): void {
  if (count <= limit) return;
  throw rateLimited(Math.max(1, Math.ceil((resetAtMs - Date.now()) / 1000)), code);
}
