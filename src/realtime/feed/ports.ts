import type { IncomingHttpHeaders } from 'node:http';
import type { AppError } from '../../common/errors';
import type { Caller, LimitName } from '../../platform/auth';

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
 * `sendEphemeral` may drop or merge: a later frame with the same key replaces one that still waits. `sendPiece` merges
 * too: pieces of one stream that wait become one.
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
  /** Queues a piece of a stream, `key` naming it; the last one is durable, and what waits of the stream goes before it. */
  sendPiece(key: string, piece: StreamPiece): void;
  /** Queues a batch that may still grow until the end of this turn (one per channel and turn). */
  sendBatch(batch: FrameBatch): void;
  close(code: number, reason: string): void;
  /** Runs once when the connection is over, for whatever reason. One function for all connections costs no memory each. */
  onClose(handler: (connection: Connection) => void): void;
}

/** A part of a text that is being written, as the members of its room are told. */
export type StreamPart =
  | { readonly type: 'start'; readonly senderId: string }
  /** `index`: of the last token in `text`. */
  | { readonly type: 'delta'; readonly text: string; readonly index: number }
  | { readonly type: 'end'; readonly seq: number; readonly status: string; readonly finishReason: string | null }
  | { readonly type: 'error'; readonly code: string; readonly message: string };

/** A part of a stream on its way to connections. */
export interface StreamPiece {
  readonly frame: WireFrame;
  readonly part: StreamPart;
  /** Frames another delta of the same stream: what several that waited became. */
  readonly reframe: (part: StreamPart) => WireFrame;
}

/** What one turn brings to one channel: grows until the flush or until it is sealed; joined into one buffer once. */
export interface FrameBatch {
  /** Bytes so far. */
  readonly bytes: number;
  /** Frames so far, for the metrics; 1 where it is not said. */
  readonly frames?: number;
  /** The joined bytes; called by the flush only. */
  joined(): Buffer;
}

/** A connection as its handlers get it: they also see how the socket keeps up, in both directions. */
export interface AcceptedConnection extends Connection {
  /** Whether the server sends what was missed by itself; not with `?sync=manual`. */
  readonly syncsByItself: boolean;
  /** Bytes that the client has not taken yet: those of this turn and those in the socket. */
  readonly waiting: number;
  /** Queues a frame like `send`, but it never counts towards 4009: whoever sends history paces it by `waiting`. */
  sendHistory(frame: WireFrame): void;
  /** Calls back once: when at most so many bytes wait, at once if that is so already, or when the connection is over. */
  onceBelow(bytes: number, handler: () => void): void;
  /** Stops reading. What one read (64 KB) has brought already is still handed over. */
  pause(): void;
  resume(): void;
  onClose(handler: (connection: AcceptedConnection) => void): void;
}

/** A request to open a socket. Its query may hold secrets: never logged, never echoed. */
export interface SocketRequest {
  readonly id: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
}

/** What a new connection is told first. */
export interface Greeting {
  readonly connectionId: string;
  readonly caller: Caller;
  readonly epoch: number;
  readonly heartbeatMs: number;
}

/** A path that takes sockets, and the words in which it speaks with its clients. */
export interface SocketDoor {
  /** Without a slash at its end. */
  readonly path: string;
  /** How many connections a tenant may have here, and one user of it. */
  readonly tenantLimit: LimitName;
  readonly userLimit: LimitName | undefined;
  /** `user`: every connection acts as a user. `tenant`: a key without one may come too; `enter` then says as whom. */
  readonly access: 'user' | 'tenant';
  /** The frames of clients; the server does not start when one has no operation, or another one has. */
  readonly clientFrames: readonly string[];
  /** What a frame without a type is; undefined: refused. */
  readonly defaultFrame?: string;
  /**
   * The last check of an upgrade but for a ticket's single use: what the request asks for, and whether this caller may.
   * Throws what the client is told; the caller that it returns is the connection's.
   */
  enter?(request: SocketRequest, caller: Caller): Promise<Caller>;
  hello(greeting: Greeting): object;
  /** @param requestId the client's, or that of the upgrade; @param retryAfterMs instead of what the error says */
  error(error: AppError, requestId: string | undefined, retryAfterMs?: number): object;
  /** The reply of an operation. */
  reply(type: string, requestId: string | undefined, fields: object): object;
  shutdown(reconnectAfterMs: number): object;
  readonly document: DoorDocument;
}

/** How AsyncAPI describes a door. */
export interface DoorDocument {
  /** Names the channel. */
  readonly channel: string;
  /** What a client has to know beyond the frames, as Markdown. */
  readonly introduction: string;
  /** What of the server's frames tells one from the other. */
  readonly typeField: 'type' | 'event_type';
  /** JSON schemas of the fields that every frame of the server has beside its type. */
  readonly everyFrame: Readonly<Record<string, object>>;
  /** JSON schemas of what the upgrade request may hold beside what every door takes. */
  readonly query: Readonly<Record<string, object>>;
  readonly headers: Readonly<Record<string, object>>;
}

/** A change of a room that has been committed. */
export interface RoomEvent {
  readonly tenantId: string;
  /** UUID. */
  readonly roomId: string;
  readonly rev: number;
  /** Of a new message; other changes have none. */
  readonly seq?: number;
  /** UUID of a new message. */
  readonly messageId?: string;
  /** The frame that clients get; built only when somebody is there to get it. */
  readonly frame: () => Frame;
  /** The same frame as JSON text, where that is cheaper than building the object. */
  readonly text?: () => string;
  /** Of a message that was edited since it was sent: how those are told who have it already. */
  readonly again?: () => Frame;
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
  /** The oldest message that is kept. */
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly lastRev: number;
  readonly memberCount: number;
  /** The user is no member but may listen (a channel of their tenant). */
  readonly isListener?: boolean;
}

/** A seat with how far its user has got: everything up to `ackedSeq` was delivered to them, or came before they joined. */
export interface CursorSeat extends Seat {
  readonly ackedSeq: number;
}

/** What a client says that it has of a room. */
export interface Claim {
  /** UUID. */
  readonly roomId: string;
  /** Of a message that it names; undefined: it names none. */
  readonly seq: number | undefined;
}

/** A seat that somebody asked for with a claim. */
export interface ClaimedSeat extends Seat {
  /** UUID of the message that has the claim's seq; undefined: there is none, or none was named. */
  readonly messageId: string | undefined;
}

/** Where in a room's log a member came in. */
export interface Entrance {
  readonly userId: string;
  readonly role: string;
  /** The position right before the user's latest `member.joined`; the very beginning for founding members. */
  readonly position: Position;
  /** Set for founding members, whose joining is not in the log: the oldest member, as a rule who made the room. */
  readonly foundedBy?: string;
}

/** Which rooms a user is a member of, or may listen to. The rooms module implements it. */
export abstract class Seats {
  /** The rooms of which the user is a member. Who is new is made a user of the tenant: opening a socket is a first use. */
  abstract of(tenantId: string, userId: string): Promise<readonly Seat[]>;
  /** The same rooms with the user's cursors, the most recently active first. */
  abstract withCursors(tenantId: string, userId: string): Promise<readonly CursorSeat[]>;
  /**
   * Several rooms as `find` has them, in the order of asking, with the messages that are named; read from the primary,
   * after the call.
   */
  abstract findAll(
    tenantId: string,
    claims: readonly Claim[],
    userId: string,
  ): Promise<readonly (ClaimedSeat | 'no_room' | 'not_allowed')[]>;
  /** One room for a `subscribe`: its seat, or why not. */
  abstract find(tenantId: string, roomId: string, userId: string): Promise<Seat | 'no_room' | 'not_allowed'>;
  /** Those of the users who are members now, with the place at which each came in. */
  abstract entrances(tenantId: string, roomId: string, userIds: readonly string[]): Promise<readonly Entrance[]>;
  /** Per user, at most `most` others who share a room of at most `largest` members with them; who has none is missing. */
  abstract neighbours(
    tenantId: string,
    userIds: readonly string[],
    bounds: { readonly largest: number; readonly most: number },
  ): Promise<ReadonlyMap<string, readonly string[]>>;
}

/** A channel's position: the last revision and the last message that its connections were sent. */
export interface Position {
  readonly rev: number;
  readonly seq: number;
}

/** The part of a room's log that a sync still has to send. */
export interface MissedPart {
  readonly roomId: string;
  /** Messages after this seq … */
  readonly afterSeq: number;
  /** … up to and including this one. */
  readonly throughSeq: number;
  /** Other changes after this revision, up to and including `throughRev`; none where the two are equal. */
  readonly afterRev: number;
  readonly throughRev: number;
  /** Edits and deletions count among the changes where the message's seq is at most this. */
  readonly changedThroughSeq: number;
  /** Whether to read how far the members have read. */
  readonly marks: boolean;
  /** The id of the message with this seq is wanted too; undefined: of none. */
  readonly named: number | undefined;
}

/** A page of a part. */
export interface MissedPage {
  /** How the user sees the room now; with `none` the rest is empty. */
  readonly access: 'member' | 'listener' | 'none';
  /** The room's oldest message that is kept; undefined where the user does not see it. */
  readonly firstSeq: number | undefined;
  /** UUID of the message whose id was wanted, where there is one. */
  readonly namedId: string | undefined;
  /** How far members have read. */
  readonly marks: readonly { readonly userId: string; readonly seq: number }[];
  /** Messages in order of seq, other changes in order of rev, the two merged by rev. */
  readonly events: readonly RoomEvent[];
  /** Where the next page begins. */
  readonly afterSeq: number;
  readonly afterRev: number;
  /** There is more of this part. */
  readonly more: boolean;
}

/** How much of each part a page may hold. */
export interface PageLimits {
  readonly messages: number;
  readonly changes: number;
  /** Of content; the message that reaches it is the page's last one. */
  readonly bytes: number;
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
  /** A page of each of these parts, as this user may see them, in one statement and in the order of asking. */
  abstract missed(
    tenantId: string,
    userId: string,
    parts: readonly MissedPart[],
    limits: PageLimits,
  ): Promise<readonly MissedPage[]>;
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
   * nodes with their connections look even when they have no channel of the room. `by`: who made the room, for its
   * founding members.
   */
  abstract touch(tenantId: string, roomId: string, joined?: readonly string[], by?: string): void;
  /** A frame that is not in the log (typing, read.update) for the live connections of a room, but not for `except`. */
  abstract signal(tenantId: string, roomId: string, key: string, frame: Frame, except?: string): void;
  /**
   * A part of a message that is being written, as `message.stream.start`, `.delta`, `.end` or `.error`, for the live
   * connections of its room. Hand them in in order: `start`, deltas, and one `end` or `error`, right before the message
   * itself is published. Deltas that wait for a slow client become one; one that does not keep up at all may lose some,
   * and has the message.
   * @param messageId UUID, as the message will have it
   */
  abstract stream(tenantId: string, roomId: string, messageId: string, part: StreamPart): void;
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

/** How far a connection was sent what a room's log has. Implemented by the feed; asks no database. */
export abstract class Deliveries {
  /**
   * The highest seq that was handed to the connection in this room, live or by sync; undefined where it does not follow
   * the room. What lies below it was sent too, but for what a sync cut away (`sync.truncated`) and what came before the
   * user's joining.
   */
  abstract sentThrough(connection: Connection, roomId: string): number | undefined;
  /** The rooms in which the connection is live as a member's, each with what `sentThrough` says of it. */
  abstract liveRooms(connection: Connection): Iterable<readonly [roomId: string, sentThrough: number]>;
}

/** What a connection listens to beyond the rooms of which its user is a member. Implemented by the feed. */
export abstract class Subscriptions {
  /** Brings the room's events to this connection; also after `unsubscribe`. Subscribing again changes nothing. */
  abstract subscribe(connection: Connection, roomId: string): Promise<Seat | 'no_room' | 'not_allowed'>;
  /** Stops the room's events for this connection alone, until it subscribes. */
  abstract unsubscribe(connection: Connection, roomId: string): void;
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

/** Messages of one member in one room that a connection gave up on. */
export interface Undelivered {
  readonly tenantId: string;
  /** UUID. */
  readonly roomId: string;
  readonly userId: string;
  readonly fromSeq: number;
  readonly toSeq: number;
  /** How often each was sent. */
  readonly attempts: number;
}

/** How far members have acknowledged, and what became of the rest. The delivery module implements it. */
export abstract class Receipts {
  /** Per room, up to where the user has acknowledged it; rooms of which they are no member are missing. */
  abstract acked(tenantId: string, userId: string, roomIds: readonly string[]): Promise<ReadonlyMap<string, number>>;
  /** Stores what was given up on, durably, but for what has been acknowledged meanwhile. */
  abstract giveUp(undelivered: Undelivered): Promise<void>;
}

/** A message as it is now, as its frame. */
export interface MessageFrame {
  readonly seq: number;
  readonly frame: Frame;
}

/** The messages of a room. The messages module implements it. */
export abstract class MessageFrames {
  /** Messages after one seq and up to another, the oldest `limit` of them, in order; deleted ones are tombstones. */
  abstract read(
    tenantId: string,
    roomId: string,
    afterSeq: number,
    throughSeq: number,
    limit: number,
  ): Promise<readonly MessageFrame[]>;
}
