import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { Effects } from './effects';
import { KeyPurge } from './key-purge';
import { IdempotencyKeyEntity } from './entities/idempotency-key.entity';

@Module({
  imports: [TypeOrmModule.forFeature([IdempotencyKeyEntity])],
  providers: [Effects, KeyPurge],
  exports: [Effects],
})
export class IdempotencyModule {}
