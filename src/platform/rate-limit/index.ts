/**
 * Rate limits: one fixed window per tenant and family, from the tenant's own limits, on the Counters port. The limit
 * is read with each request's (≤2 s old) tenant policy, so a change needs no restart. Bad credentials have windows of their
 * own, by address and by what is guessed.
 */
import { Module } from '@nestjs/common';
import { ThrottlerModule } from '@nestjs/throttler';
import { FailedCredentials } from './failed-credentials';
import { CounterStorage, TenantThrottlerGuard } from './tenant-throttler.guard';
import { AiWindow, RequestsLeft, ROOMS_REQUESTS } from './window';

export { AI_REQUESTS, AiWindow, rateLimitCodeOf, RequestsLeft } from './window';
export { FailedCredentials } from './failed-credentials';
export { TenantThrottlerGuard } from './tenant-throttler.guard';

/** One throttler whose limit and window are the request's own. */
@Module({
  imports: [ThrottlerModule.forRoot([ROOMS_REQUESTS])],
  providers: [AiWindow, CounterStorage, FailedCredentials, RequestsLeft, TenantThrottlerGuard],
  exports: [AiWindow, FailedCredentials, RequestsLeft, TenantThrottlerGuard],
})
export class RateLimitModule {}
