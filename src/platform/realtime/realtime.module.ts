import { Global, Module } from '@nestjs/common';
import { Presence } from './presence';

@Global()
@Module({ providers: [Presence], exports: [Presence] })
export class RealtimeModule {}
