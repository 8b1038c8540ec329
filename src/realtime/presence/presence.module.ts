import { Injectable, Module } from '@nestjs/common';
import { FeedModule } from '../feed';
import { type AcceptedConnection, OnConnection, SOCKET_PATH, TransportModule } from '../transport';
import { Announcer } from './announcer';
import { LastSeen } from './last-seen';
import { LeaseKeeper } from './leases';
import { LocalPresence } from './local-presence';
import { Presence } from './presence';
import { PresenceBoard } from './presence-board';
import { PresenceRoster } from './roster';
import { Snapshots } from './snapshots';
import { Typing } from './typing';

/** Hears of this node's connections. */
@Injectable()
class PresenceConnections {
  constructor(
    private readonly local: LocalPresence,
    private readonly snapshots: Snapshots,
  ) {}

  /**
   * The user is online from here on, and the connection gets its snapshot. Its rooms have been brought by then: a user
   * that came or went in between is in the snapshot.
   */
  @OnConnection(SOCKET_PATH, 'presence', { after: ['feed', 'sync'] })
  opened(connection: AcceptedConnection): void {
    this.local.opened(connection);
    this.snapshots.request(connection);
  }
}

@Module({
  imports: [TransportModule, FeedModule],
  providers: [
    Presence,
    LeaseKeeper,
    LocalPresence,
    PresenceBoard,
    PresenceRoster,
    Announcer,
    Snapshots,
    LastSeen,
    Typing,
    PresenceConnections,
  ],
  exports: [Presence, Typing],
})
export class PresenceModule {}
