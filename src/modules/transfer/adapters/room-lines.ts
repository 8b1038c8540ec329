/** The lines of a room of another system: its members, and its messages with their numbers. */
import { MAX_CONTENT, MAX_META_BYTES, MAX_METADATA_BYTES, MAX_ROOM_NAME } from '../../../common/limits';
import { codePoints, isBlank } from '../../../common/text';
import type { JsonObject, MemberFields, MessageFields, RoomFields, Time, UserFields } from '../format';
import {
  type AdaptedItem,
  type AdaptedLine,
  bounded,
  type ForeignSource,
  importClientId,
  isTime,
  type Place,
  sourceId,
  sourceMessageId,
  storableText,
  timeText,
} from './adapter';

/** A message of another system. */
export interface ForeignMessage {
  readonly place: Place;
  readonly bytes: number;
  /** Unique in its room. */
  readonly id: string;
  readonly sender: string;
  /** `system`: the other system wrote it because the sender did something. */
  readonly role: 'user' | 'system';
  /** Milliseconds since 1970. */
  readonly timeMs: number;
  /** '' where it was deleted. */
  readonly content: string;
  readonly meta: JsonObject | null;
  /** Id of the message that it answers. */
  readonly parentId: string | undefined;
  /** Others answer it. */
  readonly isParent: boolean;
  readonly editedMs: number | undefined;
  readonly deletedMs: number | undefined;
}

/** A room of another system. */
export interface ForeignRoom {
  readonly source: ForeignSource;
  readonly place: Place;
  /** Unique among the rooms of the source. */
  readonly id: string;
  readonly type: 'dm' | 'group' | 'channel';
  readonly name: string | undefined;
  /** Has one field, named as the source: what of it may be cut where it is too large. */
  readonly metadata: JsonObject;
  readonly isReadOnly: boolean;
  /** In the order in which they joined. A dm has two. */
  readonly members: readonly ForeignMember[];
  readonly createdMs: number | undefined;
}

export interface ForeignMember {
  readonly userId: string;
  readonly isAdmin: boolean;
  readonly joinedMs: number | undefined;
}

/** What is only known when all messages of a room were seen; the room's line needs it before the first. */
export interface RoomTally {
  readonly messages: number;
  readonly firstMs: number | undefined;
  readonly lastMs: number | undefined;
}

/** Nobody knows when. */
const UNKNOWN_MS = 0;
const SHOWN = 60;

export function roomIdOf(room: Pick<ForeignRoom, 'source' | 'id'>): string {
  return sourceId('room', room.source, room.id);
}

/** The line of a user. @param createdAt undefined where nobody knows */
export function userLine(
  userId: string,
  profile: JsonObject,
  createdAt: Time | undefined,
): UserFields & { readonly kind: 'user' } {
  return {
    kind: 'user',
    user_id: userId,
    profile,
    created_at: createdAt ?? timeText(UNKNOWN_MS),
    last_seen_at: null,
    first_socket_at: null,
    legal_hold: false,
  };
}

function roomLine(room: ForeignRoom, tally: RoomTally): RoomFields & { kind: 'room' } {
  const [a = '', b = ''] = room.members.map(({ userId }) => userId).sort();
  const createdMs = createdOf(room, tally);
  const name = room.type === 'dm' ? undefined : room.name;
  return {
    kind: 'room',
    room_id: roomIdOf(room),
    type: room.type,
    unique_key: room.type === 'dm' ? `dm:${a}:${b}` : null,
    name: name === undefined || isBlank(name) ? null : [...name].slice(0, MAX_ROOM_NAME).join(''),
    metadata: bounded(room.metadata, room.source, MAX_METADATA_BYTES),
    posting: room.isReadOnly && room.type !== 'dm' ? 'admins' : 'members',
    first_seq: 1,
    last_seq: tally.messages,
    first_rev: 0,
    last_rev: tally.messages,
    members_added: room.members.length,
    retention_days: null,
    legal_hold: false,
    last_message_at: tally.lastMs === undefined ? null : timeText(tally.lastMs),
    created_at: timeText(createdMs),
    updated_at: timeText(createdMs),
  };
}

/** When the room was made: not after its first message, which is what some exports say. */
function createdOf({ createdMs }: ForeignRoom, { firstMs }: RoomTally): number {
  if (createdMs === undefined) return firstMs ?? UNKNOWN_MS;
  return Math.min(createdMs, firstMs ?? createdMs);
}

function memberLines(room: ForeignRoom, tally: RoomTally): (MemberFields & { kind: 'member' })[] {
  const hasAdmin = room.members.some(({ isAdmin }) => isAdmin);
  const createdMs = createdOf(room, tally);
  const lines = room.members.map(({ userId, isAdmin, joinedMs }, i) => ({
    kind: 'member' as const,
    room_id: roomIdOf(room),
    user_id: userId,
    // Every room but a dm has somebody who may change it.
    role: room.type !== 'dm' && (isAdmin || (!hasAdmin && i === 0)) ? ('admin' as const) : ('member' as const),
    member_no: i + 1,
    joined_seq: 0,
    joined_at: timeText(Math.max(createdMs, joinedMs ?? createdMs)),
  }));
  return lines.sort((a, b) => (a.user_id < b.user_id ? -1 : 1));
}

/**
 * The messages of a room as lines, with seq 1, 2, 3 …
 *
 * Times never fall as seq rises: retention finds where to cut by halving. One that is older than what came before it, and
 * one that has no time, is a fault, and is left out.
 * @param messages by time
 */
export async function* messageLines(
  room: ForeignRoom,
  messages: AsyncIterable<ForeignMessage | Exclude<AdaptedItem, AdaptedLine>>,
): AsyncGenerator<AdaptedItem, void, undefined> {
  /** seq of messages that are answered, by their id. */
  const parents = new Map<string, number>();
  let seq = 0;
  let lastMs = -Infinity;
  for await (const message of messages) {
    if ('fault' in message) {
      yield message;
      continue;
    }
    const { place, timeMs, bytes } = message;
    if (!isTime(timeMs))
      yield { ...place, fault: `message ${message.id.slice(0, SHOWN)} has a time that there is not` };
    else if (timeMs < lastMs)
      yield { ...place, fault: `message ${message.id.slice(0, SHOWN)} is older than one that stands before it` };
    else {
      lastMs = timeMs;
      if (message.isParent) parents.set(message.id, seq + 1);
      const answered = message.parentId === undefined ? undefined : parents.get(message.parentId);
      for (const [i, content] of partsOf(message.content).entries()) {
        seq++;
        yield { ...place, bytes, value: messageLine(room, message, { seq, content, answered, part: i }) };
      }
    }
  }
}

interface Numbered {
  readonly seq: number;
  readonly content: string;
  /** seq of the message that it answers. */
  readonly answered: number | undefined;
  /** From 0: of a text that is too long for one message. */
  readonly part: number;
}

function messageLine(
  room: ForeignRoom,
  message: ForeignMessage,
  numbered: Numbered,
): MessageFields & { kind: 'message' } {
  const { seq, content, answered, part } = numbered;
  const { source } = room;
  const id = [room.id, message.id, ...(part === 0 ? [] : [String(part)])];
  const isDeleted = message.deletedMs !== undefined;
  const meta = { ...message.meta, ...(answered === undefined ? {} : { reply_to_seq: answered }) };
  return {
    kind: 'message',
    room_id: roomIdOf(room),
    seq,
    rev: seq,
    message_id: sourceMessageId(source, message.timeMs, ...id),
    sender_id: message.sender,
    role: message.role,
    content: isDeleted ? '' : content,
    meta: isDeleted || Object.keys(meta).length === 0 ? null : bounded(meta, source, MAX_META_BYTES),
    client_message_id: importClientId(source, ...id),
    status: null,
    reply_to_seq: null,
    created_at: timeText(message.timeMs),
    edited_at: isDeleted ? null : laterText(message.editedMs, message.timeMs),
    deleted_at: laterText(message.deletedMs, message.timeMs),
  };
}

/** A time of a change; not before the message itself. */
function laterText(ms: number | undefined, least: number): string | null {
  if (ms === undefined) return null;
  return timeText(isTime(ms) ? Math.max(ms, least) : least);
}

/** A text as messages that each are no longer than one may be; '' is one, of a message that was deleted. */
function partsOf(content: string): readonly string[] {
  const text = storableText(content);
  if (codePoints(text) <= MAX_CONTENT) return [text];
  const characters = [...text];
  const parts: string[] = [];
  for (let from = 0; from < characters.length; from += MAX_CONTENT) {
    const part = characters.slice(from, from + MAX_CONTENT).join('');
    if (!isBlank(part)) parts.push(part);
  }
  return parts;
}

/** Counts messages as `messageLines` yields them, and notes when each sender wrote first. */
export class MessageCount implements RoomTally {
  messages = 0;
  firstMs: number | undefined;
  lastMs: number | undefined;

  add({ value }: AdaptedLine, firstSeen: Map<string, Time>): void {
    if (value.kind !== 'message') return;
    this.messages++;
    this.lastMs = Date.parse(value.created_at);
    this.firstMs ??= this.lastMs;
    const known = firstSeen.get(value.sender_id);
    if (known === undefined || value.created_at < known) firstSeen.set(value.sender_id, value.created_at);
  }
}

/** The lines of a room: itself, its members, its messages. @param messages by time */
export async function* roomLines(
  room: ForeignRoom,
  tally: RoomTally,
  messages: AsyncIterable<ForeignMessage | Exclude<AdaptedItem, AdaptedLine>>,
): AsyncGenerator<AdaptedItem, void, undefined> {
  const { place } = room;
  yield { ...place, bytes: 0, value: roomLine(room, tally) };
  for (const value of memberLines(room, tally)) yield { ...place, bytes: 0, value };
  yield* messageLines(room, messages);
}
