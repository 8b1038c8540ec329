import type { Connection, Position } from '../contract';
import type { FrameBatches } from './batches';
import type { RoomChange } from './room-change';

/**
 * A connection that came in behind its channel: it gets what lies between from the log, on its own, and goes live in
 * the turn in which it reaches the channel. Its user may leave and come back on the way.
 */
export class Follower {
  /** Whether the user is in the room at `position`. */
  sits = true;

  constructor(
    readonly connection: Connection,
    public position: Position,
    public isMember: boolean,
    private readonly batches: FrameBatches,
  ) {}

  take(change: RoomChange): void {
    const { joins, leaves, ends } = change.head;
    if (joins === this.connection.userId) {
      this.sits = true;
      this.isMember = true;
    }
    if (!this.sits) return;
    this.connection.send(change.wire((text) => this.batches.encode(text)));
    if (leaves === this.connection.userId || ends === true) this.sits = false;
  }
}

/** Changes kept for followers; more than this and they read the log again. */
const MAX_RECENT = 1000;

/** What a channel has delivered since somebody began to follow it. */
export class RecentChanges {
  private changes: RoomChange[] = [];

  /** @param from revision of the channel's position when it began */
  constructor(private from: number) {}

  add(change: RoomChange): void {
    this.changes.push(change);
  }

  /** Forgets all when it has become too much; only between pages, whose changes are not in order of `rev`. */
  trim(position: Position): void {
    if (this.changes.length < MAX_RECENT) return;
    this.changes = [];
    this.from = position.rev;
  }

  /** What was delivered after a revision; undefined where that is not known any more. */
  after(rev: number): RoomChange[] | undefined {
    return rev < this.from ? undefined : this.changes.filter((change) => change.rev > rev);
  }
}
