import { Global, Module } from '@nestjs/common';
import { Effects } from './effects';
import { KeyPurge } from './key-purge';

@Global()
@Module({ providers: [Effects, KeyPurge], exports: [Effects] })
export class IdempotencyModule {}
