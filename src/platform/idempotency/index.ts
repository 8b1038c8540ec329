/**
 * Idempotency-Key: one effect per key for 24 hours, scoped to tenant, user and route. The key's row is written in the
 * effect's transaction, so both happen or neither does; nothing is remembered of an answer that is not a success.
 */
export { Effects, type EffectResult } from './effects';
export { IdempotencyModule } from './idempotency.module';
