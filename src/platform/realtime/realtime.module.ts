import { Global, Module } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { ConnectionHandlers } from './contract';
import { Presence } from './presence';
import { PROTOCOL_PROVIDERS } from './protocol';
import { TRANSPORT_PROVIDERS, Upgrades } from './transport';

@Global()
@Module({
  imports: [DiscoveryModule],
  providers: [Presence, ...TRANSPORT_PROVIDERS, ...PROTOCOL_PROVIDERS],
  exports: [Presence, ConnectionHandlers, Upgrades],
})
export class RealtimeModule {}
