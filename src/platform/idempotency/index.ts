/**
 * Idempotency-Key: one effect per key for 24 hours, scoped to tenant, user and route. The key's row is written in the
 * effect's transaction, so both happen or neither does; nothing is remembered of an answer that is not a success.
 */
import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AuditModule } from '../audit';
import { Effects, KeyPurge, KeysErase } from './effects';
import { IdempotencyKeyEntity } from './entities/idempotency-key.entity';

export { Effects, type EffectResult } from './effects';

@Module({
  imports: [AuditModule, TypeOrmModule.forFeature([IdempotencyKeyEntity])],
  providers: [Effects, KeyPurge, KeysErase],
  exports: [Effects],
})
export class IdempotencyModule {}
