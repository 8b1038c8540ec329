import { Module } from '@nestjs/common';
import { FeedModule } from './feed';
import { PresenceModule } from './presence';
import { ProtocolModule } from './protocol';
import { RedeliveryModule } from './redelivery';
import { SyncModule } from './sync';
import { TransportModule } from './transport';

/** The parts of what is live, for the modules above: each exports what these may inject. */
@Module({
  imports: [TransportModule, ProtocolModule, FeedModule, SyncModule, PresenceModule, RedeliveryModule],
  exports: [TransportModule, FeedModule, PresenceModule, RedeliveryModule],
})
export class RealtimeModule {}
