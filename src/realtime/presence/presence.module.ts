import { Injectable, type Provider } from '@nestjs/common';
import type { AcceptedConnection } from '../feed/ports';
import { OnConnection } from '../transport/door';
import { SOCKET_PATH } from '../transport/paths';
import { Announcer } from './announcer';
import { LastSeen } from './last-seen';
import { LeaseKeeper } from './leases';
import { LocalPresence } from './local-presence';
import { Presence } from './presence';
import { PresenceBoard } from './presence-board';
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
   * The user is online from here on, and the connection gets its snapshot. Its rooms have been brought by then: who came
   * or went in between is in the snapshot.
   */
  @OnConnection(SOCKET_PATH, 'presence', { after: ['feed', 'sync'] })
  opened(connection: AcceptedConnection): void {
    this.local.opened(connection);
    this.snapshots.request(connection);
  }
}

/** For the realtime module. */
export const PRESENCE_PROVIDERS: Provider[] = [
  Presence,
  LeaseKeeper,
  LocalPresence,
  PresenceBoard,
  Announcer,
  Snapshots,
  LastSeen,
  Typing,
  PresenceConnections,
];
