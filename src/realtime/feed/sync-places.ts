import { Injectable } from '@nestjs/common';
import type { AcceptedConnection, Connection, Position, Seat } from './ports';
import { Channels } from './channels';
import type { Arrival } from './follower';
import { Resync } from './resync';
import type { Target } from './room-channel';

/** The places of connections that sync, for the sessions that bring them there (realtime/sync). */
@Injectable()
export class SyncPlaces {
  constructor(
    private readonly channels: Channels,
    private readonly resync: Resync,
  ) {}

  /** From here on the connection is not live in the room; undefined where it has no place in it. */
  hold(connection: Connection, roomId: string): Target | undefined {
    return this.channels.find(connection.tenantId, roomId)?.hold(connection);
  }

  /**
   * The same for a member whom the channel has not heard of yet: the place is where the database saw the member, so that
   * nothing is live before the sync that the client asked for. undefined for listeners, and where the connection has
   * unsubscribed.
   */
  seat(connection: Connection, seat: Seat, sentSeq: number): Target | undefined {
    const listener = this.channels.listeners.get(connection);
    if (listener === undefined || seat.isListener === true) return undefined;
    const isFirst = this.channels.find(connection.tenantId, seat.roomId) === undefined;
    this.channels.keep(listener, { ...seat, ackedSeq: sentSeq });
    // The seat may have waited for its turn: no channel has listened to the room since.
    if (isFirst) this.channels.find(connection.tenantId, seat.roomId)?.refresh();
    return this.hold(connection, seat.roomId);
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

  /**
   * The database says that the user does not sit there. Either the channel has not heard of it yet, and tells the
   * connection; or it had passed the removal before the connection got its place, which is given up. Resolves when one
   * of the two was done.
   */
  async doubt(connection: Connection, roomId: string): Promise<void> {
    const { tenantId, userId } = connection;
    await this.channels.find(tenantId, roomId)?.doubt(connection);
    // The user may have come back meanwhile, unnoticed since the connection's place was taken.
    if (connection.isOpen && !this.has(connection, roomId)) await this.resync.entrances(tenantId, roomId, [userId]);
  }

  /** Whether the connection is in the room's channel, live or on its way. */
  has(connection: Connection, roomId: string): boolean {
    return this.channels.find(connection.tenantId, roomId)?.has(connection) === true;
  }
}
