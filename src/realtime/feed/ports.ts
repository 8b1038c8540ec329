import { AppError } from '../../common/errors';
import type { Unsubscribe } from '../../platform/cluster';
import type { Connection, Frame, StreamPart } from '../transport';

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
  /** Of an edit or a deletion: the message's seq. */
  readonly changedSeq?: number;
  /** The oldest message that is kept from here on, where the event moves that. */
  readonly firstSeq?: number;
  /** The frame that clients get; built only when a client is there to get it. */
  readonly frame: () => Frame;
  /** The same frame as JSON text, where that is cheaper than building the object. */
  readonly text?: () => string;
  /** Of a message that was edited since it was sent: the frame for connections that have it already. */
  readonly again?: () => Frame;
  /** The user whose connections join the channel at this point of its order. */
  readonly joins?: string;
  /** The user whose connections leave the channel after this event. */
  readonly leaves?: string;
  /** The room is gone: all connections leave after this event. */
  readonly ends?: boolean;
  /** How many members the room has from here on, where the event says it. */
  readonly memberCount?: number;
}

/** A user's position in a room, as the server knows it at the time of asking. */
export interface RoomPosition {
  readonly roomId: string;
  /** The oldest message that is kept. */
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly lastRev: number;
  readonly memberCount: number;
  /** The user is no member but may listen (a channel of their tenant). */
  readonly isListener?: boolean;
}

/** A position with how far its user has got: everything up to `ackedSeq` was delivered to them, or came before they joined. */
export interface CursorPosition extends RoomPosition {
  readonly ackedSeq: number;
}

/** What a client says that it has of a room. */
export interface Claim {
  /** UUID. */
  readonly roomId: string;
  /** Of a message that it names; undefined: it names none. */
  readonly seq: number | undefined;
}

/** A position that a client asked for with a claim. */
export interface ClaimedPosition extends RoomPosition {
  /** UUID of the message that has the claim's seq; undefined: there is none, or none was named. */
  readonly messageId: string | undefined;
  /** Changes after this revision are all kept. */
  readonly firstRev: number;
}

/** Where in a room's log a member came in. */
export interface Entrance {
  readonly userId: string;
  readonly role: string;
  /** The position right before the user's latest `member.joined`; the very beginning for founding members. */
  readonly position: Position;
  /** Set for founding members, whose joining is not in the log: the oldest member, as a rule the room's maker. */
  readonly foundedBy?: string;
  /** The user was a member at the position already: the room was imported up to there. */
  readonly isIn?: boolean;
}

/** With whom users share rooms. */
export interface Neighbours {
  /**
   * Each room once, with those of the users asked about who are its members, and with its people: these, and the others.
   * To be gone through once, in as many turns of the event loop as one likes.
   */
  readonly rooms: Iterable<{ readonly users: readonly string[]; readonly people: readonly string[] }>;
  /** Users whose rooms did not fit into the answer, to be asked about again; never the first. No room names them in `users`. */
  readonly later: readonly string[];
}

/** Which rooms a user is a member of, or may listen to. The rooms module implements it. */
export abstract class RoomPositions {
  /**
   * The rooms of which the user is a member, with their cursors, the most recently active first; those of users that are
   * asked for at the same time are read together. A new user is made a user of the tenant: a socket is a first use.
   * @param mayGather more users are about to be asked for, and this one may wait some 30 ms for them
   */
  abstract positionsOf(tenantId: string, userId: string, mayGather?: boolean): Promise<readonly CursorPosition[]>;
  /**
   * The ids of the rooms of which each of these users, at most 500, is a member, in the order of asking: one statement, or
   * a few where the users are in many rooms.
   */
  abstract roomsOf(tenantId: string, userIds: readonly string[]): Promise<readonly (readonly string[])[]>;
  /**
   * Several rooms as `find` has them, in the order of asking, with the messages that are named; read from the primary,
   * after the call.
   */
  abstract findPositions(
    tenantId: string,
    claims: readonly Claim[],
    userId: string,
  ): Promise<readonly (ClaimedPosition | 'no_room' | 'not_allowed')[]>;
  /** One room for a `subscribe`: its position, or why not. */
  abstract findPosition(
    tenantId: string,
    roomId: string,
    userId: string,
  ): Promise<RoomPosition | 'no_room' | 'not_allowed'>;
  /** Those of the users that are members now, with the place at which each came in. */
  abstract entrances(tenantId: string, roomId: string, userIds: readonly string[]): Promise<readonly Entrance[]>;
  /**
   * The rooms of 2 to `largest` members of these users, each of whom is named once, with the members that are no agents.
   * At most `memberships` members are read, of all rooms together, for the users in their order: those for whom no space
   * is left are to come later. Of the first, if their rooms have more members, the smallest rooms that fit.
   * @param bounds.memberships at least `largest`
   */
  abstract neighbours(
    tenantId: string,
    userIds: readonly string[],
    bounds: { readonly largest: number; readonly memberships: number },
  ): Promise<Neighbours>;
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
  /** Changes up to this one are kept no more, or are not told as they happened; undefined: it was not asked. */
  readonly firstRev: number | undefined;
  /** UUID of the message whose id was wanted, where there is one. */
  readonly namedId: string | undefined;
  /** How far members have read. */
  readonly marks: readonly ReadMark[];
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

/** How far a member has read. */
export interface ReadMark {
  readonly userId: string;
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
  /** A page of each of these parts, as this user may see them, in one statement and in the order of asking. */
  abstract missed(
    tenantId: string,
    userId: string,
    parts: readonly MissedPart[],
    limits: PageLimits,
  ): Promise<readonly MissedPage[]>;
  /**
   * Messages of a room in order of seq, whoever asks: as many of the range as have `bytes` of content, at least one. What
   * several ask for at the same time is read together.
   */
  abstract messages(
    tenantId: string,
    roomId: string,
    range: { readonly afterSeq: number; readonly throughSeq: number },
    bytes: number,
  ): Promise<readonly RecentMessage[]>;
  /** How far members of a room have read, and the UUID of one message; together with what others ask for. */
  abstract opening(
    tenantId: string,
    roomId: string,
    wanted: { readonly marks: boolean; readonly named: number | undefined },
  ): Promise<{ readonly marks: readonly ReadMark[]; readonly namedId: string | undefined }>;
  /** `last_rev` of rooms, deleted ones included; those that do not exist are left out. */
  abstract heads(
    rooms: readonly { readonly tenantId: string; readonly roomId: string }[],
  ): Promise<readonly { readonly tenantId: string; readonly roomId: string; readonly rev: number }[]>;
}

/** A message as its room's connections get it. */
export interface RecentMessage {
  readonly seq: number;
  /** Of its last change. */
  readonly rev: number;
  /** UUID. */
  readonly messageId: string;
  /** The JSON of its `message` frame: `{"type":"message", …` and the message object's fields. */
  readonly text: string;
}

/** A room as the database showed it in the statement that asked for access. */
export interface RoomState extends Position {
  /** The oldest message that is kept. */
  readonly firstSeq: number;
}

/** The newest messages of rooms, as this node holds them in memory. Implemented by the feed; asks no database. */
export abstract class RecentMessages {
  /**
   * Whether this node holds messages of the room: where not, `between` need not be asked. @param beforeSeq only messages
   * before it are wanted, so that a page further back than all that is held need not ask either; without it: all
   */
  abstract has(tenantId: string, roomId: string, beforeSeq?: number): boolean;
  /**
   * The messages after `afterSeq` up to and including `throughSeq`, in order of seq, as they are at `at`. undefined where
   * not all of them are held, or where this node is not exactly at that position of the room.
   */
  abstract between(
    tenantId: string,
    roomId: string,
    at: RoomState,
    afterSeq: number,
    throughSeq: number,
  ): readonly RecentMessage[] | undefined;
  /**
   * Holds messages that were read in the same snapshot as `at`, without gaps, in order of seq, up to and including the
   * newest one. The room is followed from there on, for as long as memory is kept.
   */
  abstract hold(tenantId: string, roomId: string, at: RoomState, messages: readonly RecentMessage[]): void;
}

/** How signals under one key belong together, for nodes that hear of them from several others. */
export type SignalRule =
  /** It begins something. Where neither a repetition nor the end is heard for `lastsMs`, `end` is sent in its place. */
  | { readonly kind: 'begin'; readonly lastsMs: number; readonly end: Frame }
  /** It ends what was begun. */
  | { readonly kind: 'end' }
  /** Of those within `everyMs` the one with the highest `order` is sent, after the first. */
  | { readonly kind: 'merge'; readonly everyMs: number; readonly order: number };

/**
 * Where services hand in what they have committed. Neither blocks nor fails. Implemented by the feed.
 */
export abstract class RoomFeed {
  /** Events whose `rev` is known, of any rooms, in any order. */
  abstract publishEvents(events: readonly RoomEvent[]): void;
  /**
   * Something changed in the room: its channels read the log. `joined`: users that may have become members, so that
   * nodes with their connections look even when they have no channel of the room. `by`: the room's maker, for its
   * founding members.
   */
  abstract touchRoom(tenantId: string, roomId: string, joined?: readonly string[], by?: string): void;
  /** A frame that is not in the log (typing, read.update) for the live connections of a room, but not for `except`. */
  abstract signalMembers(
    tenantId: string,
    roomId: string,
    key: string,
    frame: Frame,
    except?: string,
    rule?: SignalRule,
  ): void;
  /**
   * A part of a message that is being written, as `message.stream.start`, `.delta`, `.end` or `.error`, for the live
   * connections of its room. Hand them in in order: `start`, deltas, and one `end` or `error`, right before the message
   * itself is published. Deltas that wait for a slow client become one; one that does not keep up at all may lose some,
   * and has the message.
   * @param messageId UUID, as the message will have it
   */
  abstract streamPart(tenantId: string, roomId: string, messageId: string, part: StreamPart): void;
  /** Who knows what is being written on this node: whoever comes into a room is sent that first. For one source. */
  abstract streamsFrom(source: RunningStreams): void;
  /**
   * Calls back for every room of these tenants in which this node has committed a change, or may have. What other nodes commit, and
   * what dies with this one before it is handed in here, is not told.
   * @param tenants by their ids; may change at any time @param handler neither waits nor throws
   */
  abstract onCommitted(tenants: Pick<ReadonlySet<string>, 'has'>, handler: CommittedIn): Unsubscribe;
}

/** @param roomId UUID */
export type CommittedIn = (tenantId: string, roomId: string) => void;

/** A message that is being written: a `start`, and a `delta` with the text that was handed in so far, if any. */
export interface RunningStream {
  /** UUID. */
  readonly messageId: string;
  readonly parts: readonly StreamPart[];
}

/** What is being written in a room, as far as it was handed in; does no I/O. */
export type RunningStreams = (tenantId: string, roomId: string) => readonly RunningStream[];

/**
 * Which connections of this node listen in which room. Implemented by the feed; asks no database.
 */
export abstract class Audience {
  /**
   * Live connections here of the room's members; nothing where the room has no channel. A channel's listeners that are not
   * members are left out.
   */
  abstract members(tenantId: string, roomId: string): Iterable<Connection>;
  /**
   * The same with those that are being synced or follow the log: for what is not in the log, and would be missed for ever by a
   * connection that is not live for a moment.
   */
  abstract allMembers(tenantId: string, roomId: string): Iterable<Connection>;
  /** Whether the connection is in the room's channel as a member's. False also while it is still being attached. */
  abstract isMember(connection: Connection, roomId: string): boolean;
  /** In how many rooms' channels the connection is. */
  abstract roomsOf(connection: Connection): number;
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
  abstract subscribeConnection(
    connection: Connection,
    roomId: string,
  ): Promise<RoomPosition | 'no_room' | 'not_allowed'>;
  /** Stops the room's events for this connection alone, until it subscribes. */
  abstract unsubscribeConnection(connection: Connection, roomId: string): void;
}

/** A room, and the users that may become members of it by the change. */
interface ChangedRoom {
  readonly tenantId: string;
  /** UUID. */
  readonly roomId: string;
  readonly joined?: readonly string[];
}

/** Makes a change of a room; where it is unknown whether that was committed, the room's channels read the log. */
export async function changing<T>(feed: RoomFeed, room: ChangedRoom, change: () => Promise<T>): Promise<T> {
  try {
    return await change();
  } catch (error) {
    if (isUnknown(error)) feed.touchRoom(room.tenantId, room.roomId, room.joined);
    throw error;
  }
}

/** Whether an error leaves open what became of a write. */
export function isUnknown(error: unknown): boolean {
  return error instanceof AppError && error.details?.['outcome'] === 'unknown';
}
