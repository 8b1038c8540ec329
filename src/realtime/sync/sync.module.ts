import type { Provider } from '@nestjs/common';
import { NodeSyncSite, SyncReads } from './site';
import { SyncGateway } from './sync.gateway';
import { SyncService } from './sync-service';

/** For the realtime module. */
export const SYNC_PROVIDERS: Provider[] = [SyncReads, NodeSyncSite, SyncService, SyncGateway];
