/**
 * Rate limits: one fixed window per tenant and family, from the tenant's own limits, on the Counters port. The limit
 * is read with each request's (≤2 s old) tenant policy, so a change needs no restart. Bad credentials have windows of their
 * own, by address and by what is guessed.
 */
export { AiWindow } from './ai-window';
export { FailedCredentials } from './failed-credentials';
export { RateLimitModule } from './rate-limit.module';
export { TenantThrottlerGuard } from './tenant-throttler.guard';
export { AI_REQUESTS, rateLimitCodeOf } from './window';
