import { Injectable } from '@nestjs/common';
import { encodeId, roomKey } from '../../common/ids';
import { Clock } from '../../common/time';
import { Every, OnStop, StopStage } from '../../platform/lifecycle';
import { Metrics, Stat } from '../../platform/metrics';
import { type AcceptedConnection, ByUser, type Connection, FrameBatches } from '../transport';
import { CacheMemory } from './cache-memory';
import { FeedReads } from './log-reads';
import { type CursorPosition, type Entrance, type Position, RoomLog, type RunningStreams } from './ports';
import { isSame } from './order';
import { type ChannelSite, type LogPage, RoomChannel } from './room-channel';

/** Events per read of the log. */
const PAGE = 100;

/** Beyond this many rooms `ChangesDuringLookup` answers "maybe" for all. */
const MAX_ROOMS = 10_000;

/**
 * What happened in rooms without a channel while the database was asked for a user's positions: the answer may be older
 * than that, and the channel that is made from it has to look into the log.
 */
class ChangesDuringLookup {
  private questions = 0;
  private readonly heads = new Map<string, number>();
  private isFull = false;

  /** Listens from before the question until the answer has been used. */
  async during<T>(ask: () => Promise<T>): Promise<T> {
    this.questions++;
    try {
      return await ask();
    } finally {
      if (--this.questions === 0) {
        this.heads.clear();
        this.isFull = false;
      }
    }
  }

  /** @param rev Infinity where it is not known */
  note(tenantId: string, roomId: string, rev: number): void {
    if (this.questions === 0) return;
    const key = roomKey(tenantId, roomId);
    if (this.heads.size >= MAX_ROOMS) this.isFull = true;
    else this.heads.set(key, Math.max(rev, this.heads.get(key) ?? 0));
  }

  /** Whether something came after a revision. */
  isAfter(tenantId: string, roomId: string, rev: number): boolean {
    if (this.isFull) return true;
    return this.heads.size > 0 && (this.heads.get(roomKey(tenantId, roomId)) ?? 0) > rev;
  }
}

/** A channel without connections is kept for so long: most of those who go come back at once. */
const IDLE_MS = 60_000;
/** Channels without connections, at most. */
const MOST_IDLE = 10_000;
const SWEEP_MS = 5000;

/** By tenant and room: to make one key of both would cost more than the look-up, of which a sync does several for each room. */
class RoomChannels {
  private readonly tenants = new Map<string, Map<string, RoomChannel>>();
  size = 0;

  get(tenantId: string, roomId: string): RoomChannel | undefined {
    return this.tenants.get(tenantId)?.get(roomId);
  }

  /** For a room that has none. */
  add(channel: RoomChannel): void {
    const rooms = this.tenants.get(channel.tenantId) ?? new Map<string, RoomChannel>();
    this.tenants.set(channel.tenantId, rooms.set(channel.roomId, channel));
    this.size++;
  }

  delete({ tenantId, roomId }: RoomChannel): void {
    const rooms = this.tenants.get(tenantId);
    if (rooms?.delete(roomId) !== true) return;
    this.size--;
    if (rooms.size === 0) this.tenants.delete(tenantId);
  }

  *all(): Generator<RoomChannel, void> {
    for (const rooms of this.tenants.values()) yield* rooms.values();
  }

  clear(): void {
    this.tenants.clear();
    this.size = 0;
  }
}

type DetachedHandler = (connection: Connection, roomId: string) => void;
type ArrivedHandler = (channel: RoomChannel, connection: Connection) => void;
type RoomHandler = (tenantId: string, roomId: string, isHere: boolean) => void;

/**
 * The channels of this node and the connections in them. A channel is there while a connection is in it, and for a minute
 * after that, or after its messages were read last.
 */
@Injectable()
export class Channels implements ChannelSite {
  readonly listeners = new Listeners();
  readonly changesDuringLookup = new ChangesDuringLookup();
  private readonly rooms = new RoomChannels();
  private readonly detached = new Set<DetachedHandler>();
  private readonly arrived = new Set<ArrivedHandler>();
  private readonly roomHandlers = new Set<RoomHandler>();
  /** Since when each is idle, the longest first; some are not any more. */
  private readonly idle = new Map<RoomChannel, number>();
  /** How many channels with connections a tenant has; no entry where it has none. */
  private readonly occupied = new Map<string, number>();
  private occupiedRooms = 0;

  /** What is being written in a room. */
  running: RunningStreams = () => [];

  constructor(
    readonly batches: FrameBatches,
    private readonly log: RoomLog,
    private readonly reads: FeedReads,
    readonly memory: CacheMemory,
    readonly clock: Clock,
    private readonly metrics: Metrics,
  ) {}

  /** Rooms that a connection is in, in all or of one tenant. */
  @Stat('rooms_live')
  live(tenantId?: string): number {
    return tenantId === undefined ? this.occupiedRooms : (this.occupied.get(tenantId) ?? 0);
  }

  get size(): number {
    return this.rooms.size;
  }

  all(): readonly RoomChannel[] {
    return [...this.rooms.all()];
  }

  find(tenantId: string, roomId: string): RoomChannel | undefined {
    return this.rooms.get(tenantId, roomId);
  }

  /**
   * The channel that goes on with a change at `rev`. One without connections that was not told of what lies before it
   * is given up: nobody needs it to read that.
   */
  following(tenantId: string, roomId: string, rev: number | undefined): RoomChannel | undefined {
    const channel = this.find(tenantId, roomId);
    if (channel?.isIdle !== true || (rev !== undefined && rev <= channel.position.rev + 1)) return channel;
    this.drop(channel);
    return undefined;
  }

  /** The channel of a room at this position, made where there is none; undefined where there is one at another position. */
  followed(tenantId: string, roomId: string, position: Position): RoomChannel | undefined {
    const known = this.find(tenantId, roomId);
    if (known !== undefined && !isSame(known.position, position)) {
      // Behind the database and idle: it was not told of something.
      if (!known.isIdle || known.position.rev > position.rev) return undefined;
      this.drop(known);
    }
    return this.open(tenantId, roomId, position, (channel) => this.emptied(channel));
  }

  /** Nothing that is held in memory can be relied on: hints were lost. */
  forget(): void {
    for (const channel of this.rooms.all())
      if (channel.isIdle) this.drop(channel);
      else channel.cache.clear();
    this.memory.clear();
  }

  /**
   * The log is another one: what a channel has delivered may not be in it, and its position may be another change's. Who is
   * connected is in no room any more, and has to come back.
   */
  startOver(): void {
    for (const channel of this.rooms.all()) this.drop(channel);
    this.memory.clear();
  }

  onDetached(handler: DetachedHandler): void {
    this.detached.add(handler);
  }

  /** Calls back when a connection has come into a room. */
  onArrived(handler: ArrivedHandler): void {
    this.arrived.add(handler);
  }

  /** Calls back when a room gets a channel, and when it has none any more. */
  onRoom(handler: RoomHandler): void {
    this.roomHandlers.add(handler);
  }

  /** Puts a connection that has everything up to `position` into the room's channel, unless it wants none of it. */
  place(listener: Listener, roomId: string, position: Position, isMember: boolean, isIn = true): void {
    const { connection } = listener;
    if (!connection.isOpen || listener.hasMuted(roomId)) return;
    this.open(connection.tenantId, roomId, position, (channel) => channel.enter(connection, position, isMember, isIn));
  }

  /** The same for a connection that syncs: its place is kept until its sync has brought it there. */
  keep(listener: Listener, roomPosition: CursorPosition): void {
    const { connection } = listener;
    if (!connection.isOpen || listener.hasMuted(roomPosition.roomId)) return;
    const position = { rev: roomPosition.lastRev, seq: roomPosition.lastSeq };
    this.open(connection.tenantId, roomPosition.roomId, position, (channel) =>
      channel.keep(connection, position, true, roomPosition.ackedSeq),
    );
  }

  /** Whether the user has connections here that are not in the room's channel. */
  lacks(tenantId: string, roomId: string, userId: string): boolean {
    const channel = this.find(tenantId, roomId);
    return this.listeners.of(tenantId, userId).some(({ connection }) => channel?.has(connection) !== true);
  }

  /** Puts a user's connections of which `isFor` says so into a room, at the place where the user came in. */
  admit(
    tenantId: string,
    roomId: string,
    entrance: Entrance,
    by: string | undefined,
    isFor: (listener: Listener) => boolean,
  ): void {
    const { userId, position, role, foundedBy, isIn = foundedBy !== undefined } = entrance;
    let isPlaced = false;
    for (const listener of this.listeners.of(tenantId, userId).filter(isFor)) {
      const channel = this.find(tenantId, roomId);
      if (channel?.has(listener.connection) === true) continue;
      isPlaced = true;
      // The channel will come to the joining by itself.
      if (!isIn && channel !== undefined && channel.position.rev <= position.rev) continue;
      if (foundedBy !== undefined && !listener.hasMuted(roomId))
        listener.connection.sendFrame(this.founding(roomId, userId, role, by ?? foundedBy));
      this.place(listener, roomId, position, true, isIn);
    }
    // The joining itself lies after the position.
    if (isPlaced) this.find(tenantId, roomId)?.refresh();
  }

  /** The connection is over. */
  close(connection: Connection): void {
    const listener = this.listeners.get(connection);
    if (listener === undefined) return;
    this.listeners.delete(listener);
    for (const channel of [...listener.channels]) channel.leave(connection);
  }

  read(tenantId: string, roomId: string, position: Position, isWanted: () => boolean): Promise<LogPage | undefined> {
    return this.reads.run(isWanted, () => this.log.after(tenantId, roomId, position, PAGE));
  }

  *connectionsOf({ tenantId, roomId }: RoomChannel, userId: string): Iterable<Connection> {
    for (const listener of this.listeners.of(tenantId, userId))
      if (listener.connection.isOpen && !listener.hasMuted(roomId)) yield listener.connection;
  }

  entered(channel: RoomChannel, connection: Connection): void {
    if (channel.size === 1) this.occupy(channel.tenantId, 1);
    this.listeners.get(connection)?.channels.push(channel);
    for (const { messageId, parts } of this.running(channel.tenantId, channel.roomId))
      for (const part of parts) channel.stream(messageId, part, { only: [connection] });
    for (const handler of this.arrived) handler(channel, connection);
  }

  left(channel: RoomChannel, connection: Connection): void {
    if (channel.size === 0) this.occupy(channel.tenantId, -1);
    this.listeners.get(connection)?.left(channel);
    for (const handler of this.detached) handler(connection, channel.roomId);
  }

  emptied(channel: RoomChannel): void {
    if (!channel.isIdle) return;
    this.idle.delete(channel);
    this.idle.set(channel, this.clock.monotonicMs());
    for (const oldest of this.idle.keys()) {
      if (this.idle.size <= MOST_IDLE) return;
      this.release(oldest);
    }
  }

  delivered({ tenantId }: RoomChannel, connections: number): void {
    this.metrics.tenant(tenantId).deliveries += connections;
  }

  cached({ tenantId, cache }: RoomChannel): void {
    this.memory.used(tenantId, cache);
  }

  /** Its messages were read: it is kept a while longer. */
  used(channel: RoomChannel): void {
    this.cached(channel);
    this.emptied(channel);
  }

  /** Ends the channels that nobody came back to. */
  @Every(SWEEP_MS, 'idle rooms')
  sweep(): void {
    const due = this.clock.monotonicMs() - IDLE_MS;
    for (const [channel, since] of this.idle) {
      if (since > due) return;
      this.release(channel);
    }
  }

  @OnStop(StopStage.workers)
  end(): void {
    for (const channel of this.rooms.all()) channel.end();
    this.rooms.clear();
    this.idle.clear();
    this.memory.clear();
  }

  private occupy(tenantId: string, by: 1 | -1): void {
    this.occupiedRooms += by;
    const rooms = (this.occupied.get(tenantId) ?? 0) + by;
    if (rooms > 0) this.occupied.set(tenantId, rooms);
    else this.occupied.delete(tenantId);
  }

  /** Its time is over: it ends, where nobody has come. */
  private release(channel: RoomChannel): void {
    this.idle.delete(channel);
    if (channel.isIdle) this.drop(channel);
  }

  private drop(channel: RoomChannel): void {
    const { tenantId, roomId, position, cache } = channel;
    this.idle.delete(channel);
    this.rooms.delete(channel);
    for (const handler of this.roomHandlers) handler(tenantId, roomId, false);
    channel.end();
    this.memory.forget(tenantId, cache);
    // What the channel has delivered is news for one that is made at an older position.
    this.changesDuringLookup.note(tenantId, roomId, position.rev);
  }

  /** Brings a connection into the room's channel, which is made at its position where there is none. */
  private open(
    tenantId: string,
    roomId: string,
    position: Position,
    enter: (channel: RoomChannel) => void,
  ): RoomChannel {
    const existing = this.rooms.get(tenantId, roomId);
    const channel = existing ?? new RoomChannel(tenantId, roomId, position, this);
    if (existing === undefined) {
      this.rooms.add(channel);
      for (const handler of this.roomHandlers) handler(tenantId, roomId, true);
    }
    enter(channel);
    // Also one that was made by a reader meanwhile, who was told less than this node had heard.
    if (this.changesDuringLookup.isAfter(tenantId, roomId, channel.position.rev)) channel.refresh();
    return channel;
  }

  /** The founding of a room is no change of it: its members learn of it on their own connections alone. */
  private founding(roomId: string, userId: string, role: string, by: string): Buffer {
    const frame = { type: 'member.joined', room_id: encodeId('room', roomId), user_id: userId, role, by, rev: 0 };
    return this.batches.encode(JSON.stringify(frame));
  }
}

/** A connection with the channels that it is in, and the rooms that it wants none of. */
export class Listener {
  readonly channels: RoomChannel[] = [];
  /** Its user's rooms are being looked up: it gets its places by that, and otherwise by joinings alone. */
  isOpening = true;
  /** Hints may have been lost since the look-up began. */
  isInDoubt = false;
  /** Rooms that it unsubscribed from; few do. */
  private muted: Set<string> | undefined;

  constructor(readonly connection: AcceptedConnection) {}

  get tenantId(): string {
    return this.connection.tenantId;
  }

  get userId(): string {
    return this.connection.userId;
  }

  hasMuted(roomId: string): boolean {
    return this.muted?.has(roomId) === true;
  }

  mute(roomId: string): void {
    this.muted = (this.muted ?? new Set()).add(roomId);
  }

  unmute(roomId: string): void {
    this.muted?.delete(roomId);
  }

  left(channel: RoomChannel): void {
    const at = this.channels.indexOf(channel);
    if (at >= 0) this.channels.splice(at, 1);
  }
}

/** The connections of this node, by user. */
class Listeners {
  private readonly byUser = new ByUser<Listener>();

  add(connection: AcceptedConnection): Listener {
    const listener = new Listener(connection);
    this.byUser.add(listener);
    return listener;
  }

  get(connection: Connection): Listener | undefined {
    return this.of(connection.tenantId, connection.userId).find((listener) => listener.connection === connection);
  }

  delete(listener: Listener): void {
    this.byUser.delete(listener);
  }

  of(tenantId: string, userId: string): readonly Listener[] {
    return this.byUser.ofUser(tenantId, userId);
  }

  has(tenantId: string, userId: string): boolean {
    return this.byUser.has(tenantId, userId);
  }

  /** One connection of every user that is connected. */
  users(): Generator<Listener, void> {
    return this.byUser.firsts();
  }
}
