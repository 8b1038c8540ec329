import type { Audience, Connection, Deliveries, Seat, Seats, Subscriptions } from '../contract';
import type { Channels } from './channels';
import { roomKey } from './listeners';

/** Which connections of this node listen to which rooms. */
export class NodeAudience implements Subscriptions, Audience, Deliveries {
  constructor(
    private readonly channels: Channels,
    private readonly seats: Seats,
  ) {}

  /**
   * Brings a new connection the rooms of its user; resolves when it is in all of them. It is known before the database
   * is asked, so that a room that it is added to meanwhile finds it.
   */
  async opened(connection: Connection): Promise<void> {
    const listener = this.channels.listeners.add(connection);
    connection.onClose(() => this.channels.close(connection));
    const { tenantId, userId } = connection;
    await this.channels.overheard.during(async () => {
      for (const seat of await this.seats.of(tenantId, userId))
        this.channels.place(listener, seat.roomId, { rev: seat.lastRev, seq: seat.lastSeq }, true);
    });
  }

  async subscribe(connection: Connection, roomId: string): Promise<Seat | 'no_room' | 'not_allowed'> {
    const { tenantId, userId } = connection;
    const listener = this.channels.listeners.get(connection);
    // Before the question: an `unsubscribe` that comes while it is answered has the last word.
    listener?.muted.delete(roomKey(tenantId, roomId));
    return this.channels.overheard.during(async () => {
      const seat = await this.seats.find(tenantId, roomId, userId);
      if (typeof seat === 'string' || listener === undefined) return seat;
      const position = { rev: seat.lastRev, seq: seat.lastSeq };
      this.channels.place(listener, roomId, position, seat.isListener !== true);
      return seat;
    });
  }

  unsubscribe(connection: Connection, roomId: string): void {
    const { tenantId } = connection;
    this.channels.listeners.get(connection)?.muted.add(roomKey(tenantId, roomId));
    this.channels.find(tenantId, roomId)?.leave(connection);
  }

  members(tenantId: string, roomId: string): Iterable<Connection> {
    return this.channels.find(tenantId, roomId)?.members() ?? [];
  }

  isMember(connection: Connection, roomId: string): boolean {
    return this.channels.find(connection.tenantId, roomId)?.isMember(connection) === true;
  }

  sentThrough(connection: Connection, roomId: string): number | undefined {
    const channel = this.channels.find(connection.tenantId, roomId);
    return channel?.isMember(connection) === true ? channel.position.seq : undefined;
  }

  *liveRooms(connection: Connection): Iterable<readonly [roomId: string, sentThrough: number]> {
    for (const channel of this.channels.listeners.get(connection)?.channels ?? [])
      if (channel.isMember(connection)) yield [channel.roomId, channel.position.seq];
  }

  onDetached(handler: (connection: Connection, roomId: string) => void): void {
    this.channels.onDetached(handler);
  }
}
