import { type ExecutionContext, Injectable } from '@nestjs/common';
import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host';
import { ThrottlerGuard, type ThrottlerRequest } from '@nestjs/throttler';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { RouteAccess } from '../auth';
import type { CounterState } from '../cluster';
import { refuseBeyond } from './ai-window';
import { CounterStorage } from './counter-storage';
import { type RateWindow, rateWindowOf } from './window';

/** Begins the metadata of the throttler's decorators (@Throttle, @SkipThrottle). */
const DECORATED = 'THROTTLER:';

/**
 * The throttler's guard with the tenant's own limit, one key per tenant and family, and the contract's headers.
 * It is run by the gate, after the credential is proven and before the body is parsed; Nest's own guards would come
 * after the parsing.
 */
@Injectable()
export class TenantThrottlerGuard extends ThrottlerGuard {
  private readonly plain = new WeakMap<object, boolean>();

  /**
   * Takes one request of its window; throws 429 when there is none left. Synchronous where the counters are. A route
   * without a decorator of the throttler goes straight to the counter: the guard's own way asks the reflector five
   * times and waits ten, for the same answer.
   */
  take(request: FastifyRequest, reply: FastifyReply, route: RouteAccess): void | Promise<void> {
    if (!this.isPlain(route) || !(this.storageService instanceof CounterStorage)) {
      const context = new ExecutionContextHost([request, reply], route.controller as never, route.handler as never);
      context.setType('http');
      return this.canActivate(context).then(() => undefined);
    }
    const window = rateWindowOf(request);
    const { limit } = window;
    if (limit === null) return;
    const state = this.storageService.count(window.key, window.windowMs);
    if (state instanceof Promise) return state.then((later) => answer(reply, window, limit, later));
    answer(reply, window, limit, state);
  }

  protected override shouldSkip(context: ExecutionContext): Promise<boolean> {
    return Promise.resolve(context.getType() !== 'http' || windowIn(context).limit === null);
  }

  protected override async handleRequest({ context, limit, ttl, throttler }: ThrottlerRequest): Promise<boolean> {
    const window = windowIn(context);
    const state = await this.storageService.increment(window.key, ttl, limit, 0, throttler.name ?? 'default');
    const resetAtMs = state.timeToExpire * 1000;
    answer(context.switchToHttp().getResponse<FastifyReply>(), window, limit, { count: state.totalHits, resetAtMs });
    return true;
  }

  private isPlain({ handler, controller }: RouteAccess): boolean {
    let answer = this.plain.get(handler);
    if (answer === undefined) {
      const keys = [handler, controller].flatMap((target) => Reflect.getMetadataKeys(target) as unknown[]);
      answer = !keys.some((key) => typeof key === 'string' && key.startsWith(DECORATED));
      this.plain.set(handler, answer);
    }
    return answer;
  }
}

function windowIn(context: ExecutionContext): RateWindow {
  return rateWindowOf(context.switchToHttp().getRequest<FastifyRequest>());
}

/** Sets the headers; throws 429 for a request beyond the limit. */
function answer(reply: FastifyReply, { code }: RateWindow, limit: number, { count, resetAtMs }: CounterState): void {
  reply.header('X-RateLimit-Limit', limit);
  reply.header('X-RateLimit-Remaining', Math.max(0, limit - count));
  reply.header('X-RateLimit-Reset', Math.ceil(resetAtMs / 1000));
  refuseBeyond(limit, { count, resetAtMs }, code);
}
