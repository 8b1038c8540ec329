import type { AcceptedConnection, Connection, FrameBatches, GrowingBatch, StreamPiece, WireFrame } from '../transport';
import type { StreamReceivers } from './heard-streams';
import { isSame, lacks, newsAt, type RoomChange } from './order';
import type { Position } from './ports';

/** While more than this waits for a client, nothing is read from the log for it. */
export const PACE_BYTES = 256 * 1024;

/** Resolves when the client has taken enough to get more, or is gone. */
export function ready(connection: AcceptedConnection): Promise<void> {
  return new Promise((resolve) => connection.onceBelow(PACE_BYTES, resolve));
}

/** At the channel's position, and sent each change as the channel delivers it. */
interface Live {
  readonly kind: 'live';
  readonly isMember: boolean;
  readonly isIn: true;
}

/** It has more than the channel has delivered, and waits until the channel has got there. */
export interface Ahead {
  readonly kind: 'ahead';
  readonly connection: AcceptedConnection;
  /** It has everything up to here. */
  readonly at: Position;
  readonly isMember: boolean;
  /** Its user's joining does not lie after `at`. */
  readonly isIn: boolean;
}

/** Its place is kept; its sync sends it what it has missed (../sync). */
interface Syncing {
  readonly kind: 'syncing';
  /** It was sent what changed up to here, but of the messages those up to `sentSeq`. */
  readonly at: Position;
  readonly isMember: boolean;
  readonly isIn: true;
  sentSeq: number;
}

/** How a connection stands in a channel; a follower is its own state. */
export type ConnectionState = Live | Ahead | Follower | Syncing;

/** The states of live connections are shared: each costs an entry in the map and no more. */
const MEMBER: Live = { kind: 'live', isMember: true, isIn: true };
const LISTENER: Live = { kind: 'live', isMember: false, isIn: true };
const NONE: readonly Ahead[] = [];

export function live(isMember: boolean): Live {
  return isMember ? MEMBER : LISTENER;
}

/**
 * The connections of a channel, each in one state, and what they are sent together. Live ones get one batch per turn,
 * shared by all of them; when a connection goes live or stops being so in mid-turn the batch is sealed first, so that it
 * holds exactly what its receivers should get.
 */
export class ConnectionStates {
  private readonly states = new Map<Connection, ConnectionState>();
  private readonly counts = { live: 0, ahead: 0, following: 0, syncing: 0 };
  /** The states of the map that are ahead: each change asks for them. */
  private readonly ahead = new Set<Ahead>();
  private batch: GrowingBatch | undefined;

  constructor(private readonly batches: FrameBatches) {}

  get size(): number {
    return this.states.size;
  }

  get(connection: Connection): ConnectionState | undefined {
    return this.states.get(connection);
  }

  count(kind: ConnectionState['kind']): number {
    return this.counts[kind];
  }

  all(): readonly Connection[] {
    return [...this.states.keys()];
  }

  /** The live connections of members. */
  members(): readonly Connection[] {
    const members: Connection[] = [];
    this.states.forEach((state, connection) => {
      if (state === MEMBER) members.push(connection);
    });
    return members;
  }

  /** The connections of members, also those that are on their way to being live. */
  allMembers(): readonly Connection[] {
    const members: Connection[] = [];
    this.states.forEach(({ isMember, isIn }, connection) => {
      if (isMember && isIn) members.push(connection);
    });
    return members;
  }

  /** The connections that are ahead no more, now that the channel is here. */
  reached(position: Position): readonly Ahead[] {
    if (this.ahead.size === 0) return NONE;
    return [...this.ahead].filter(({ at }) => isSame(at, position) || lacks(at, position));
  }

  /** Puts a connection into a state; undefined: out. Returns the state that it was in. For `RoomChannel.move` alone. */
  set(connection: Connection, to: ConnectionState | undefined): ConnectionState | undefined {
    const from = this.states.get(connection);
    if ((from?.kind === 'live') !== (to?.kind === 'live')) this.batch?.seal();
    if (from !== undefined) this.counts[from.kind]--;
    if (from?.kind === 'ahead') this.ahead.delete(from);
    if (to === undefined) this.states.delete(connection);
    else {
      this.states.set(connection, to);
      this.counts[to.kind]++;
      if (to.kind === 'ahead') this.ahead.add(to);
    }
    return from;
  }

  /** A change, for the live connections. */
  send(frame: WireFrame): void {
    if (this.batch !== undefined && !this.batch.sealed) {
      this.batch.add(frame);
      return;
    }
    const batch = (this.batch = this.batches.open());
    batch.add(frame);
    this.states.forEach((state, connection) => {
      if (state.kind === 'live') connection.sendBatch(batch);
    });
  }

  /** A frame that is not in the log; also for the connections that are being brought here. */
  sendEphemeral(key: string, frame: WireFrame, except: string | undefined): void {
    this.states.forEach(({ isIn }, connection) => {
      if (isIn && connection.userId !== except) connection.sendEphemeral(key, frame);
    });
  }

  /**
   * The same for a piece of a stream. What comes after it in this turn leaves after it.
   * @returns those of `only` that it is not for: they are not in
   */
  sendPiece(key: string, piece: StreamPiece, { only, except }: StreamReceivers = {}): readonly Connection[] {
    this.batch?.seal();
    if (only !== undefined) {
      const missed: Connection[] = [];
      for (const connection of only)
        if (this.states.get(connection)?.isIn === true) connection.sendPiece(key, piece);
        else missed.push(connection);
      return missed;
    }
    this.states.forEach(({ isIn }, connection) => {
      if (isIn && except?.has(connection) !== true) connection.sendPiece(key, piece);
    });
    return [];
  }
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
 * and goes live in the turn in which it reaches the channel. Its user may leave and join again on the way.
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
