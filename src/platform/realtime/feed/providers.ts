import { Injectable, type OnModuleInit, type Provider } from '@nestjs/common';
import { Bus, NodeRegistry } from '../../cluster';
import { Lifecycle } from '../../lifecycle';
import { Log } from '../../logging';
import { Audience, ConnectionHandlers, Deliveries, RoomFeed, RoomLog, Seats, Subscriptions } from '../contract';
import { SOCKET_PATH } from '../paths';
import { FrameBatches } from './batches';
import { Feed } from './feed';

/** Where room events go out. */

/** Starts the feed with the server, and hands it the connections. */
@Injectable()
export class FeedStart implements OnModuleInit {
  constructor(
    private readonly feed: Feed,
    private readonly connections: ConnectionHandlers,
    private readonly lifecycle: Lifecycle,
  ) {}

  async onModuleInit(): Promise<void> {
    // Connections that are sent what they missed come in by their sync.
    this.connections.add(SOCKET_PATH, {
      opened: (connection) => (connection.syncsByItself ? undefined : this.feed.audience.opened(connection)),
    });
    await this.feed.start(this.lifecycle);
  }
}

/** For the realtime module, which also provides FrameBatches. RoomLog and Seats come from global modules. */
export const FEED_PROVIDERS: Provider[] = [
  {
    provide: Feed,
    useFactory: (nodes: NodeRegistry, bus: Bus, log: RoomLog, seats: Seats, batches: FrameBatches, logger: Log): Feed =>
      new Feed({ nodes, bus, log, seats, batches, logger }),
    inject: [NodeRegistry, Bus, RoomLog, Seats, FrameBatches, Log],
  },
  { provide: RoomFeed, useFactory: (feed: Feed) => feed.feed, inject: [Feed] },
  { provide: Subscriptions, useFactory: (feed: Feed) => feed.audience, inject: [Feed] },
  { provide: Deliveries, useFactory: (feed: Feed) => feed.audience, inject: [Feed] },
  { provide: Audience, useFactory: (feed: Feed) => feed.audience, inject: [Feed] },
  { provide: Deliveries, useFactory: (feed: Feed) => feed.audience, inject: [Feed] },
  FeedStart,
];
