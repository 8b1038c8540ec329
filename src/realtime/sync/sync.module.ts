import { Module } from '@nestjs/common';
import { FeedModule } from '../feed';
import { TransportModule } from '../transport';
import { NodeSyncSite, SyncReads } from './session';
import { SyncService } from './sync-service';
import { SyncGateway } from './sync.gateway';

@Module({
  imports: [TransportModule, FeedModule],
  providers: [SyncReads, NodeSyncSite, SyncService, SyncGateway],
})
export class SyncModule {}
