import type { Connection, Position, RoomEvent } from '../contract';
import type { FrameBatches } from './batches';
import { Follower, RecentChanges } from './follower';
import { LiveSet } from './live-set';
import { RoomChange } from './room-change';
import { RoomOrder } from './room-order';

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

/**
 * One room as this node's connections see it.
 *
 * Invariants
 * - The channel's position moves through the room's revisions in order, each change is delivered once to the live
 *   connections, and all of them are at the position.
 * - A connection whose own position differs is not live yet: behind, it follows by the log on its own; ahead, it waits
 *   until the channel has passed through its position. Either way it misses nothing after the position it came with.
 * - Joining and leaving take effect at their place in that order, whichever way the change came.
 *
 * Concurrency: one catch-up at a time; what comes meanwhile is kept for afterwards, and a `refresh` reads once more,
 * since the running read may be older. All state is touched between awaits only.
 */
export class RoomChannel {
  private readonly order: RoomOrder;
  private readonly live: LiveSet;
  private readonly ahead = new Map<Connection, { readonly rev: number; readonly isMember: boolean }>();
  private readonly followers = new Map<Connection, Follower>();
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
    return this.live.has(connection) || this.ahead.has(connection) || this.followers.has(connection);
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

  /** Brings in a connection that has everything up to `at`. */
  enter(connection: Connection, at: Position, isMember: boolean): void {
    if (this.has(connection)) {
      if (isMember && this.live.has(connection)) this.live.add(connection, true);
      return;
    }
    this.site.entered(this, connection);
    if (at.rev === this.position.rev) this.live.add(connection, isMember);
    else if (at.rev > this.position.rev) this.waitAhead(connection, at, isMember);
    else this.follow(connection, at, isMember);
  }

  leave(connection: Connection): void {
    if (this.remove(connection)) this.endIfEmpty();
  }

  /** A frame that is not in the log. */
  signal(key: string, text: string, except: string | undefined): void {
    if (this.live.size > 0) this.live.sendEphemeral(key, this.site.batches.encode(text), except);
  }

  /** Ends what runs; nobody is told. */
  end(): void {
    this.isOver = true;
    clearTimeout(this.gap);
    this.followers.clear();
  }

  private drain(): void {
    this.recent?.trim(this.position);
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
    this.drain();
  }

  /** Those that wait within the page get what lies after their own position, and go live at its end. */
  private apply(page: LogPage): void {
    const within = [...this.ahead].filter(([, { rev }]) => rev < page.position.rev);
    this.recent?.trim(this.position);
    this.isDelivering = true;
    for (const event of page.events) {
      const change = RoomChange.of(event);
      this.deliver(change);
      for (const [connection, { rev }] of within)
        if (change.rev > rev && this.ahead.has(connection)) {
          connection.send(this.wire(change));
          if (endsFor(change, connection)) this.drop(connection);
        }
    }
    this.order.moveTo(page.position);
    this.promote();
    this.isDelivering = false;
    this.endIfEmpty();
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
  }

  /** The user has become a member. A connection that follows meets the change on its own way. */
  private admit(userId: string): void {
    for (const connection of this.site.connectionsOf(this, userId)) {
      if (this.followers.has(connection) || this.ahead.has(connection)) continue;
      if (!this.live.has(connection)) this.site.entered(this, connection);
      this.live.add(connection, true);
    }
  }

  private waitAhead(connection: Connection, { rev }: Position, isMember: boolean): void {
    this.ahead.set(connection, { rev, isMember });
    this.order.expect(rev);
    this.watchGap();
  }

  private promote(): void {
    for (const [connection, { rev, isMember }] of this.ahead) {
      if (rev > this.position.rev) continue;
      this.ahead.delete(connection);
      this.live.add(connection, isMember);
    }
  }

  private follow(connection: Connection, at: Position, isMember: boolean): void {
    const follower = new Follower(connection, at, isMember, this.site.batches);
    this.followers.set(connection, follower);
    this.recent ??= new RecentChanges(this.position.rev);
    void this.lead(follower);
  }

  private async lead(follower: Follower): Promise<void> {
    const isWanted = (): boolean => this.followers.get(follower.connection) === follower;
    for (;;) {
      const page = await this.read(follower.position, isWanted);
      if (page === undefined) return;
      for (const event of page.events) follower.take(RoomChange.of(event));
      follower.position = page.position;
      if (!isWanted() || (!page.more && this.arrive(follower))) return;
    }
  }

  /** Makes a follower that has reached the channel one of its connections; false: it has to read on. */
  private arrive(follower: Follower): boolean {
    const { connection } = follower;
    const rest = this.recent?.after(follower.position.rev);
    if (follower.position.rev < this.position.rev) {
      if (rest === undefined) return false;
      for (const change of rest) follower.take(change);
      follower.position = this.position;
      // The last frames may have been too much for the connection, which is over then.
      if (!this.followers.has(connection)) return true;
    }
    this.followers.delete(connection);
    if (this.followers.size === 0) this.recent = undefined;
    if (!follower.sits) {
      this.site.left(this, connection);
      this.endIfEmpty();
    } else if (follower.position.rev > this.position.rev)
      this.waitAhead(connection, follower.position, follower.isMember);
    else this.live.add(connection, follower.isMember);
    return true;
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
    this.live.delete(connection);
    this.ahead.delete(connection);
    if (this.followers.delete(connection) && this.followers.size === 0) this.recent = undefined;
    this.site.left(this, connection);
  }

  /** Not in the middle of a page: somebody may still join in it. */
  private endIfEmpty(): void {
    if (this.isDelivering || this.isOver) return;
    if (this.live.size + this.ahead.size + this.followers.size > 0) return;
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
