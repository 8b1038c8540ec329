import { Module } from '@nestjs/common';
import { ComebackGate } from './transport/comeback-gate';
import { ComebackWatch } from './comeback-watch';
import { Audience, Deliveries, RoomFeed, Subscriptions } from './feed/ports';
import { FEED_PROVIDERS, FrameBatches } from './feed';
import { LoopTime, SystemLoopTime } from './transport/loop-time';
import { Presence, PRESENCE_PROVIDERS, Typing } from './presence';
import { PROTOCOL_PROVIDERS } from './protocol';
import { Redelivery, REDELIVERY_PROVIDERS } from './redelivery';
import { SYNC_PROVIDERS } from './sync';
import { encodeFrame, OpenBatch, TRANSPORT_PROVIDERS, Upgrades } from './transport';

@Module({
  providers: [
    { provide: LoopTime, useClass: SystemLoopTime },
    ComebackGate,
    ComebackWatch,
    ...TRANSPORT_PROVIDERS,
    { provide: FrameBatches, useValue: { open: () => new OpenBatch(), encode: encodeFrame } satisfies FrameBatches },
    ...FEED_PROVIDERS,
    ...SYNC_PROVIDERS,
    ...PRESENCE_PROVIDERS,
    ...REDELIVERY_PROVIDERS,
    ...PROTOCOL_PROVIDERS,
  ],
  exports: [Presence, Typing, RoomFeed, Subscriptions, Audience, Deliveries, Redelivery, Upgrades],
})
export class RealtimeModule {}
