import type { OnModuleInit } from '@nestjs/common';
import { every, type Lifecycle, StopStage } from '../../lifecycle';
import type { Log } from '../../logging';
import type { Connection, ConnectionHandlers } from '../contract';
import { SOCKET_PATH } from '../paths';
import type { PresenceParts } from './parts';
import type { Typing } from './typing';

const TICK_MS = 500;
const LAST_SEEN_MS = 1000;

/** Hears of this node's connections, and owns the timers of presence and typing. */
export class PresenceService implements OnModuleInit {
  constructor(
    private readonly parts: PresenceParts,
    private readonly typing: Typing,
    private readonly connections: ConnectionHandlers,
    private readonly lifecycle: Lifecycle,
    private readonly log: Log,
  ) {}

  onModuleInit(): void {
    const { keeper, local, board, announcer, snapshots, lastSeen } = this.parts;
    const unlisten = board.listen();
    // Its rooms are the feed's to bring, whose handler comes first: who came or went in between is in the snapshot.
    this.connections.add(SOCKET_PATH, { opened: (connection) => this.opened(connection) });
    const timers = [
      every(TICK_MS, 'presence', () => local.tick(), this.log),
      every(TICK_MS, 'presence leases', () => keeper.renew(), this.log),
      every(TICK_MS, 'presence updates', () => announcer.tick(), this.log),
      every(TICK_MS, 'presence snapshots', () => snapshots.tick(), this.log),
      every(TICK_MS, 'typing', () => this.typing.tick(), this.log),
      every(LAST_SEEN_MS, 'last seen', () => lastSeen.flush(), this.log),
    ];
    // The sockets have closed two stages before: their users' last moments are among what is written here.
    this.lifecycle.onStop(StopStage.workers, 'presence', async () => {
      unlisten();
      await Promise.all(timers.map((timer) => timer.stop()));
      await lastSeen.flush();
    });
  }

  /** The user is online from here on, and the connection gets its snapshot. */
  private opened(connection: Connection): void {
    this.parts.local.opened(connection);
    this.parts.snapshots.request(connection);
  }
}
