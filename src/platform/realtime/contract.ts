import type { Caller } from '../auth';

/** What every frame is while the server handles it: an object with a type. */
export interface Frame {
  readonly type: string;
  readonly [field: string]: unknown;
}

/** A frame that is serialised and framed for the wire; shared by all connections that get it. */
export type WireFrame = Buffer;

/**
 * One open socket as the rest of the server sees it.
 *
 * `send` queues a durable frame for the end of the turn; when too much waits, the connection closes itself (4009).
 * `sendEphemeral` may drop or merge: a later frame with the same key replaces one that still waits.
 */
export interface Connection {
  /** `conn_…`, told to the client in `hello`. */
  readonly id: string;
  readonly caller: Caller;
  readonly tenantId: string;
  readonly userId: string;
  /** False from the moment a close was decided; nothing is sent any more. */
  readonly isOpen: boolean;
  send(frame: WireFrame): void;
  sendEphemeral(key: string, frame: WireFrame): void;
  /** Queues a batch that may still grow until the end of this turn (one per channel and turn). */
  sendBatch(batch: FrameBatch): void;
  close(code: number, reason: string): void;
  /** Runs once when the connection is over, for whatever reason. */
  onClose(handler: () => void): void;
}

/** What one turn brings to one channel: grows until the flush or until it is sealed; joined into one buffer once. */
export interface FrameBatch {
  /** Bytes so far. */
  readonly bytes: number;
  /** The joined bytes; called by the flush only. */
  joined(): Buffer;
}

/** A change of a room that has been committed. */
export interface RoomEvent {
  readonly tenantId: string;
  /** UUID. */
  readonly roomId: string;
  readonly rev: number;
  /** Of a new message; other changes have none. */
  readonly seq?: number;
  /** The frame that clients get; built only when somebody is there to get it. */
  readonly frame: () => Frame;
  /** The user whose connections join the channel at this point of its order. */
  readonly joins?: string;
  /** The user whose connections leave the channel after this event. */
  readonly leaves?: string;
  /** The room is gone: everybody leaves after this event. */
  readonly ends?: boolean;
  /** How many members the room has from here on, where the event says it. */
  readonly memberCount?: number;
}

/** Where a connection sits: a room and what the server knows of it at the time of asking. */
export interface Seat {
  readonly roomId: string;
  readonly lastSeq: number;
  readonly lastRev: number;
  readonly memberCount: number;
}

/** Which rooms a user is a member of, or may listen to. The rooms module implements it. */
export abstract class Seats {
  /** The rooms of which the user is a member. */
  abstract of(tenantId: string, userId: string): Promise<readonly Seat[]>;
  /** One room for a `subscribe`: its seat, or why not. */
  abstract find(tenantId: string, roomId: string, userId: string): Promise<Seat | 'no_room' | 'not_allowed'>;
  /** Users other than this one who share a room of at most `largest` members with them. */
  abstract neighbours(tenantId: string, userId: string, largest: number): Promise<readonly string[]>;
}

/** A channel's position: the last revision and the last message that its connections were sent. */
export interface Position {
  readonly rev: number;
  readonly seq: number;
}

/** What lies in the log after a position. The messages module implements it. */
export abstract class RoomLog {
  /** At most `limit` events after the position, in the order of delivery; `more` when there are others behind them. */
  abstract after(
    tenantId: string,
    roomId: string,
    position: Position,
    limit: number,
  ): Promise<{ readonly events: readonly RoomEvent[]; readonly more: boolean; readonly position: Position }>;
  /** `last_rev` of rooms, deleted ones included; those that do not exist are left out. */
  abstract heads(
    rooms: readonly { readonly tenantId: string; readonly roomId: string }[],
  ): Promise<readonly { readonly tenantId: string; readonly roomId: string; readonly rev: number }[]>;
}

/**
 * Where services hand in what they have committed. Neither blocks nor fails. Implemented by the feed.
 */
export abstract class RoomFeed {
  /** Events whose `rev` is known, of any rooms, in any order. */
  abstract publish(events: readonly RoomEvent[]): void;
  /**
   * Something changed in the room: its channels read the log. `joined`: users who may have become members, so that
   * nodes with their connections look even when they have no channel of the room.
   */
  abstract touch(tenantId: string, roomId: string, joined?: readonly string[]): void;
  /** A frame that is not in the log (typing, read.update) for the live connections of a room, but not for `except`. */
  abstract signal(tenantId: string, roomId: string, key: string, frame: Frame, except?: string): void;
}

/**
 * Who listens where on this node. Implemented by the feed; asks no database.
 */
export abstract class Audience {
  /**
   * Connections here of the room's members; nothing where the room has no channel. A channel's listeners who are not
   * members are left out.
   */
  abstract members(tenantId: string, roomId: string): Iterable<Connection>;
  /** Whether the connection sits in the room's channel as a member's. False also while it is still being attached. */
  abstract isMember(connection: Connection, roomId: string): boolean;
  /**
   * Calls back after a connection has left a room's channel, however: left, removed, unsubscribed, room deleted,
   * connection over.
   */
  abstract onDetached(handler: (connection: Connection, roomId: string) => void): void;
}

/** Which rooms users share with others. The rooms module implements it. */
export abstract class SharedRooms {
  /** Per user, their rooms of 2 to `largest` members; who has none may be missing. */
  abstract of(
    tenantId: string,
    userIds: readonly string[],
    largest: number,
  ): Promise<ReadonlyMap<string, readonly string[]>>;
}

/** When users were last connected. The tenants module implements it. */
export abstract class LastSeenStore {
  /** Stores them all in one statement; each counts as seen `agoMs` before now, and never moves backwards. */
  abstract write(
    seen: readonly { readonly tenantId: string; readonly userId: string; readonly agoMs: number }[],
  ): Promise<void>;
}
