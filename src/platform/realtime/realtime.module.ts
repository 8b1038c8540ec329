import { Global, Module } from '@nestjs/common';
import { ConnectionHandlers } from './contract';
import { Presence } from './presence';
import { TRANSPORT_PROVIDERS, Upgrades } from './transport';

@Global()
@Module({ providers: [Presence, ...TRANSPORT_PROVIDERS], exports: [Presence, ConnectionHandlers, Upgrades] })
export class RealtimeModule {}
