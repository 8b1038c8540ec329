import type { AcceptedConnection, Connection, FrameBatches, StreamPart, StreamPiece } from '../transport';
import {
  type Arrival,
  type Coming,
  type ConnectionState,
  ConnectionStates,
  Follower,
  live,
  PACE_BYTES,
  ready,
  RecentChanges,
} from './connection-states';
import type { StreamReceivers } from './heard-streams';
import { both, isSame, lacks, RoomChange, RoomOrder, streamFrame } from './order';
import type { Position, RoomEvent } from './ports';
import { RoomCache } from './room-cache';

interface Waiter {
  readonly position: Position;
  readonly resolve: () => void;
}

const NONE: readonly Waiter[] = [];

/** How long what came early waits for what lies between before the log is read. */
const REORDER_MS = 50;

export interface LogPage {
  readonly events: readonly RoomEvent[];
  readonly more: boolean;
  readonly position: Position;
}

/** What a channel needs of the node that it lives on. */
export interface ChannelSite {
  readonly batches: FrameBatches;
  /** Reads the log after a position, again until it works; undefined when it is not wanted any more. */
  read(tenantId: string, roomId: string, position: Position, isWanted: () => boolean): Promise<LogPage | undefined>;
  /** The user's connections here that did not unsubscribe from the room. */
  connectionsOf(channel: RoomChannel, userId: string): Iterable<Connection>;
  entered(channel: RoomChannel, connection: Connection): void;
  left(channel: RoomChannel, connection: Connection): void;
  /** No connection is left: the channel may be ended. */
  emptied(channel: RoomChannel): void;
  /** A message was handed to so many connections, or so many messages to one. */
  delivered(channel: RoomChannel, frames: number): void;
  /** The memory of its cache has changed. */
  cached(channel: RoomChannel): void;
}

/** A connection that syncs: what it has, and how far it will be brought before it follows the channel. */
export interface Target {
  /** It was sent everything up to here. */
  readonly has: Position;
  /** Up to here the sync reads the log. */
  readonly upTo: Position;
  readonly isMember: boolean;
  /** From this revision to `upTo` nothing but new messages lies in the log. */
  readonly quietSince: number;
}

/**
 * One room as this node's connections see it. Each of them is in one state:
 *
 *                    enter (by its position and the channel's)                keep
 *           ┌──────────────────────┬──────────────────────┐                    │
 *           │ beyond               │ the same             │ before             │
 *           ▼     the channel      ▼      it reaches      ▼                    ▼
 *         ahead ───reaches it───► live ◄──the channel── following           syncing
 *           │                      │                      ▲                  ▲   │
 *           ├─────────── the channel has passed it ───────┘                  │   │
 *           └──────────────────────┴──────────────────────┴──────hold────────┘   │
 *         ahead, live, following ◄───────────────release (as at enter)───────────┘
 *
 * and out of each: by `leave`, and by the removal of its user or the end of its room where it meets that.
 *
 * Invariants
 * - The channel's position moves through the room's revisions in order, each change is delivered once to the live
 *   connections, and all of them are at the position.
 * - A connection whose own position differs is not live yet: behind, it follows by the log on its own; ahead, it waits
 *   until the channel has reached its position. Either way it misses nothing after the position it came with.
 * - A connection that syncs gets nothing of the log but its user's removal and the room's end, and those at once.
 * - Joining and leaving take effect at their place in that order, whichever way the change came.
 * - `move` is the only way from one state to another.
 * - Without connections it is idle: it goes on with what it is told, so that those who come back find its messages, but
 *   it reads nothing for nobody. Whoever has it ends it (`Channels`).
 *
 * Concurrency: one catch-up at a time; what comes meanwhile is kept for afterwards, and a `refresh` reads once more,
 * since the running read may be older. All state is touched between awaits only.
 */
export class RoomChannel {
  /** Its newest messages, for those who come back. */
  readonly cache: RoomCache;
  private readonly order: RoomOrder;
  private readonly states: ConnectionStates;
  /** Set while a connection is ahead, follows, or is being synced. */
  private recent: RecentChanges | undefined;
  private gap: NodeJS.Timeout | undefined;
  /** The catch-up that runs. */
  private reading: Promise<void> | undefined;
  private readAgain = false;
  private isDelivering = false;
  private isOver = false;
  private waiters: readonly Waiter[] = NONE;

  constructor(
    readonly tenantId: string,
    readonly roomId: string,
    position: Position,
    private readonly site: ChannelSite,
  ) {
    this.order = new RoomOrder(position);
    this.states = new ConnectionStates(site.batches);
    this.cache = new RoomCache(position.rev, () => site.cached(this));
  }

  get position(): Position {
    return this.order.position;
  }

  /** Nobody is here, and nothing is known that it has not delivered. */
  get isIdle(): boolean {
    return this.states.size === 0 && this.reading === undefined && !this.order.isBehind && !this.isOver;
  }

  /** Connections that are here, in whatever state. */
  get size(): number {
    return this.states.size;
  }

  /** The connections of members that are live. */
  members(): Iterable<Connection> {
    return this.states.members();
  }

  connections(): Iterable<Connection> {
    return this.states.all();
  }

  allMembers(): Iterable<Connection> {
    return this.states.allMembers();
  }

  /** Whether the connection is live, and its user a member. */
  isMember(connection: Connection): boolean {
    return this.states.get(connection) === live(true);
  }

  has(connection: Connection): boolean {
    return this.states.get(connection) !== undefined;
  }

  /** Whether the connection's place is kept for its sync. */
  isHeld(connection: Connection): boolean {
    return this.states.get(connection)?.kind === 'syncing';
  }

  /** The highest seq that the connection was sent; undefined where it is not here. */
  sentThrough(connection: Connection): number | undefined {
    const state = this.states.get(connection);
    if (state === undefined) return undefined;
    if (state.kind === 'live') return this.position.seq;
    return state.kind === 'syncing' ? state.sentSeq : state.at.seq;
  }

  /** Takes in a change that was committed, in any order and any number of times. */
  receive(change: RoomChange): void {
    this.order.offer(change);
    if (this.reading === undefined) this.drain();
  }

  /** Something changed: reads the log. */
  refresh(): void {
    void this.catchUp();
  }

  /** Brings in a connection that has everything up to `at`. `isIn`: its user's joining does not lie after that. */
  enter(connection: AcceptedConnection, at: Position, isMember: boolean, isIn = true): void {
    const state = this.states.get(connection);
    if (state === undefined) this.join({ connection, at, isMember, isIn });
    else if (state.kind === 'live' && isMember) this.move(connection, live(true));
  }

  /** Keeps a place for a connection that was sent the changes up to `at`, but of the messages those up to `sentSeq`. */
  keep(connection: Connection, at: Position, isMember: boolean, sentSeq: number): void {
    if (!this.has(connection)) this.move(connection, { kind: 'syncing', at, isMember, isIn: true, sentSeq });
  }

  /** Its sync begins: from here on it is not live. undefined where it is not here. */
  hold(connection: Connection): Target | undefined {
    const state = this.states.get(connection);
    if (state === undefined || (state.kind === 'following' && !state.sits)) return undefined;
    const { kind, isMember } = state;
    const has = kind === 'live' ? this.position : state.at;
    if (kind !== 'syncing') this.move(connection, { kind: 'syncing', at: has, isMember, isIn: true, sentSeq: has.seq });
    this.recent ??= new RecentChanges(this.position);
    const upTo = both(has, this.position);
    // What it has not delivered yet may be anything.
    const quietSince = isSame(upTo, this.position) ? this.cache.quietSince : upTo.rev;
    return { has, upTo, isMember, quietSince };
  }

  /** Resolves when it has delivered everything up to here, or is over. */
  reached(position: Position): Promise<void> {
    if (this.isOver || !lacks(this.position, position)) return Promise.resolve();
    this.order.expect(position.rev);
    this.watchGap();
    return new Promise((resolve) => (this.waiters = [...this.waiters, { position, resolve }]));
  }

  /** A sync has sent it this message. */
  sent(connection: Connection, seq: number): void {
    const state = this.states.get(connection);
    if (state?.kind === 'syncing' && seq > state.sentSeq) state.sentSeq = seq;
  }

  /** Its sync has brought it here: from there it follows the channel. */
  release(connection: AcceptedConnection, at: Position, arrival: Arrival): void {
    const state = this.states.get(connection);
    if (state?.kind === 'syncing') this.join({ connection, at, isMember: state.isMember, isIn: true, arrival });
    else arrival.over(false);
  }

  /** It may have got its place after its removal: resolves when it has lost it, or the log has said that it is right. */
  async doubt(connection: Connection): Promise<void> {
    const state = this.states.get(connection);
    if (state?.kind !== 'syncing') return;
    await this.catchUp();
    // What was committed before the doubt has been delivered: a connection that is still held does not belong here.
    if (this.states.get(connection) === state) this.leave(connection);
  }

  leave(connection: Connection): void {
    this.move(connection, undefined);
    this.endIfEmpty();
  }

  /** A frame that is not in the log; also for those that are still being brought here. */
  signal(key: string, text: string, except: string | undefined): void {
    this.states.sendEphemeral(key, this.site.batches.encode(text), except);
  }

  /** A part of a message that is being written; also for those that are still being brought here. */
  stream(messageId: string, part: StreamPart, among?: StreamReceivers): readonly Connection[] {
    const reframe = (of: StreamPart): Buffer =>
      this.site.batches.encode(JSON.stringify(streamFrame(this.roomId, messageId, of)));
    const piece: StreamPiece = { frame: reframe(part), part, reframe };
    return this.states.sendPiece(`stream:${messageId}`, piece, among);
  }

  /** Ends what runs; the connections are not told. */
  end(): void {
    this.isOver = true;
    clearTimeout(this.gap);
    for (const { resolve } of this.waiters) resolve();
    this.waiters = NONE;
  }

  /** The one way into a state, from one to another, and out (undefined). Nothing happens where that changes nothing. */
  private move(connection: Connection, to: ConnectionState | undefined): void {
    const from = this.states.set(connection, to);
    if (from === to) return;
    if (this.states.count('live') === this.states.size) this.recent = undefined;
    else if (to?.kind === 'ahead' || to?.kind === 'following') this.recent ??= new RecentChanges(this.position);
    if (from === undefined) this.site.entered(this, connection);
    if (to === undefined) this.site.left(this, connection);
    if (from?.kind === 'following' && (to === undefined || to.kind === 'syncing')) from.arrival?.over(false);
  }

  /** Makes it live; where it has more than the channel, as soon as the channel has got there; behind, it follows. */
  private join(coming: Coming): void {
    const { connection, at, isMember, isIn, arrival, lastId } = coming;
    if (lacks(at, this.position)) {
      const follower = new Follower(coming, this.site.batches);
      this.move(connection, follower);
      if (!this.arrive(follower)) void this.lead(follower);
      return;
    }
    arrival?.live(at, lastId);
    if (isSame(at, this.position)) this.move(connection, live(isMember));
    else {
      this.move(connection, { kind: 'ahead', connection, at, isMember, isIn });
      this.order.expect(at.rev);
      this.watchGap();
    }
    arrival?.over(true);
  }

  /** Brings a follower as far as the channel by the log, page by page. */
  private async lead(follower: Follower): Promise<void> {
    const isWanted = (): boolean => !this.isOver && this.states.get(follower.connection) === follower;
    for (;;) {
      await ready(follower.connection);
      const page = await this.read(follower.at, isWanted);
      // It may have been removed in this very turn, by what the channel read.
      if (page === undefined || !isWanted()) return;
      const changes = page.events.map((event) => RoomChange.of(event));
      this.tell(follower, changes, page.position);
      if (!isWanted() || (!page.more && this.arrive(follower))) return;
    }
  }

  private tell(follower: Follower, changes: readonly RoomChange[], upTo: Position): void {
    follower.take(changes, upTo);
    const messages = changes.filter(({ head }) => head.seq !== undefined).length;
    if (messages > 0) this.site.delivered(this, messages);
  }

  /** Makes a follower that has reached the channel one of its connections; false: it has to read on. */
  private arrive(follower: Follower): boolean {
    const { connection, at } = follower;
    if (lacks(at, this.position)) {
      const rest = this.recent?.after(at, this.position);
      if (rest === undefined || this.bytesOf(rest) > PACE_BYTES) return false;
      this.tell(follower, rest, both(at, this.position));
      // The last frames may have been too much for the connection, which is over then.
      if (this.states.get(connection) !== follower) return true;
    }
    if (follower.sits) this.join(follower);
    else this.move(connection, undefined);
    this.endIfEmpty();
    return true;
  }

  private bytesOf(changes: readonly RoomChange[]): number {
    return changes.reduce((sum, change) => sum + change.wire(this.site.batches).length, 0);
  }

  /** Delivers what is due. */
  private drain(): void {
    this.begin();
    for (let change = this.order.next(); change !== undefined; change = this.order.next()) this.deliver(change);
    this.finish();
    this.watchGap();
  }

  private watchGap(): void {
    if (!this.order.isBehind || this.reading !== undefined || this.isOver) {
      clearTimeout(this.gap);
      this.gap = undefined;
    } else this.gap ??= setTimeout(() => this.refresh(), REORDER_MS).unref();
  }

  /** Resolves when all that was committed before the call has been read and delivered, or the channel is over. */
  private catchUp(): Promise<void> {
    if (this.reading !== undefined) {
      this.readAgain = true;
      return this.reading;
    }
    clearTimeout(this.gap);
    this.gap = undefined;
    return (this.reading = this.readLog());
  }

  private async readLog(): Promise<void> {
    do {
      this.readAgain = false;
      const known = this.order.head;
      for (let more = true; more;) {
        const page = await this.read(this.position, () => !this.isOver);
        if (page === undefined) return;
        this.apply(page);
        ({ more } = page);
      }
      this.order.settle(known);
    } while (this.readAgain);
    this.reading = undefined;
    this.drain();
  }

  private apply({ events, position }: LogPage): void {
    this.begin();
    const { rev, seq } = this.position;
    for (const event of events) this.deliver(RoomChange.of(event));
    this.order.moveTo(position);
    // Not one message for each revision, in their order: some have changed since, and where is not said.
    const isPlain = position.rev - rev === position.seq - seq && events.every((event, i) => event.rev === rev + i + 1);
    if (!isPlain) this.cache.disturbed(position.rev);
    this.finish();
  }

  /** Changes are about to be delivered. */
  private begin(): void {
    this.recent?.trim(this.position, this.states.count('following') > 0);
    this.isDelivering = true;
  }

  /** They were: a connection ahead of the channel may be where that is now, or lack some of what was just delivered. */
  private finish(): void {
    for (const ahead of this.states.reached(this.position)) this.join(ahead);
    this.isDelivering = false;
    if (this.waiters.length > 0) this.wake();
    this.endIfEmpty();
  }

  private deliver(change: RoomChange): void {
    const { joins, leaves, ends } = change.head;
    if (joins !== undefined) this.admit(joins);
    this.recent?.add(change);
    const listening = this.states.count('live');
    const frame = listening > 0 ? change.wire(this.site.batches) : undefined;
    if (frame !== undefined) {
      this.states.send(frame);
      if (change.head.seq !== undefined) this.site.delivered(this, listening);
    }
    this.cache.delivered(change.head, frame);
    if (leaves !== undefined)
      for (const connection of this.site.connectionsOf(this, leaves)) this.cutOff(connection, change);
    if (ends === true) for (const connection of this.states.all()) this.cutOff(connection, change);
  }

  /** The user has become a member. A connection that is not live meets the change on its own way. */
  private admit(userId: string): void {
    for (const connection of this.site.connectionsOf(this, userId)) {
      const kind = this.states.get(connection)?.kind;
      if (kind === undefined || kind === 'live') this.move(connection, live(true));
    }
  }

  /**
   * The connection's user has left with this change, or the room is gone. A live connection was sent it already; one that
   * syncs is told now, long before it would get there; others that are not live meet it on their own way.
   */
  private cutOff(connection: Connection, change: RoomChange): void {
    const state = this.states.get(connection);
    if (state?.kind === 'live') this.move(connection, undefined);
    const syncs = state?.kind === 'syncing' || (state?.kind === 'following' && state.arrival !== undefined);
    if (!syncs || change.rev <= state.at.rev) return;
    connection.sendFrame(change.wire(this.site.batches));
    this.move(connection, undefined);
  }

  private wake(): void {
    const due = this.waiters.filter(({ position }) => !lacks(this.position, position));
    if (due.length === 0) return;
    this.waiters = this.waiters.filter((waiter) => !due.includes(waiter));
    for (const { resolve } of due) resolve();
  }

  private async read(position: Position, isWanted: () => boolean): Promise<LogPage | undefined> {
    const page = await this.site.read(this.tenantId, this.roomId, position, isWanted);
    return isWanted() ? page : undefined;
  }

  /** Not before it has told all that it has heard of: it may be the joining of a user here, and no other channel tells it. */
  private endIfEmpty(): void {
    if (!this.isDelivering && this.isIdle) this.site.emptied(this);
  }
}
