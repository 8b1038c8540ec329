import { Injectable, Module, type OnModuleInit } from '@nestjs/common';
import { NodeRegistry } from '../../platform/cluster';
import { Epoch } from '../../platform/database';
import { Every, OnStop, StopStage } from '../../platform/lifecycle';
import { Gauge, type GaugeSample } from '../../platform/metrics';
import { type AcceptedConnection, OnConnection, SOCKET_PATH, TransportModule } from '../transport';
import { CacheMemory } from './cache-memory';
import { Channels } from './channels';
import { FeedInterest } from './interest';
import { FeedReads } from './log-reads';
import { NodeAudience, SyncPlaces } from './node-audience';
import { NodeFeed } from './node-feed';
import { PollPace } from './poll-pace';
import { Audience, Deliveries, RecentMessages, RoomFeed, Subscriptions } from './ports';
import { UserFrames } from './user-frames';
import { Resync } from './resync';
import { ResyncPace, ResyncReads, Rests } from './resync-pace';
import { CachedMessages, SharedPages } from './shared-pages';

/** Between two looks for signals that are due. */
const SIGNALS_MS = 250;
/** At least three times per NODE_TTL_MS. */
const HEARTBEAT_MS = 5000;

/** Joins the cluster, listens to the other nodes and polls, until the server stops; hands the feed the connections. */
@Injectable()
class FeedStart implements OnModuleInit {
  private leaving: readonly (() => void)[] = [];

  constructor(
    private readonly nodes: NodeRegistry,
    private readonly feed: NodeFeed,
    private readonly resync: Resync,
    private readonly audience: NodeAudience,
    readonly pace: PollPace,
  ) {}

  async onModuleInit(): Promise<void> {
    const look = (): void => this.feed.lookForLost();
    this.leaving = [this.feed.listen(), this.nodes.onNodeLost(look), this.nodes.onReturned(look)];
    await this.nodes.heartbeat();
  }

  /** Connections that are sent what they missed come in by their sync. */
  @OnConnection(SOCKET_PATH, 'feed')
  opened(connection: AcceptedConnection): void | Promise<void> {
    return connection.syncsByItself ? undefined : this.audience.opened(connection);
  }

  @Every(HEARTBEAT_MS, 'node heartbeat')
  heartbeat(): Promise<void> {
    return this.nodes.heartbeat();
  }

  @Gauge('chatapi_cluster_nodes')
  async count(): Promise<GaugeSample<'chatapi_cluster_nodes'>[]> {
    return [{ labels: {}, value: (await this.nodes.nodes()).length }];
  }

  @Every(SIGNALS_MS, 'room signals')
  signals(): void {
    this.feed.tick();
  }

  /** Where it waits for the database, the end of the reads ends it. */
  @Every(({ pace }: FeedStart) => pace.lookMs, 'room poll')
  poll(): Promise<void> {
    return this.pace.run((timed) => this.resync.poll(timed));
  }

  @OnStop(StopStage.workers)
  async leave(): Promise<void> {
    for (const leave of this.leaving) leave();
    await this.nodes.leaveCluster();
  }
}

/** Where a failover has lost something what the channels hold may be of another log. */
@Injectable()
class FeedEpoch {
  constructor(epoch: Epoch, channels: Channels) {
    epoch.onChange(() => channels.startOver());
  }
}

@Module({
  imports: [TransportModule],
  providers: [
    FeedReads,
    CacheMemory,
    Channels,
    SharedPages,
    CachedMessages,
    PollPace,
    Rests,
    ResyncReads,
    ResyncPace,
    Resync,
    FeedInterest,
    NodeFeed,
    NodeAudience,
    SyncPlaces,
    FeedStart,
    FeedEpoch,
    UserFrames,
    { provide: RoomFeed, useExisting: NodeFeed },
    { provide: Subscriptions, useExisting: NodeAudience },
    { provide: Audience, useExisting: NodeAudience },
    { provide: Deliveries, useExisting: NodeAudience },
    { provide: RecentMessages, useExisting: CachedMessages },
  ],
  exports: [RoomFeed, Subscriptions, Audience, Deliveries, RecentMessages, NodeAudience, SyncPlaces, UserFrames],
})
export class FeedModule {}
