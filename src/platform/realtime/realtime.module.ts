import { Global, Module } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { Audience, ConnectionHandlers, RoomFeed, Subscriptions } from './contract';
import { FEED_PROVIDERS, FrameBatches } from './feed';
import { Presence } from './presence';
import { PROTOCOL_PROVIDERS } from './protocol';
import { encodeFrame, OpenBatch, TRANSPORT_PROVIDERS, Upgrades } from './transport';

@Global()
@Module({
  imports: [DiscoveryModule],
  providers: [
    Presence,
    ...TRANSPORT_PROVIDERS,
    { provide: FrameBatches, useValue: { open: () => new OpenBatch(), encode: encodeFrame } satisfies FrameBatches },
    ...FEED_PROVIDERS,
    ...PROTOCOL_PROVIDERS,
  ],
  exports: [Presence, ConnectionHandlers, RoomFeed, Subscriptions, Audience, Upgrades],
})
export class RealtimeModule {}
