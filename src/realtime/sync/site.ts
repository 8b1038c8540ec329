import { Injectable } from '@nestjs/common';
import type { ErrorCode } from '../../common/errors';
import { Epoch } from '../../platform/database';
import { Log } from '../../platform/logging';
import { Metrics } from '../../platform/metrics';
import { ComebackGate } from '../transport/comeback-gate';
import { RoomLog } from '../feed/ports';
import { FrameBatches, LogReads, SyncPlaces } from '../feed';
import { SYNC_BOUNDS } from './room-sync';
import type { SyncSite } from './session';

/** Pages that are read at the same time: the database is there for others, too. */
const PAGES_AT_ONCE = 4;

@Injectable()
export class SyncReads extends LogReads {
  constructor(log: Log, gate: ComebackGate) {
    super(log, 'sync', gate.lane(PAGES_AT_ONCE));
  }
}

/** What the sessions of this node share. */
@Injectable()
export class NodeSyncSite implements SyncSite {
  readonly bounds = SYNC_BOUNDS;

  constructor(
    readonly log: RoomLog,
    readonly reads: SyncReads,
    readonly places: SyncPlaces,
    readonly batches: FrameBatches,
    private readonly counters: Metrics,
    private readonly installation: Epoch,
  ) {}

  readonly metrics = {
    page: (): void => this.counters.counter('chatapi_sync_pages_total').inc(),
    truncated: (): void => this.counters.counter('chatapi_sync_truncated_total').inc(),
    reset: (): void => this.counters.counter('chatapi_sync_reset_total').inc(),
    refused: (code: ErrorCode): void => this.counters.errors(code),
  };

  readonly epoch = (): number => this.installation.known;
}
