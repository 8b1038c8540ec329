import { Injectable, Module, type OnModuleInit } from '@nestjs/common';
import { NodeRegistry } from '../../platform/cluster';
import { Epoch } from '../../platform/database';
import { Every, OnStop, StopStage } from '../../platform/lifecycle';
import { type AcceptedConnection, OnConnection, SOCKET_PATH, TransportModule } from '../transport';
import { CacheMemory } from './cache-memory';
import { Channels } from './channels';
import { FeedInterest } from './interest';
import { FeedReads } from './log-reads';
import { NodeAudience, SyncPlaces } from './node-audience';
import { NodeFeed } from './node-feed';
import { Audience, Deliveries, RecentMessages, RoomFeed, Subscriptions } from './ports';
import { Resync } from './resync';
import { ResyncPace, ResyncReads, Rests } from './resync-pace';
import { CachedMessages, SharedPages } from './shared-pages';

/** Between the comparisons of all channels with the database. */
const POLL_MS = 10_000;
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
    private readonly channels: Channels,
    private readonly epoch: Epoch,
  ) {}

  async onModuleInit(): Promise<void> {
    this.epoch.onChange(() => this.channels.startOver());
    this.leaving = [this.feed.listen(), this.nodes.onNodeLost(() => this.feed.lookForLost())];
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

  /** Where it waits for the database, the end of the reads ends it. */
  @Every(POLL_MS, 'room poll')
  poll(): Promise<void> {
    return this.resync.poll();
  }

  @OnStop(StopStage.workers)
  async leave(): Promise<void> {
    for (const leave of this.leaving) leave();
    await this.nodes.leaveCluster();
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
    Rests,
    ResyncReads,
    ResyncPace,
    Resync,
    FeedInterest,
    NodeFeed,
    NodeAudience,
    SyncPlaces,
    FeedStart,
    { provide: RoomFeed, useExisting: NodeFeed },
    { provide: Subscriptions, useExisting: NodeAudience },
    { provide: Audience, useExisting: NodeAudience },
    { provide: Deliveries, useExisting: NodeAudience },
    { provide: RecentMessages, useExisting: CachedMessages },
  ],
  exports: [RoomFeed, Subscriptions, Audience, Deliveries, RecentMessages, NodeAudience, SyncPlaces],
})
export class FeedModule {}
