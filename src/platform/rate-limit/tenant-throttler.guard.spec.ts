import { Reflector } from '@nestjs/core';
import { SkipThrottle, Throttle } from '@nestjs/throttler';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ManualClock } from '../../common/time';
import type { Identity, RouteAccess } from '../auth';
import { MemoryCounters } from '../cluster';
import { CounterStorage, TenantThrottlerGuard } from './tenant-throttler.guard';
import { AI_REQUESTS, ROOMS_REQUESTS } from './window';

class Routes {
  plain(): void {}

  @Throttle(AI_REQUESTS)
  ai(): void {}

  @Throttle({ default: { limit: 2, ttl: 1000 } })
  own(): void {}

  @SkipThrottle()
  skipped(): void {}
}

@Throttle(AI_REQUESTS)
class AiRoutes {
  ai(): void {}

  @Throttle({ default: { ...AI_REQUESTS.default, limit: 1 } })
  own(): void {}
}

const limits = { requests_per_second: 7, ai_requests_per_minute: 5 };
const tenant = { tenantId: 't', status: 'active', limits, settings: {} } as const;
const identity: Identity = { kind: 'key', grant: { keyId: 'k', scopes: ['chat'], tenant } };

describe('the throttler', () => {
  const routes = { Routes, AiRoutes };

  async function take(
    controller: keyof typeof routes,
    method: string,
  ): Promise<[wasSynchronous: boolean, limit: unknown]> {
    const counters = new CounterStorage(new MemoryCounters(new ManualClock()));
    const guard = new TenantThrottlerGuard([ROOMS_REQUESTS], counters, new Reflector());
    await guard.onModuleInit();
    const headers = new Map<string, unknown>();
    const reply = { header: (name: string, value: unknown) => headers.set(name, value) } as unknown as FastifyReply;
    const request = { identity, routeOptions: { url: '/probe' } } as unknown as FastifyRequest;
    const handler = (routes[controller].prototype as unknown as Record<string, object>)[method] ?? {};
    const route: RouteAccess = { access: 'tenant', secretAnswer: false, controller: routes[controller], handler };
    const taken = guard.takeRequest(request, reply, route);
    await taken;
    return [!(taken instanceof Promise), headers.get('X-RateLimit-Limit')];
  }

  it.each<[keyof typeof routes, string, boolean, number | undefined]>([
    ['Routes', 'plain', true, 7],
    ['Routes', 'ai', true, 5],
    ['AiRoutes', 'ai', true, 5],
    ['Routes', 'own', false, 2],
    ['AiRoutes', 'own', false, 1],
    ['Routes', 'skipped', false, undefined],
  ])('%s.%s: at once %s, limit %s', async (controller, method, isAtOnce, limit) => {
    expect(await take(controller, method)).toEqual([isAtOnce, limit]);
  });
});
