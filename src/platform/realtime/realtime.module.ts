import { Global, Module } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { Audience, ConnectionHandlers, Deliveries, RoomFeed, Subscriptions } from './contract';
import { COMEBACK_PROVIDER } from './comeback-provider';
import { FEED_PROVIDERS, FrameBatches } from './feed';
import { Presence, PRESENCE_PROVIDERS, Typing } from './presence';
import { PROTOCOL_PROVIDERS } from './protocol';
import { Redelivery, REDELIVERY_PROVIDERS } from './redelivery';
import { SYNC_PROVIDERS } from './sync';
import { encodeFrame, OpenBatch, TRANSPORT_PROVIDERS, Upgrades } from './transport';

@Global()
@Module({
  imports: [DiscoveryModule],
  providers: [
    Presence,
    COMEBACK_PROVIDER,
    ...TRANSPORT_PROVIDERS,
    { provide: FrameBatches, useValue: { open: () => new OpenBatch(), encode: encodeFrame } satisfies FrameBatches },
    ...FEED_PROVIDERS,
    ...SYNC_PROVIDERS,
    // After the feed and sync: a connection sits in its rooms before it is told who is online.
    ...PRESENCE_PROVIDERS,
    ...REDELIVERY_PROVIDERS,
    ...PROTOCOL_PROVIDERS,
  ],
  exports: [Presence, Typing, ConnectionHandlers, RoomFeed, Subscriptions, Audience, Deliveries, Redelivery, Upgrades],
})
export class RealtimeModule {}
