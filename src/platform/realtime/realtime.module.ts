import { Global, Module } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { Presence } from './presence';
import { Dispatcher, PingGateway, SocketOperations } from './protocol';

@Global()
@Module({
  imports: [DiscoveryModule],
  providers: [Presence, SocketOperations, Dispatcher, PingGateway],
  exports: [Presence],
})
export class RealtimeModule {}
