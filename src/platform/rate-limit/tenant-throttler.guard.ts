import { type ExecutionContext, Injectable } from '@nestjs/common';
import { ThrottlerGuard, type ThrottlerRequest } from '@nestjs/throttler';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { AppError } from '../../common/errors';
import { rateWindowOf } from './window';

/**
 * The throttler's guard with the tenant's own limit, one key per tenant and family, and the contract's headers.
 * It is run by the auth hook, after the credential is proven and before the body is parsed; Nest's own guards would
 * come after the parsing.
 */
@Injectable()
export class TenantThrottlerGuard extends ThrottlerGuard {
  protected override shouldSkip(context: ExecutionContext): Promise<boolean> {
    if (context.getType() !== 'http') return Promise.resolve(true);
    return Promise.resolve(rateWindowOf(context.switchToHttp().getRequest<FastifyRequest>()).limit === null);
  }

  protected override async handleRequest({ context, limit, ttl, throttler }: ThrottlerRequest): Promise<boolean> {
    const http = context.switchToHttp();
    const reply = http.getResponse<FastifyReply>();
    const window = rateWindowOf(http.getRequest<FastifyRequest>());
    const state = await this.storageService.increment(window.key, ttl, limit, 0, throttler.name ?? 'default');
    reply.header('X-RateLimit-Limit', limit);
    reply.header('X-RateLimit-Remaining', Math.max(0, limit - state.totalHits));
    reply.header('X-RateLimit-Reset', Math.ceil(state.timeToExpire));
    if (!state.isBlocked) return true;
    const seconds = Math.max(1, Math.ceil(state.timeToExpire - Date.now() / 1000));
    throw new AppError('RATE_LIMIT_EXCEEDED', `Rate limit exceeded. Try again in ${seconds} seconds`, {
      retryAfterSeconds: seconds,
    });
  }
}
