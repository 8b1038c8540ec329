import type { AcceptedConnection, Connection, Position } from '../contract';
import type { Channels } from './channels';
import type { Arrival } from './follower';
import type { Target } from './room-channel';

/** The places of connections that sync, for whoever brings them there (platform/realtime/sync). */
export class SyncPlaces {
  constructor(private readonly channels: Channels) {}

  /** From here on the connection is not live in the room; undefined where it has no place in it. */
  hold(connection: Connection, roomId: string): Target | undefined {
    return this.channels.find(connection.tenantId, roomId)?.hold(connection);
  }

  /** False once it was removed, has unsubscribed, or the room is gone. */
  isHeld(connection: Connection, roomId: string): boolean {
    return this.channels.find(connection.tenantId, roomId)?.isHeld(connection) === true;
  }

  sent(connection: Connection, roomId: string, seq: number): void {
    this.channels.find(connection.tenantId, roomId)?.sent(connection, seq);
  }

  /** It has everything up to here: from there it follows the channel, and goes live. */
  release(connection: AcceptedConnection, roomId: string, at: Position, arrival: Arrival): void {
    const channel = this.channels.find(connection.tenantId, roomId);
    if (channel === undefined) arrival.over(false);
    else channel.release(connection, at, arrival);
  }

  /** The database says that the user does not sit there: the channel has not heard of it. */
  look(connection: Connection, roomId: string): void {
    this.channels.find(connection.tenantId, roomId)?.refresh();
  }
}
