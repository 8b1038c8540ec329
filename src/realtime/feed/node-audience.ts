import { Inject, Injectable } from '@nestjs/common';
import { type AcceptedConnection, type Connection, Permits, ReconnectPacer } from '../transport';
import { Channels, type Listener } from './channels';
import type { Arrival } from './connection-states';
import { FeedInterest } from './interest';
import {
  type Audience,
  type CursorPosition,
  type Deliveries,
  type Position,
  type RoomPosition,
  RoomPositions,
  type Subscriptions,
} from './ports';
import { Resync } from './resync';
import type { Target } from './room-channel';
import { SharedPages } from './shared-pages';

/** Look-ups of new connections' positions at the same time: those of a tenant are asked for together. */
const OPENING_AT_ONCE = 500;

/** Which connections of this node listen to which rooms. */
@Injectable()
export class NodeAudience implements Subscriptions, Audience, Deliveries {
  private readonly turns = new Permits(OPENING_AT_ONCE);
  private readonly closed = (connection: AcceptedConnection): void => {
    const { tenantId, userId } = connection;
    if (this.channels.listeners.get(connection) !== undefined) this.interest.unfollowUser(tenantId, userId);
    this.channels.close(connection);
  };

  constructor(
    private readonly channels: Channels,
    private readonly positions: RoomPositions,
    private readonly interest: FeedInterest,
    private readonly resync: Resync,
    @Inject(ReconnectPacer) private readonly pacer: Pick<ReconnectPacer, 'waiting'>,
  ) {}

  /**
   * Brings a new connection the rooms of its user; resolves when it is in all of them. It is known before the database
   * is asked, so that a room that it is added to meanwhile finds it.
   */
  async opened(connection: AcceptedConnection): Promise<void> {
    const listener = await this.listen(connection);
    await this.lookUp(listener, async ({ tenantId, userId }) => {
      for (const roomPosition of await this.positionsOf(tenantId, userId))
        this.channels.place(
          listener,
          roomPosition.roomId,
          { rev: roomPosition.lastRev, seq: roomPosition.lastSeq },
          true,
        );
    });
  }

  /** The same for a connection that syncs: resolves with its rooms, the most recently active first, when each has a place. */
  async openedToSync(connection: AcceptedConnection): Promise<readonly CursorPosition[]> {
    const listener = await this.listen(connection);
    let found: readonly CursorPosition[] = [];
    await this.lookUp(listener, async ({ tenantId, userId }) => {
      found = await this.positionsOf(tenantId, userId);
      for (const roomPosition of found) this.channels.keep(listener, roomPosition);
    });
    return found;
  }

  async subscribeConnection(connection: Connection, roomId: string): Promise<RoomPosition | 'no_room' | 'not_allowed'> {
    const { tenantId, userId } = connection;
    const listener = this.channels.listeners.get(connection);
    // Before the question: an `unsubscribe` that comes while it is answered has the last word.
    listener?.unmute(roomId);
    return this.channels.changesDuringLookup.during(async () => {
      const roomPosition = await this.positions.findPosition(tenantId, roomId, userId);
      if (typeof roomPosition === 'string' || listener === undefined) return roomPosition;
      const position = { rev: roomPosition.lastRev, seq: roomPosition.lastSeq };
      this.channels.place(listener, roomId, position, roomPosition.isListener !== true);
      return roomPosition;
    });
  }

  unsubscribeConnection(connection: Connection, roomId: string): void {
    const { tenantId } = connection;
    this.channels.listeners.get(connection)?.mute(roomId);
    this.channels.find(tenantId, roomId)?.leave(connection);
  }

  members(tenantId: string, roomId: string): Iterable<Connection> {
    return this.channels.find(tenantId, roomId)?.members() ?? [];
  }

  allMembers(tenantId: string, roomId: string): Iterable<Connection> {
    return this.channels.find(tenantId, roomId)?.allMembers() ?? [];
  }

  isMember(connection: Connection, roomId: string): boolean {
    return this.channels.find(connection.tenantId, roomId)?.isMember(connection) === true;
  }

  *liveRooms(connection: Connection): Iterable<readonly [roomId: string, sentThrough: number]> {
    for (const channel of this.channels.listeners.get(connection)?.channels ?? [])
      if (channel.isMember(connection)) yield [channel.roomId, channel.sentThrough(connection) ?? 0];
  }

  roomsOf(connection: Connection): number {
    return this.channels.listeners.get(connection)?.channels.length ?? 0;
  }

  onDetached(handler: (connection: Connection, roomId: string) => void): void {
    this.channels.onDetached(handler);
  }

  sentThrough(connection: Connection, roomId: string): number | undefined {
    return this.channels.find(connection.tenantId, roomId)?.sentThrough(connection);
  }

  /** Known at once; resolves when a joining that its positions do not show is heard of. */
  private async listen(connection: AcceptedConnection): Promise<Listener> {
    connection.onClose(this.closed);
    const listener = this.channels.listeners.add(connection);
    await this.interest.followUser(connection.tenantId, connection.userId);
    return listener;
  }

  private positionsOf(tenantId: string, userId: string): Promise<readonly CursorPosition[]> {
    return this.positions.positionsOf(tenantId, userId, this.pacer.waiting() > 0);
  }

  private lookUp(listener: Listener, work: (listener: Listener) => Promise<void>): Promise<void> {
    return this.turns.run(async () => {
      if (!listener.connection.isOpen) return;
      await this.channels.changesDuringLookup.during(() => work(listener));
      listener.isOpening = false;
      if (listener.isInDoubt) void this.resync.findRooms(listener.tenantId, listener.userId);
    });
  }
}

/** The places of connections that sync, for the sessions that bring them there (realtime/sync). */
@Injectable()
export class SyncPlaces {
  constructor(
    private readonly channels: Channels,
    private readonly resync: Resync,
    readonly pages: SharedPages,
  ) {}

  /** From here on the connection is not live in the room; undefined where it has no place in it. */
  hold(connection: Connection, roomId: string): Target | undefined {
    return this.channels.find(connection.tenantId, roomId)?.hold(connection);
  }

  /**
   * The same for a member that the channel has not heard of yet: the place is where the database saw the member, so that
   * nothing is live before the sync that the client asked for. undefined for listeners, and where the connection has
   * unsubscribed.
   */
  place(connection: Connection, roomPosition: RoomPosition, sentSeq: number): Target | undefined {
    const listener = this.channels.listeners.get(connection);
    if (listener === undefined || roomPosition.isListener === true) return undefined;
    const isFirst = this.channels.find(connection.tenantId, roomPosition.roomId) === undefined;
    this.channels.keep(listener, { ...roomPosition, ackedSeq: sentSeq });
    // The position may have waited for its turn: no channel has listened to the room since.
    if (isFirst) this.channels.find(connection.tenantId, roomPosition.roomId)?.refresh();
    return this.hold(connection, roomPosition.roomId);
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
   * The database says that the user is no member there. Either the channel has not heard of it yet, and tells the
   * connection; or it had passed the removal before the connection got its place, which is given up. Resolves when one
   * of the two was done.
   */
  async doubt(connection: Connection, roomId: string): Promise<void> {
    const { tenantId, userId } = connection;
    await this.channels.find(tenantId, roomId)?.doubt(connection);
    // The user may have joined again meanwhile, unnoticed since the connection's place was taken.
    if (connection.isOpen && !this.has(connection, roomId)) await this.resync.findEntrance(tenantId, roomId, userId);
  }

  /** Whether the connection is in the room's channel, live or on its way. */
  has(connection: Connection, roomId: string): boolean {
    return this.channels.find(connection.tenantId, roomId)?.has(connection) === true;
  }
}
