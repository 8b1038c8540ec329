import { encodeId } from '../../../common/ids';
import { isoTime } from '../../../common/time';
import type { Frame, RoomEvent } from '../../../realtime';
import { type RoomJson, roomUpdated } from '../../rooms';
import { clientMessageId, type MessageRow, messageView } from '../views';
import type { LogRow } from './merge';

/** A row of the log as the feed delivers it. */
export function eventOf(tenantId: string, roomId: string, row: LogRow): RoomEvent {
  const event = { tenantId, roomId, rev: row.rev, frame: () => frameOf(roomId, row) };
  if (row.kind === 'new' && row.seq !== null) {
    const message = (row.payload ?? {}) as unknown as MessageRow;
    return { ...event, seq: row.seq, messageId: message.message_id, again: () => messageChangeFrame(message) };
  }
  const user = row.payload?.['user_id'];
  if (row.type === 'member.joined' && typeof user === 'string') return { ...event, joins: user };
  if (row.type === 'member.left' && typeof user === 'string') return { ...event, leaves: user };
  if (row.type === 'room.deleted') return { ...event, ends: true };
  return event;
}

/** A message as everybody who is there gets it; one that is deleted by now is a tombstone, as in lists. */
export function messageFrame(row: MessageRow): Frame {
  return { type: 'message', ...messageView(row) };
}

/** The JSON of messageFrame without parsing and writing meta again, where that is text already. */
export function messageText(row: MessageRow): string {
  const text = (value: string | null): string => JSON.stringify(value);
  const time = (value: string | Date | null): string => (value === null ? 'null' : `"${isoTime(value)}"`);
  const meta = typeof row.meta === 'string' ? row.meta : JSON.stringify(row.meta);
  return (
    `{"type":"message","message_id":"${encodeId('message', row.message_id)}",` +
    `"room_id":"${encodeId('room', row.room_id)}","seq":${row.seq},"rev":${row.rev},` +
    `"sender_id":${text(row.sender_id)},"content":${text(row.content)},"meta":${meta},` +
    `"client_message_id":${text(clientMessageId(row))},"created_at":${time(row.created_at)},` +
    `"edited_at":${time(row.edited_at)},"deleted_at":${time(row.deleted_at)}}`
  );
}

/** An edit or a deletion of a message that was delivered before. */
export function messageChangeFrame(row: MessageRow): Frame {
  const message = messageView(row);
  if (message.deleted_at === null) return { type: 'message.updated', ...message };
  const { room_id, message_id, seq, rev, deleted_at } = message;
  return { type: 'message.deleted', room_id, message_id, seq, rev, deleted_at };
}

/** A change that is no message, from its payload in the log. */
export function roomEventFrame(roomId: string, rev: number, type: string, payload: Record<string, unknown>): Frame {
  const room_id = encodeId('room', roomId);
  if (type === 'room.updated') return { ...roomUpdated(rev, payload as unknown as RoomJson) };
  if (type === 'room.deleted') return { type, room_id, rev };
  return { ...payload, type, room_id, rev };
}

function frameOf(roomId: string, { kind, rev, type, payload }: LogRow): Frame {
  const content = payload ?? {};
  if (kind === 'new') return messageFrame(content as unknown as MessageRow);
  if (kind === 'changed') return messageChangeFrame(content as unknown as MessageRow);
  return roomEventFrame(roomId, rev, type ?? '', content);
}
