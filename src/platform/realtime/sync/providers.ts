import type { Provider } from '@nestjs/common';
import { Epoch } from '../../database';
import { Lifecycle } from '../../lifecycle';
import { Log } from '../../logging';
import { Metrics } from '../../metrics';
import { ComebackGate } from '../comeback-gate';
import { ConnectionHandlers, RoomLog, Seats } from '../contract';
import { Feed, FrameBatches, LogReads } from '../feed';
import { SYNC_BOUNDS } from './room-sync';
import type { SyncMetrics } from './session';
import { SyncGateway } from './sync.gateway';
import { SyncService } from './sync-service';

/** Pages that are read at the same time: the database is there for others, too. */
const PAGES_AT_ONCE = 4;

function counting(metrics: Metrics): SyncMetrics {
  return {
    page: () => metrics.counter('chatapi_sync_pages_total').inc(),
    truncated: () => metrics.counter('chatapi_sync_truncated_total').inc(),
    reset: () => metrics.counter('chatapi_sync_reset_total').inc(),
    refused: (code) => metrics.errors(code),
  };
}

/** For the realtime module: after the feed, before presence. RoomLog and Seats come from global modules. */
export const SYNC_PROVIDERS: Provider[] = [
  {
    provide: SyncService,
    useFactory: (
      feed: Feed,
      log: RoomLog,
      seats: Seats,
      batches: FrameBatches,
      handlers: ConnectionHandlers,
      lifecycle: Lifecycle,
      logger: Log,
      metrics: Metrics,
      gate: ComebackGate,
      epoch: Epoch,
    ): SyncService => {
      const reads = new LogReads(logger, 'sync', gate.lane(PAGES_AT_ONCE));
      const common = { log, reads, places: feed.places, batches, bounds: SYNC_BOUNDS, metrics: counting(metrics) };
      const site = { ...common, epoch: () => epoch.known };
      const opened = feed.audience.openedToSync.bind(feed.audience);
      const service = new SyncService({ site, seats, opened, handlers, lifecycle, log: logger });
      metrics.collect('chatapi_sync_rooms', () => [{ labels: {}, value: service.waiting }]);
      return service;
    },
    inject: [Feed, RoomLog, Seats, FrameBatches, ConnectionHandlers, Lifecycle, Log, Metrics, ComebackGate, Epoch],
  },
  SyncGateway,
];
