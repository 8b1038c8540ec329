import { Module } from '@nestjs/common';
import { ThrottlerModule } from '@nestjs/throttler';
import { AiWindow } from './ai-window';
import { CounterStorage } from './counter-storage';
import { FailedCredentials } from './failed-credentials';
import { TenantThrottlerGuard } from './tenant-throttler.guard';
import { ROOMS_REQUESTS } from './window';

/** One throttler whose limit and window are the request's own. */
@Module({
  imports: [ThrottlerModule.forRoot([ROOMS_REQUESTS])],
  providers: [AiWindow, CounterStorage, FailedCredentials, TenantThrottlerGuard],
  exports: [AiWindow, FailedCredentials, TenantThrottlerGuard],
})
export class RateLimitModule {}
