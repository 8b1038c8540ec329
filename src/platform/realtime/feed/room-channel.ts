import type { AcceptedConnection, Connection, Position, RoomEvent, StreamPart, StreamPiece } from '../contract';
import type { FrameBatches } from './batches';
import { type Arrival, Follower, RecentChanges } from './follower';
import { LiveSet } from './live-set';
import { PACE_BYTES, ready } from './pace';
import { both, isSame, lacks, newsAt, RoomOrder } from './order';
import { RoomChange } from './room-change';

import { streamFrame } from './stream-frame';

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
  /** Nobody is left: the channel is over. */
  emptied(channel: RoomChannel): void;
}

/** A connection that syncs: what it has, and how far it will be brought before it follows the channel. */
export interface Target {
  /** It was sent everything up to here. */
  readonly has: Position;
  /** Up to here the sync reads the log. */
  readonly upTo: Position;
  readonly isMember: boolean;
}

/** One that has more than the channel has delivered. */
interface Ahead {
  readonly connection: AcceptedConnection;
  readonly at: Position;
  readonly isMember: boolean;
  readonly isIn: boolean;
}

/** Whether one that syncs belongs here. */
interface Doubt {
  readonly connection: Connection;
  readonly held: Held;
  readonly settled: () => void;
}

interface Held {
  readonly at: Position;
  readonly isMember: boolean;
  sentSeq: number;
}

/**
 * One room as this node's connections see it.
 *
 * Invariants
 * - The channel's position moves through the room's revisions in order, each change is delivered once to the live
 *   connections, and all of them are at the position.
 * - A connection whose own position differs is not live yet: behind, it follows by the log on its own; ahead, it waits
 *   until the channel has passed through its position. Either way it misses nothing after the position it came with.
 * - A connection that syncs is neither: its place is held, it gets nothing but its own removal and the room's end, and
 *   those at once.
 * - Joining and leaving take effect at their place in that order, whichever way the change came.
 *
 * Concurrency: one catch-up at a time; what comes meanwhile is kept for afterwards, and a `refresh` reads once more,
 * since the running read may be older. All state is touched between awaits only.
 */
export class RoomChannel {
  private readonly order: RoomOrder;
  private readonly live: LiveSet;
  private readonly ahead = new Map<Connection, Ahead>();
  private readonly followers = new Map<Connection, Follower>();
  private readonly held = new Map<Connection, Held>();
  private readonly doubts: Doubt[] = [];
  private recent: RecentChanges | undefined;
  private gap: NodeJS.Timeout | undefined;
  private isReading = false;
  private readAgain = false;
  private isDelivering = false;
  private isOver = false;

  constructor(
    readonly tenantId: string,
    readonly roomId: string,
    position: Position,
    private readonly site: ChannelSite,
  ) {
    this.order = new RoomOrder(position);
    this.live = new LiveSet(site.batches);
  }

  get position(): Position {
    return this.order.position;
  }

  /** The connections of members that are live. */
  members(): Iterable<Connection> {
    return this.live.members();
  }

  isMember(connection: Connection): boolean {
    return this.live.isMember(connection) === true;
  }

  has(connection: Connection): boolean {
    return (
      this.live.has(connection) ||
      this.ahead.has(connection) ||
      this.followers.has(connection) ||
      this.held.has(connection)
    );
  }

  /** The highest seq that the connection was sent; undefined where it is not here. */
  sentThrough(connection: Connection): number | undefined {
    if (this.live.has(connection)) return this.position.seq;
    const position = this.followers.get(connection)?.position ?? this.ahead.get(connection)?.at;
    return position?.seq ?? this.held.get(connection)?.sentSeq;
  }

  /** Takes in a change that was committed, in any order and any number of times. */
  receive(change: RoomChange): void {
    this.order.offer(change);
    if (!this.isReading) this.drain();
  }

  /** Something changed: reads the log. */
  refresh(): void {
    if (this.isReading) this.readAgain = true;
    else void this.catchUp();
  }

  /** Brings in a connection that has everything up to `at`. `isIn`: its user's joining does not lie after that. */
  enter(connection: AcceptedConnection, at: Position, isMember: boolean, isIn = true): void {
    if (this.has(connection)) {
      if (isMember && this.live.has(connection)) this.live.add(connection, true);
      return;
    }
    this.site.entered(this, connection);
    this.join(connection, at, isMember, isIn);
  }

  /** Keeps a place for a connection that was sent the changes up to `at`, but of the messages those up to `sentSeq`. */
  keep(connection: Connection, at: Position, isMember: boolean, sentSeq: number): void {
    if (this.has(connection)) return;
    this.site.entered(this, connection);
    this.held.set(connection, { at, isMember, sentSeq });
  }

  /** Its sync begins: from here on it is not live. undefined where it is not here. */
  hold(connection: Connection): Target | undefined {
    const held = this.held.get(connection) ?? this.takeOut(connection);
    if (held === undefined) return undefined;
    const { at: has, isMember } = held;
    this.recent ??= new RecentChanges(this.position);
    return { has, upTo: both(has, this.position), isMember };
  }

  isHeld(connection: Connection): boolean {
    return this.held.has(connection);
  }

  /** It may have got its place after its removal: resolves when it has lost it, or the log has said that it is right. */
  doubt(connection: Connection): Promise<void> {
    const held = this.held.get(connection);
    if (held === undefined) return Promise.resolve();
    return new Promise((settled) => {
      this.doubts.push({ connection, held, settled });
      this.refresh();
    });
  }

  /** A sync has sent it this message. */
  sent(connection: Connection, seq: number): void {
    const held = this.held.get(connection);
    if (held !== undefined && seq > held.sentSeq) held.sentSeq = seq;
  }

  /** Its sync has brought it here: from there it follows the channel. */
  release(connection: AcceptedConnection, at: Position, arrival: Arrival): void {
    const held = this.held.get(connection);
    if (held === undefined) {
      arrival.over(false);
      return;
    }
    this.held.delete(connection);
    const { isMember } = held;
    if (lacks(at, this.position)) {
      this.follow(connection, at, isMember, true, arrival);
      return;
    }
    arrival.live(at, undefined);
    this.join(connection, at, isMember, true);
    this.tidy();
    arrival.over(true);
  }

  leave(connection: Connection): void {
    if (this.remove(connection)) this.endIfEmpty();
  }

  /** A frame that is not in the log; also for those that are still being brought here. */
  signal(key: string, text: string, except: string | undefined): void {
    const behind = this.notLive().filter(({ userId }) => userId !== except);
    if (this.live.size + behind.length === 0) return;
    const frame = this.site.batches.encode(text);
    this.live.sendEphemeral(key, frame, except);
    for (const connection of behind) connection.sendEphemeral(key, frame);
  }

  /** A part of a message that is being written; also for those that are still being brought here. */
  stream(messageId: string, part: StreamPart): void {
    const behind = this.notLive();
    if (this.live.size + behind.length === 0) return;
    const reframe = (of: StreamPart): Buffer =>
      this.site.batches.encode(JSON.stringify(streamFrame(this.roomId, messageId, of)));
    const piece: StreamPiece = { frame: reframe(part), part, reframe };
    const key = `stream:${messageId}`;
    this.live.sendPiece(key, piece);
    for (const connection of behind) connection.sendPiece(key, piece);
  }

  /** Those that are still being brought to where the channel is. */
  private notLive(): Connection[] {
    const behind = [...this.followers.values(), ...this.ahead.values()].filter(({ isIn }) => isIn);
    return [...this.held.keys(), ...behind.map(({ connection }) => connection)];
  }

  /** Ends what runs; nobody is told. */
  end(): void {
    this.isOver = true;
    clearTimeout(this.gap);
    this.followers.clear();
    this.held.clear();
    for (const { settled } of this.doubts.splice(0)) settled();
  }

  private drain(): void {
    this.recent?.trim(this.position, this.followers.size > 0);
    this.isDelivering = true;
    for (let change = this.order.next(); change !== undefined; change = this.order.next()) {
      this.deliver(change);
      if (this.ahead.size > 0) this.promote();
    }
    this.isDelivering = false;
    this.endIfEmpty();
    this.watchGap();
  }

  private watchGap(): void {
    if (!this.order.isBehind || this.isReading || this.isOver) {
      clearTimeout(this.gap);
      this.gap = undefined;
    } else this.gap ??= setTimeout(() => this.refresh(), REORDER_MS).unref();
  }

  private async catchUp(): Promise<void> {
    this.isReading = true;
    this.watchGap();
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
    this.isReading = false;
    this.settleDoubts();
    this.drain();
  }

  /** What was committed before the doubt has been delivered: who is still held does not belong here. */
  private settleDoubts(): void {
    for (const { connection, held, settled } of this.doubts.splice(0)) {
      if (this.held.get(connection) === held) this.drop(connection);
      settled();
    }
  }

  /** Those that wait within the page get what lies after their own position, and go live at its end. */
  private apply({ events, position }: LogPage): void {
    const within = [...this.ahead.values()].filter(({ at }) => lacks(at, position));
    const changes = events.map((event) => RoomChange.of(event));
    this.recent?.trim(this.position, this.followers.size > 0);
    this.isDelivering = true;
    for (const change of changes) this.deliver(change);
    this.order.moveTo(position);
    for (const each of within) this.carry(each, changes);
    this.promote();
    this.isDelivering = false;
    this.endIfEmpty();
  }

  /** Brings one that waits through a page; its user may leave and come back in it. */
  private carry({ connection, at, isMember, isIn }: Ahead, page: readonly RoomChange[]): void {
    const now = { connection, at: both(at, this.position), isMember, isIn };
    let sits = true;
    for (const change of newsAt(at, page, this.position)) {
      if (change.head.joins === connection.userId) sits = now.isMember = now.isIn = true;
      if (!sits) continue;
      connection.send(change.wireAfter(at.seq, (text) => this.site.batches.encode(text)));
      if (endsFor(change, connection)) sits = false;
    }
    if (sits) this.ahead.set(connection, now);
    else this.drop(connection);
  }

  private deliver(change: RoomChange): void {
    const { joins, leaves, ends } = change.head;
    if (joins !== undefined) this.admit(joins);
    this.recent?.add(change);
    if (this.live.size > 0) this.live.send(this.wire(change));
    if (leaves !== undefined)
      for (const connection of this.site.connectionsOf(this, leaves))
        if (this.live.has(connection)) this.drop(connection);
    if (ends === true) for (const connection of [...this.live.all()]) this.drop(connection);
    if (leaves !== undefined || ends === true) this.cutOff(change);
  }

  /** Those that sync do not get as far as their removal, or their room's end, before they learn of it. */
  private cutOff(change: RoomChange): void {
    const syncing = [...this.followers].filter(([, { arrival }]) => arrival !== undefined);
    const places = [
      ...[...this.held].map(([connection, { at }]) => [connection, at] as const),
      ...syncing.map(([connection, { position }]) => [connection, position] as const),
    ];
    for (const [connection, at] of places) {
      if (change.rev <= at.rev || !endsFor(change, connection)) continue;
      connection.send(this.wire(change));
      this.drop(connection);
    }
  }

  /** The user has become a member. A connection that follows meets the change on its own way. */
  private admit(userId: string): void {
    for (const connection of this.site.connectionsOf(this, userId)) {
      if (this.followers.has(connection) || this.ahead.has(connection) || this.held.has(connection)) continue;
      if (!this.live.has(connection)) this.site.entered(this, connection);
      this.live.add(connection, true);
    }
  }

  /** Makes it live; where it has more than the channel, as soon as the channel has got there; behind, it follows. */
  private join(connection: AcceptedConnection, at: Position, isMember: boolean, isIn: boolean): void {
    if (isSame(at, this.position)) this.live.add(connection, isMember);
    else if (lacks(at, this.position)) this.follow(connection, at, isMember, isIn);
    else {
      this.ahead.set(connection, { connection, at, isMember, isIn });
      this.order.expect(at.rev);
      this.watchGap();
    }
  }

  /** The channel has moved: who waits ahead of it may be where it is, or lack what it has passed. */
  private promote(): void {
    for (const { connection, at, isMember, isIn } of [...this.ahead.values()]) {
      if (!isSame(at, this.position) && !lacks(at, this.position)) continue;
      this.ahead.delete(connection);
      this.join(connection, at, isMember, isIn);
    }
  }

  private follow(
    connection: AcceptedConnection,
    at: Position,
    isMember: boolean,
    isIn: boolean,
    arrival?: Arrival,
  ): void {
    const follower = new Follower(connection, at, isMember, isIn, this.site.batches, arrival);
    this.followers.set(connection, follower);
    this.recent ??= new RecentChanges(this.position);
    if (!this.arrive(follower)) void this.lead(follower);
  }

  private async lead(follower: Follower): Promise<void> {
    const isWanted = (): boolean => this.followers.get(follower.connection) === follower;
    for (;;) {
      await ready(follower.connection);
      const page = await this.read(follower.position, isWanted);
      // It may have been removed in this very turn, by what the channel read.
      if (page === undefined || !isWanted()) return;
      for (const event of page.events) follower.take(RoomChange.of(event));
      follower.position = page.position;
      if (!isWanted() || (!page.more && this.arrive(follower))) return;
    }
  }

  /** Makes a follower that has reached the channel one of its connections; false: it has to read on. */
  private arrive(follower: Follower): boolean {
    const { connection } = follower;
    if (lacks(follower.position, this.position)) {
      const rest = this.recent?.after(follower.position, this.position);
      if (rest === undefined || this.bytesOf(rest) > PACE_BYTES) return false;
      for (const change of rest) follower.take(change);
      follower.position = both(follower.position, this.position);
      // The last frames may have been too much for the connection, which is over then.
      if (!this.followers.has(connection)) return true;
    }
    this.followers.delete(connection);
    if (follower.sits) this.settle(follower);
    else {
      this.site.left(this, connection);
      follower.arrival?.over(false);
    }
    this.tidy();
    this.endIfEmpty();
    return true;
  }

  private settle({ connection, position, isMember, isIn, arrival, lastId }: Follower): void {
    arrival?.live(position, lastId);
    this.join(connection, position, isMember, isIn);
    arrival?.over(true);
  }

  private async read(position: Position, isWanted: () => boolean): Promise<LogPage | undefined> {
    const page = await this.site.read(this.tenantId, this.roomId, position, isWanted);
    return isWanted() ? page : undefined;
  }

  private remove(connection: Connection): boolean {
    if (!this.has(connection)) return false;
    this.drop(connection);
    return true;
  }

  private drop(connection: Connection): void {
    const follower = this.followers.get(connection);
    this.live.delete(connection);
    this.ahead.delete(connection);
    this.held.delete(connection);
    this.followers.delete(connection);
    this.tidy();
    this.site.left(this, connection);
    follower?.arrival?.over(false);
  }

  /** A connection that is here stops being live, or on its way; its place is held. */
  private takeOut(connection: Connection): Held | undefined {
    const follower = this.followers.get(connection);
    const ahead = this.ahead.get(connection);
    const isMember = follower?.isMember ?? ahead?.isMember ?? this.live.isMember(connection);
    if (isMember === undefined || follower?.sits === false) return undefined;
    const at = follower?.position ?? ahead?.at ?? this.position;
    this.live.delete(connection);
    this.ahead.delete(connection);
    this.followers.delete(connection);
    const held = { at, isMember, sentSeq: at.seq };
    this.held.set(connection, held);
    return held;
  }

  /** Nobody follows or is about to: what was delivered is kept for nobody. */
  private tidy(): void {
    if (this.followers.size + this.held.size === 0) this.recent = undefined;
  }

  private bytesOf(changes: readonly RoomChange[]): number {
    return changes.reduce((sum, change) => sum + this.wire(change).length, 0);
  }

  /** Not before it has told all that it has heard of: somebody may still join in it, and nobody else would see to that. */
  private endIfEmpty(): void {
    if (this.isDelivering || this.isReading || this.order.isBehind || this.isOver) return;
    if (this.live.size + this.ahead.size + this.followers.size + this.held.size > 0) return;
    this.end();
    this.site.emptied(this);
  }

  private wire(change: RoomChange): Buffer {
    return change.wire((text) => this.site.batches.encode(text));
  }
}

function endsFor({ head }: RoomChange, connection: Connection): boolean {
  return head.ends === true || head.leaves === connection.userId;
}
