import { Module } from '@nestjs/common';
import { Effects } from './effects';
import { KeyPurge } from './key-purge';

@Module({ providers: [Effects, KeyPurge], exports: [Effects] })
export class IdempotencyModule {}
