import { type Clock, ManualClock } from '../../../src/common/time';
import {
  Bus,
  type BusEnvelope,
  type BusHandler,
  MemoryNodeRegistry,
  type NodeRegistry,
  type Topic,
} from '../../../src/platform/cluster';
import { AcknowledgedChanges } from '../../../src/platform/database/failover/acknowledged';
import { SilentLog } from '../../../src/platform/logging';
import { Metrics } from '../../../src/platform/metrics';
import type { FrameBatches } from '../../../src/realtime/transport';
import { CacheMemory } from '../../../src/realtime/feed/cache-memory';
import { Channels } from '../../../src/realtime/feed/channels';
import { FeedReads, LogReads } from '../../../src/realtime/feed/log-reads';
import { NodeAudience, SyncPlaces } from '../../../src/realtime/feed/node-audience';
import { NodeFeed } from '../../../src/realtime/feed/node-feed';
import { Resync } from '../../../src/realtime/feed/resync';
import { SharedPages } from '../../../src/realtime/feed/shared-pages';
import { CompleteFrames, type SyncBounds } from '../../../src/realtime/sync/room-sync';
import { SyncService } from '../../../src/realtime/sync/sync-service';
import { JsonLineBatches, JsonLineConnection } from './json-line-connection';
import type { ModelDatabase } from './model-log';

interface OnTheWay {
  readonly to: BusHandler<unknown>;
  readonly envelope: BusEnvelope<unknown>;
}

/** Buses of several nodes whose envelopes arrive when, as often and in what order the test wants; or not at all. */
export class UnreliableBus {
  readonly onTheWay: OnTheWay[] = [];
  private readonly handlers = new Map<string, Set<BusHandler<unknown>>>();

  bus(node: string): Bus {
    const own = new Set<BusHandler<unknown>>();
    this.handlers.set(node, own);
    return new LooseBus(node, own, (envelope) => this.spread(node, envelope));
  }

  /** Delivers what is on the way, the n-th first. */
  deliver(n: number, keep = false): void {
    const at = n % Math.max(1, this.onTheWay.length);
    const [due] = keep ? this.onTheWay.slice(at, at + 1) : this.onTheWay.splice(at, 1);
    due?.to(due.envelope);
  }

  drop(n: number): void {
    this.onTheWay.splice(n % Math.max(1, this.onTheWay.length), 1);
  }

  deliverAll(): void {
    while (this.onTheWay.length > 0) this.deliver(0);
  }

  private spread(from: string, envelope: BusEnvelope<unknown>): void {
    for (const [node, handlers] of this.handlers)
      if (node !== from) for (const to of handlers) this.onTheWay.push({ to, envelope });
  }
}

class LooseBus extends Bus {
  private n = 0;

  constructor(
    private readonly node: string,
    private readonly handlers: Set<BusHandler<unknown>>,
    private readonly spread: (envelope: BusEnvelope<unknown>) => void,
  ) {
    super();
  }

  publish<T>(_: Topic<T>, payload: NoInfer<T>): void {
    // As on a wire: nothing but JSON gets through.
    const copy: unknown = JSON.parse(JSON.stringify(payload));
    this.spread({ node: this.node, n: ++this.n, payload: copy });
  }

  subscribe<T>(_: Topic<T>, handler: BusHandler<NoInfer<T>>): () => void {
    this.handlers.add(handler as BusHandler<unknown>);
    return () => void this.handlers.delete(handler as BusHandler<unknown>);
  }
}

const IDLE_MS = 60_000;

/** The parts of a node's feed, put together as the server does it. */
class FeedParts {
  readonly reads = new FeedReads(new SilentLog());
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
    { clock, cacheMegabytes }: { readonly clock: Clock; readonly cacheMegabytes: number },
  ) {
    const memory = new CacheMemory({ cacheMegabytes });
    this.channels = new Channels(batches, log, this.reads, memory, clock, new Metrics(new SilentLog()));
    this.resync = new Resync(this.channels, log, positions, this.reads);
    this.feed = new NodeFeed(
      nodes,
      bus,
      this.channels,
      this.resync,
      { noteLive: () => undefined },
      new AcknowledgedChanges(),
    );
    this.audience = new NodeAudience(this.channels, positions, { waiting: () => 0 });
    this.places = new SyncPlaces(this.channels, this.resync, new SharedPages(this.channels, log, batches));
  }

  stop(): void {
    this.resync.stop();
    this.reads.stop();
    this.channels.end();
  }
}

/** A node's feed on a model of the database, with connections that record. */
export class FeedNode {
  readonly batches = new JsonLineBatches();
  readonly feed: FeedParts;
  readonly clock = new ManualClock();
  private sync: SyncService | undefined;
  private readonly unsubscribe: () => void;

  constructor(
    private readonly database: ModelDatabase,
    wire: UnreliableBus,
    cacheMegabytes = 1,
  ) {
    const nodes = new MemoryNodeRegistry(this.clock, () => undefined);
    this.feed = new FeedParts(database, this.batches, nodes, wire.bus(nodes.self.nodeId), {
      clock: this.clock,
      cacheMegabytes,
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
}
