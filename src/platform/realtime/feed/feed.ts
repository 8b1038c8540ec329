import type { Bus, NodeRegistry } from '../../cluster';
import { every, type Lifecycle, StopStage } from '../../lifecycle';
import type { Log } from '../../logging';
import type { RoomLog, Seats } from '../contract';
import type { FrameBatches } from './batches';
import { Channels } from './channels';
import { LogReads } from './log-reads';
import { NodeAudience } from './node-audience';
import { NodeFeed } from './node-feed';
import { Resync } from './resync';
import { SyncPlaces } from './sync-places';

export interface FeedPorts {
  readonly nodes: NodeRegistry;
  readonly bus: Bus;
  readonly log: RoomLog;
  readonly seats: Seats;
  readonly batches: FrameBatches;
  readonly logger: Log;
}

export interface FeedTimes {
  /** Between the comparisons of all channels with the database. */
  readonly pollMs: number;
  /** At least three times per NODE_TTL_MS. */
  readonly heartbeatMs: number;
}

export const FEED_TIMES: FeedTimes = { pollMs: 10_000, heartbeatMs: 5000 };

/** The parts of one node's feed, and what keeps them going. */
export class Feed {
  readonly channels: Channels;
  readonly resync: Resync;
  readonly feed: NodeFeed;
  readonly audience: NodeAudience;
  readonly places: SyncPlaces;
  private readonly reads: LogReads;

  constructor(private readonly ports: FeedPorts) {
    const { batches, log, seats, logger } = ports;
    this.reads = new LogReads(logger, 'the feed');
    this.channels = new Channels(batches, log, this.reads);
    this.resync = new Resync(this.channels, log, seats, this.reads);
    this.feed = new NodeFeed(ports.nodes.self.nodeId, ports.bus, this.channels, this.resync);
    this.audience = new NodeAudience(this.channels, seats);
    this.places = new SyncPlaces(this.channels, this.resync);
  }

  /** Joins the cluster, listens to the other nodes and polls, until the server stops. */
  async start(lifecycle: Lifecycle, times: FeedTimes = FEED_TIMES): Promise<void> {
    const { nodes, logger } = this.ports;
    const unsubscribe = this.feed.listen();
    const forget = nodes.onNodeLost((node) => this.feed.forget(node.nodeId));
    const heartbeat = every(times.heartbeatMs, 'node heartbeat', () => nodes.heartbeat(), logger);
    const poll = every(times.pollMs, 'room poll', () => this.resync.poll(), logger);
    lifecycle.onStop(StopStage.workers, 'feed', async () => {
      this.stop();
      unsubscribe();
      forget();
      await Promise.all([heartbeat.stop(), poll.stop()]);
      await nodes.leave();
    });
    await nodes.heartbeat();
  }

  /** Ends what waits; sockets get nothing more. */
  stop(): void {
    this.resync.stop();
    this.reads.stop();
    this.channels.end();
  }
}
