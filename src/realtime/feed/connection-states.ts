import type { AcceptedConnection, Connection, Position, StreamPiece, WireFrame } from './ports';
import type { FrameBatches, GrowingBatch } from './batches';
import type { Follower } from './follower';
import { isSame, lacks } from './order';

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
  /** Those of the map that are ahead: each change asks for them. */
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

  /** Those ahead that are not any more, now that the channel is here. */
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

  /** The same for a piece of a stream. What comes after it in this turn leaves after it. */
  sendPiece(key: string, piece: StreamPiece): void {
    this.batch?.seal();
    this.states.forEach(({ isIn }, connection) => {
      if (isIn) connection.sendPiece(key, piece);
    });
  }
}
