/** Nest's throttler with the tenants' own limits. */
import { type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host';
import {
  InjectThrottlerOptions,
  ThrottlerGuard,
  type ThrottlerModuleOptions,
  type ThrottlerRequest,
  type ThrottlerStorage,
} from '@nestjs/throttler';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { RouteAccess } from '../auth';
import { Counters, type CounterState } from '../cluster';
import { AI_REQUESTS, rateLimitCodeOf, refuseBeyond, windowFor } from './window';

type StorageRecord = Awaited<ReturnType<ThrottlerStorage['increment']>>;

/**
 * The throttler's storage on the Counters port: one fixed window per key, O(1) per request (the library's own keeps
 * a timestamp per hit). Memory now, shared by the nodes when Counters are.
 */
@Injectable()
export class CounterStorage implements ThrottlerStorage {
  constructor(private readonly counters: Counters) {}

  /** Takes one request of a key's current window. */
  take(key: string, windowMs: number, limit: number): CounterState | Promise<CounterState> {
    return this.counters.take(key, windowMs, limit);
  }

  async increment(key: string, ttl: number, limit: number): Promise<StorageRecord> {
    const { count, resetAtMs } = await this.take(key, ttl, limit);
    // Unix time, not what is left: the contract's header says when the window ends.
    const resetAt = resetAtMs / 1000;
    return { totalHits: count, timeToExpire: resetAt, isBlocked: count > limit, timeToBlockExpire: resetAt };
  }
}

/** Begins the metadata of the throttler's decorators (@Throttle, @SkipThrottle). */
const DECORATED = 'THROTTLER:';
const OWN_LIMIT = `${DECORATED}LIMITdefault`;
/** What `@Throttle(AI_REQUESTS)` writes, and nothing else does. */
const AI_METADATA: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  [OWN_LIMIT, AI_REQUESTS.default.limit],
  [`${DECORATED}TTLdefault`, AI_REQUESTS.default.ttl],
  [`${DECORATED}KEY_GENERATORdefault`, AI_REQUESTS.default.generateKey],
]);

/**
 * The throttler's guard with the tenant's own limits, one counter per tenant and family, and the contract's headers. It is
 * asked by the gate, when the credential is proven and before the body is read: Nest would ask after it.
 *
 * A route of a family (no decorator, or `@Throttle(AI_REQUESTS)`) counts against the tenant's window. One with another of the
 * throttler's decorators goes the library's way. With a limit of its own it has a counter of its own per tenant; a block ends
 * with its window (no `blockDuration`).
 */
@Injectable()
export class TenantThrottlerGuard extends ThrottlerGuard {
  /** By handler; null: the library's way. */
  private readonly families = new WeakMap<object, 'rooms' | 'ai' | null>();

  constructor(
    @InjectThrottlerOptions() options: ThrottlerModuleOptions,
    // By name: the parent class asks for the library's storage in this place, and decorators are inherited.
    @Inject(CounterStorage) private readonly counters: CounterStorage,
    reflector: Reflector,
  ) {
    super(options, counters, reflector);
  }

  /**
   * Takes one request of its window; throws 429 when there is none left. Synchronous where the counters are: a route of a family
   * goes straight to the counter, since the library's way asks the reflector five times and waits ten, for the same answer.
   */
  takeRequest(request: FastifyRequest, reply: FastifyReply, route: RouteAccess): void | Promise<void> {
    const family = this.familyOf(route);
    if (family === null) {
      const context = new ExecutionContextHost([request, reply], route.controller as never, route.handler as never);
      context.setType('http');
      return this.canActivate(context).then(() => undefined);
    }
    const { key, limit, windowMs } = windowFor(request, family);
    if (limit === null) return;
    const state = this.counters.take(key, windowMs, limit);
    if (state instanceof Promise) return state.then((later) => answer(request, reply, limit, later));
    answer(request, reply, limit, state);
  }

  protected override async handleRequest(asked: ThrottlerRequest): Promise<boolean> {
    const { context, limit, ttl, blockDuration, getTracker, generateKey, throttler } = asked;
    if (limit === Infinity) return true;
    if (blockDuration !== ttl) throw new Error(`${context.getHandler().name}: a block ends with its window`);
    const http = context.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const key = generateKey(context, await getTracker(request, context), throttler.name ?? 'default');
    answer(request, http.getResponse<FastifyReply>(), limit, await this.counters.take(key, ttl, limit));
    return true;
  }

  /** The tenant that is counted where a route has a limit of its own. */
  protected override getTracker({ identity }: Partial<FastifyRequest>): Promise<string> {
    return Promise.resolve(
      identity === undefined || identity.kind === 'master' ? 'master' : identity.grant.tenant.tenantId,
    );
  }

  protected override generateKey(context: ExecutionContext, tracker: string): string {
    const targets = [context.getHandler(), context.getClass()];
    const isOwn = this.reflector.getAllAndOverride<unknown>(OWN_LIMIT, targets) !== undefined;
    if (!isOwn) return windowFor(context.switchToHttp().getRequest<FastifyRequest>(), 'rooms').key;
    return `rate:${context.getClass().name}.${context.getHandler().name}:${tracker}`;
  }

  private familyOf({ handler, controller }: RouteAccess): 'rooms' | 'ai' | null {
    let family = this.families.get(handler);
    if (family === undefined) {
      family = declaredFamily([handler, controller]);
      this.families.set(handler, family);
    }
    return family;
  }
}

function declaredFamily(targets: readonly object[]): 'rooms' | 'ai' | null {
  const decorated = targets.flatMap((target) =>
    (Reflect.getMetadataKeys(target) as unknown[])
      .filter((key): key is string => typeof key === 'string' && key.startsWith(DECORATED))
      .map((key) => [key, Reflect.getMetadata(key, target) as unknown] as const),
  );
  if (decorated.length === 0) return 'rooms';
  return decorated.every(([key, value]) => value === AI_METADATA.get(key)) ? 'ai' : null;
}

/** Sets the headers; throws 429 for a request beyond the limit. */
function answer(request: FastifyRequest, reply: FastifyReply, limit: number, { count, resetAtMs }: CounterState): void {
  reply.header('X-RateLimit-Limit', limit);
  reply.header('X-RateLimit-Remaining', Math.max(0, limit - count));
  reply.header('X-RateLimit-Reset', Math.ceil(resetAtMs / 1000));
  if (count > limit)
    refuseBeyond(limit, { count, resetAtMs }, rateLimitCodeOf(request.routeOptions.url ?? request.url));
}
