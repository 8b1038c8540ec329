import { type Clock, ManualClock } from '../../../src/common/time';
import { type Bus, MemoryNodeRegistry, type NodeRegistry } from '../../../src/platform/cluster';
import { AcknowledgedChanges } from '../../../src/platform/database/failover/acknowledged';
import { SilentLog } from '../../../src/platform/logging';
import { Metrics } from '../../../src/platform/metrics';
import { type FrameBatches, Permits } from '../../../src/realtime/transport';
import { CacheMemory } from '../../../src/realtime/feed/cache-memory';
import { Channels } from '../../../src/realtime/feed/channels';
import { FeedInterest } from '../../../src/realtime/feed/interest';
import { FeedReads, LogReads } from '../../../src/realtime/feed/log-reads';
import { NodeAudience, SyncPlaces } from '../../../src/realtime/feed/node-audience';
import { NodeFeed } from '../../../src/realtime/feed/node-feed';
import { Resync } from '../../../src/realtime/feed/resync';
import { ResyncPace, ResyncReads, Rests } from '../../../src/realtime/feed/resync-pace';
import { SharedPages } from '../../../src/realtime/feed/shared-pages';
import { CompleteFrames, type SyncBounds } from '../../../src/realtime/sync/room-sync';
import { SyncService } from '../../../src/realtime/sync/sync-service';
import type { UnreliableBus } from '../cluster/unreliable-bus';
import { JsonLineBatches, JsonLineConnection } from './json-line-connection';
import type { ModelDatabase } from './model-log';

const IDLE_MS = 60_000;

/** Waits for nothing. */
class NoRests extends Rests {
  override rest(): Promise<void> {
    return Promise.resolve();
  }
}

interface FeedOptions {
  readonly clock: Clock;
  readonly cacheMegabytes: number;
  readonly rests: Rests;
}

/** The parts of a node's feed, put together as the server does it. */
class FeedParts {
  readonly reads = new FeedReads(new SilentLog());
  readonly metrics = new Metrics(new SilentLog());
  readonly pace: ResyncPace;
  /** How often clients of this node may have been sent something live. */
  live = 0;
  readonly channels: Channels;
  readonly resync: Resync;
  readonly feed: NodeFeed;
  readonly audience: NodeAudience;
  readonly places: SyncPlaces;

  constructor(
    { log, positions }: ModelDatabase,
    batches: FrameBatches,
    nodes: NodeRegistry,
    bus: Bus,
    { clock, cacheMegabytes, rests }: FeedOptions,
  ) {
    const memory = new CacheMemory({ cacheMegabytes });
    this.channels = new Channels(batches, log, this.reads, memory, clock, this.metrics);
    const resyncReads = new ResyncReads(new SilentLog(), { queue: () => new Permits(1) });
    this.pace = new ResyncPace(resyncReads, bus, rests, clock, this.metrics);
    this.resync = new Resync(this.channels, log, positions, this.reads, this.pace);
    const pacer = { noteLive: () => this.live++ };
    this.feed = new NodeFeed(nodes, bus, this.channels, this.resync, pacer, new AcknowledgedChanges());
    const interest = new FeedInterest(bus, this.channels, this.resync);
    this.audience = new NodeAudience(this.channels, positions, interest, this.resync, { waiting: () => 0 });
    this.places = new SyncPlaces(this.channels, this.resync, new SharedPages(this.channels, log, batches));
  }

  stop(): void {
    this.resync.stop();
    this.pace.stop();
    this.pace.reads.stop();
    this.reads.stop();
    this.channels.end();
  }
}

/** A node's feed on a model of the database, with connections that record. */
export class FeedNode {
  readonly batches = new JsonLineBatches();
  readonly feed: FeedParts;
  readonly clock = new ManualClock();
  readonly nodes: MemoryNodeRegistry;
  private readonly nodeId: string;
  private sync: SyncService | undefined;
  private readonly unsubscribe: () => void;

  constructor(
    private readonly database: ModelDatabase,
    private readonly wire: UnreliableBus,
    cacheMegabytes = 1,
    rests: Rests = new NoRests(),
    heartbeats?: ConstructorParameters<typeof MemoryNodeRegistry>[2],
  ) {
    const nodes = new MemoryNodeRegistry(this.clock, () => undefined, heartbeats);
    this.nodes = nodes;
    this.nodeId = nodes.self.nodeId;
    this.feed = new FeedParts(database, this.batches, nodes, wire.bus(nodes.self.nodeId), {
      clock: this.clock,
      cacheMegabytes,
      rests,
    });
    this.unsubscribe = this.feed.feed.listen();
  }

  /** So long that no channel without connections is kept. */
  rest(): void {
    this.clock.advance(IDLE_MS);
    this.feed.channels.sweep();
  }

  /** A connection; `opened` resolves when it sits in its rooms. */
  open(userId: string): { readonly connection: JsonLineConnection; readonly opened: Promise<void> } {
    const connection = new JsonLineConnection(this.database.tenantId, userId);
    return { connection, opened: this.feed.audience.opened(connection) };
  }

  /** Lets connections sync, within these bounds. */
  syncing(bounds: SyncBounds): SyncService {
    const { feed, batches } = this;
    const reads = new LogReads(new SilentLog(), 'sync');
    const none = (): void => undefined;
    const metrics = { page: none, sent: none, truncated: none, reset: none, refused: none };
    const completes = new CompleteFrames((text) => batches.encode(text));
    const { log } = this.database;
    const site = { log, reads, places: feed.places, batches, completes, bounds, metrics, epoch: () => 1 };
    this.sync = new SyncService(site, this.database.positions, feed.audience, new SilentLog());
    return this.sync;
  }

  /** A connection that is sent what it missed; `opened` resolves when it has its places. */
  openSyncing(userId: string): { readonly connection: JsonLineConnection; readonly opened: Promise<void> } {
    const connection = new JsonLineConnection(this.database.tenantId, userId, true);
    return { connection, opened: this.sync?.opened(connection) ?? Promise.resolve() };
  }

  stop(): void {
    this.unsubscribe();
    this.feed.stop();
  }

  /** Ends without a word to the others. */
  crash(): void {
    this.wire.remove(this.nodeId);
    this.stop();
  }
}
