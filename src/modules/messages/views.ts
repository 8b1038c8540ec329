import { encodeId } from '../../common/ids';
import { PREVIEW_READ } from '../../common/text';
import { isoTime } from '../../common/time';
import type { Frame } from '../../realtime';
import { type RoomJson, roomUpdated } from '../rooms';
import type { NewMessage, Stored } from './appender/item';
import type { ReactionCount } from './entities/message-state.entity';
import { isState, stateFrame } from './states/state-frames';
import type { MessageDto } from './dto/message.dto';

/** What every API shows of a message; of the table `m`, in the order that unions rely on. */
export const MESSAGE_COLUMNS = `m.message_id, m.room_id, m.seq, m.rev, m.sender_id, m.content, m.meta,
  m.client_message_id, m.created_at, m.edited_at, m.deleted_at`;

/** With the beginning of the content only: an answer may have a megabyte. */
export const PREVIEW_COLUMNS = MESSAGE_COLUMNS.replace('m.content', `left(m.content, ${PREVIEW_READ}) AS content`);

/** With `meta` as the text that frames are made of: it is written on as it is. */
export const FRAME_COLUMNS = MESSAGE_COLUMNS.replace('m.meta', 'm.meta::text AS meta');

/** In place of FRAME_COLUMNS from `content` on, for rows of a union that are no messages. */
export const NO_CONTENT = 'NULL::text, NULL::text, NULL::text, NULL::timestamptz, NULL::timestamptz, NULL::timestamptz';

/** With what only a chat with a model shows. */
export const CHAT_COLUMNS = `${MESSAGE_COLUMNS}, m.kind, m.status, m.reply_to_seq`;

/** What changes of a message on its own, as message_states gives it. */
export interface MessageStates {
  /** Of the last change of any. */
  readonly rev: number;
  /** Fields of the message object. */
  readonly shown: { readonly reactions: readonly ReactionCount[]; readonly reactions_rev: number };
}

/** A message as a query or message_json gives it. */
export interface MessageRow {
  readonly message_id: string;
  readonly room_id: string;
  readonly seq: number;
  readonly rev: number;
  readonly sender_id: string;
  readonly content: string;
  /** An object from a column, text from message_json (where jsonb would lose the order of the keys). */
  readonly meta: Record<string, unknown> | string | null;
  readonly client_message_id: string | null;
  readonly created_at: string | Date;
  readonly edited_at: string | Date | null;
  readonly deleted_at: string | Date | null;
  /** Text from message_states, an object from message_json. */
  readonly states?: MessageStates | string | null;
}

/** The revision of a message's last change, its states among what changes. */
export function changedRev({ rev, states }: Pick<MessageRow, 'rev' | 'states'>): number {
  if (typeof states === 'string') return Math.max(rev, Number.parseInt(states.slice(STATES_HEAD.length), 10));
  return Math.max(rev, states?.rev ?? 0);
}

/** What message_states begins with, and what stands before the fields of the message object in it. */
const STATES_HEAD = '{"rev":';
const STATES_SHOWN = ',"shown":{';

export function statesOf({ states }: Pick<MessageRow, 'states'>): MessageStates | undefined {
  return typeof states === 'string' ? (JSON.parse(states) as MessageStates) : (states ?? undefined);
}

/** The fields of the message object that show states, with the comma before them, and the brace that ends it. */
function shownText({ states }: MessageRow): string {
  if (typeof states === 'string') return `,${states.slice(states.indexOf(STATES_SHOWN) + STATES_SHOWN.length, -1)}`;
  return states ? `,${JSON.stringify(states.shown).slice(1)}` : '}';
}

/** A new message as its row will be read. */
export function rowOf(message: NewMessage, stored: Stored): MessageRow {
  return {
    message_id: stored.messageId,
    room_id: message.roomId,
    seq: stored.seq,
    rev: stored.rev,
    sender_id: message.senderId,
    content: message.content,
    meta: message.metaText,
    client_message_id: message.clientMessageId,
    created_at: stored.createdAt,
    edited_at: null,
    deleted_at: null,
  };
}

/** The message object of the contract. */
export function messageView(row: MessageRow): MessageDto {
  return {
    message_id: encodeId('message', row.message_id),
    room_id: encodeId('room', row.room_id),
    seq: row.seq,
    rev: row.rev,
    sender_id: row.sender_id,
    content: row.content,
    meta: typeof row.meta === 'string' ? (JSON.parse(row.meta) as Record<string, unknown>) : row.meta,
    client_message_id: clientMessageId(row),
    created_at: isoTime(row.created_at),
    edited_at: row.edited_at === null ? null : isoTime(row.edited_at),
    deleted_at: row.deleted_at === null ? null : isoTime(row.deleted_at),
    ...statesOf(row)?.shown,
  };
}

/** An answer of a model is bound by its own id, which no client is shown: none has sent it. */
export function clientMessageId({ client_message_id: id, message_id: own }: MessageRow): string | null {
  return id === own ? null : id;
}

/** A message as connected members get it; one that is deleted by now is a tombstone, as in lists. */
export function messageFrame(row: MessageRow): Frame {
  return { type: 'message', ...messageView(row) };
}

const FRAME_HEAD = '{"type":"message",';
/** Its states alone come behind it. */
const LAST_FIELD = '"deleted_at":';

/** The JSON of messageFrame without parsing and writing meta again, where that is text already. */
export function messageText(row: MessageRow): string {
  const text = (value: string | null): string => JSON.stringify(value);
  const time = (value: string | Date | null): string => (value === null ? 'null' : `"${isoTime(value)}"`);
  const meta = typeof row.meta === 'string' ? row.meta : JSON.stringify(row.meta);
  return (
    `${FRAME_HEAD}"message_id":"${encodeId('message', row.message_id)}",` +
    `"room_id":"${encodeId('room', row.room_id)}","seq":${row.seq},"rev":${row.rev},` +
    `"sender_id":${text(row.sender_id)},"content":${text(row.content)},"meta":${meta},` +
    `"client_message_id":${text(clientMessageId(row))},"created_at":${time(row.created_at)},` +
    `"edited_at":${time(row.edited_at)},${LAST_FIELD}${time(row.deleted_at)}` +
    shownText(row)
  );
}

/** Whether a text of messageText shows states. Behind its last field no text of a client stands that is not quoted. */
export function showsStates(frame: string): boolean {
  return frame.indexOf(',', frame.lastIndexOf(LAST_FIELD)) > 0;
}

/** The same text with `mine` at those reactions that one user has given, who alone gets it. */
export function withMine(frame: string, keys: ReadonlySet<string>): string {
  const from = frame.indexOf(',', frame.lastIndexOf(LAST_FIELD));
  const shown = JSON.parse(`{${frame.slice(from + 1)}`) as MessageStates['shown'];
  return `${frame.slice(0, from + 1)}${JSON.stringify(markMine(shown, keys)).slice(1)}`;
}

/** Of the fields that show states: those of one user. */
export function markMine<S extends { readonly reactions?: readonly ReactionCount[] | undefined }>(
  shown: S,
  keys: ReadonlySet<string> | undefined,
): S {
  if (shown.reactions === undefined || keys === undefined) return shown;
  return { ...shown, reactions: shown.reactions.map((each) => (keys.has(each.key) ? { ...each, mine: true } : each)) };
}

/** The JSON of an array of message objects, from the texts of their `message` frames (messageText). */
export function listText(frames: readonly string[]): string {
  let text = '[';
  // Concatenated: an array and its join cost as much again.
  for (const frame of frames) text += `${text === '[' ? '{' : ',{'}${frame.slice(FRAME_HEAD.length)}`;
  return `${text}]`;
}

/** An edit or a deletion of a message that was delivered before. */
export function messageChangeFrame(row: MessageRow): Frame {
  const message = messageView(row);
  if (message.deleted_at === null) return { type: 'message.updated', ...message };
  const { room_id, message_id, seq, rev, deleted_at } = message;
  return { type: 'message.deleted', room_id, message_id, seq, rev, deleted_at };
}

/** A change that is no message, from its payload in the log: of the room, or what a state of a message is now. */
export function roomEventFrame(roomId: string, rev: number, type: string, payload: Record<string, unknown>): Frame {
  if (isState(type)) return stateFrame(roomId, rev, type, payload);
  const room_id = encodeId('room', roomId);
  if (type === 'room.updated') return { ...roomUpdated(rev, payload as unknown as RoomJson) };
  if (type === 'room.deleted') return { type, room_id, rev };
  return { ...payload, type, room_id, rev };
}
