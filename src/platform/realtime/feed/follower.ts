import type { AcceptedConnection, Position } from '../contract';
import type { FrameBatches } from './batches';
import { lacks, newsAt } from './order';
import type { RoomChange } from './room-change';

/** The end of a sync: what follows it has to do when it gets there. */
export interface Arrival {
  /**
   * Called in the turn in which the connection goes live, right before it does. `lastId`: UUID of the message at the
   * position, if it was sent on the way.
   */
  readonly live: (position: Position, lastId: string | undefined) => void;
  /** Called once, whether it went live or left the room before. */
  readonly over: (isLive: boolean) => void;
}

/**
 * A connection that came in behind its channel: it gets what lies between from the log, on its own and at its own pace,
 * and goes live in the turn in which it reaches the channel. Its user may leave and come back on the way.
 */
export class Follower {
  /** Whether the user is in the room at `position`. */
  sits = true;
  private last: { readonly seq: number; readonly id: string } | undefined;

  /** @param isIn whether it has met its user's joining; until then it hears nothing but the log */
  constructor(
    readonly connection: AcceptedConnection,
    public position: Position,
    public isMember: boolean,
    public isIn: boolean,
    private readonly batches: FrameBatches,
    readonly arrival?: Arrival,
  ) {}

  /** UUID of the message up to which it has them all, where it took that on the way. */
  get lastId(): string | undefined {
    return this.last?.seq === this.position.seq ? this.last.id : undefined;
  }

  take(change: RoomChange): void {
    const { joins, leaves, ends, seq, messageId: id } = change.head;
    if (joins === this.connection.userId) {
      this.sits = this.isMember = this.isIn = true;
    }
    if (!this.sits) return;
    // One that it has already comes again when it was edited.
    if (id !== undefined && seq !== undefined && seq > (this.last?.seq ?? this.position.seq)) this.last = { seq, id };
    this.connection.sendHistory(change.wireAfter(this.position.seq, (text) => this.batches.encode(text)));
    if (leaves === this.connection.userId || ends === true) this.sits = false;
  }
}

/** Changes kept for followers; more than this and they read the log again. */
const MAX_RECENT = 1000;
/** Kept while nobody follows yet, but somebody is about to. */
const MAX_EXPECTING = 100;

/** What a channel has delivered since somebody began to follow it. */
export class RecentChanges {
  private changes: RoomChange[] = [];

  /** @param from the channel's position when it began */
  constructor(private from: Position) {}

  add(change: RoomChange): void {
    this.changes.push(change);
  }

  /** Forgets all when it has become too much; only between pages, whose changes are not in order of `rev`. */
  trim(position: Position, isFollowed: boolean): void {
    if (this.changes.length < (isFollowed ? MAX_RECENT : MAX_EXPECTING)) return;
    this.changes = [];
    this.from = position;
  }

  /** What was delivered, up to where the channel is, that is news at a position; undefined: not known any more. */
  after(position: Position, upTo: Position): RoomChange[] | undefined {
    return lacks(position, this.from) ? undefined : newsAt(position, this.changes, upTo);
  }
}
