import { Module } from '@nestjs/common';
import { ThrottlerModule } from '@nestjs/throttler';
import type { FastifyRequest } from 'fastify';
import { Counters } from '../cluster';
import { AiWindow } from './ai-window';
import { CounterStorage } from './counter-storage';
import { FailedCredentials } from './failed-credentials';
import { TenantThrottlerGuard } from './tenant-throttler.guard';
import { rateWindowOf } from './window';

/** One throttler whose limit and window are the request's own. */
@Module({
  imports: [
    ThrottlerModule.forRootAsync({
      inject: [Counters],
      useFactory: (counters: Counters) => ({
        storage: new CounterStorage(counters),
        throttlers: [
          {
            limit: (context) => rateWindowOf(context.switchToHttp().getRequest<FastifyRequest>()).limit ?? 0,
            ttl: (context) => rateWindowOf(context.switchToHttp().getRequest<FastifyRequest>()).windowMs,
          },
        ],
      }),
    }),
  ],
  providers: [AiWindow, FailedCredentials, TenantThrottlerGuard],
  exports: [AiWindow, FailedCredentials, TenantThrottlerGuard],
})
export class RateLimitModule {}
