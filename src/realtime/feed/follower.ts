import type { AcceptedConnection, Position } from './ports';
import type { FrameBatches } from './batches';
import { lacks, newsAt } from './order';
import type { RoomChange } from './room-change';

/** While more than this waits for a client, nothing is read from the log for it. */
export const PACE_BYTES = 256 * 1024;

/** Resolves when the client has taken enough to get more, or is gone. */
export function ready(connection: AcceptedConnection): Promise<void> {
  return new Promise((resolve) => connection.onceBelow(PACE_BYTES, resolve));
}

/** The end of a sync: what is to be done when its connection has followed the channel to where it is. */
export interface Arrival {
  /**
   * Called in the turn in which the connection goes live, right before it does. `lastId`: UUID of the message at the
   * position, if it was sent on the way.
   */
  readonly live: (position: Position, lastId: string | undefined) => void;
  /** Called once, whether it went live or left the room before. */
  readonly over: (isLive: boolean) => void;
}

/** A connection on its way into a channel. */
export interface Coming {
  readonly connection: AcceptedConnection;
  /** It has everything up to here. */
  readonly at: Position;
  readonly isMember: boolean;
  /** Whether its user's joining does not lie after `at`; until then it hears nothing but the log. */
  readonly isIn: boolean;
  /** Set where a sync brought it. */
  readonly arrival?: Arrival | undefined;
  /** UUID of the message at `at`, where that was sent on the way. */
  readonly lastId?: string | undefined;
}

/**
 * A connection that came in behind its channel: it gets what lies between from the log, on its own and at its own pace,
 * and goes live in the turn in which it reaches the channel. Its user may leave and come back on the way.
 */
export class Follower implements Coming {
  readonly kind = 'following';
  readonly connection: AcceptedConnection;
  at: Position;
  isMember: boolean;
  isIn: boolean;
  readonly arrival: Arrival | undefined;
  /** Whether the user is in the room at `at`. */
  sits = true;
  private last: { readonly seq: number; readonly id: string } | undefined;

  constructor(
    { connection, at, isMember, isIn, arrival }: Coming,
    private readonly batches: FrameBatches,
  ) {
    this.connection = connection;
    this.at = at;
    this.isMember = isMember;
    this.isIn = isIn;
    this.arrival = arrival;
  }

  get lastId(): string | undefined {
    return this.last?.seq === this.at.seq ? this.last.id : undefined;
  }

  /** Sends it what lies between `at` and `upTo`. */
  take(changes: readonly RoomChange[], upTo: Position): void {
    for (const change of changes) this.takeOne(change);
    this.at = upTo;
  }

  private takeOne(change: RoomChange): void {
    const { joins, leaves, ends, seq, messageId: id } = change.head;
    if (joins === this.connection.userId) {
      this.sits = this.isMember = this.isIn = true;
    }
    if (!this.sits) return;
    // One that it has already comes again when it was edited.
    if (id !== undefined && seq !== undefined && seq > (this.last?.seq ?? this.at.seq)) this.last = { seq, id };
    this.connection.sendHistory(change.wireAfter(this.at.seq, this.batches));
    if (leaves === this.connection.userId || ends === true) this.sits = this.isIn = false;
  }
}

/** Changes kept while a connection follows; with more it reads the log again. */
const MAX_RECENT = 1000;
/** Kept while no connection follows yet, but one is about to. */
const MAX_EXPECTING = 100;

/** What a channel has delivered since a connection was on its way to it. */
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
