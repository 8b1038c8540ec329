import { encodeId } from '../../common/ids';
import { isoTime } from '../../common/time';
import type { MessageDto } from './dto/message.dto';

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
  };
}

/** An answer of a model is bound by its own id, which is nobody's to see: no client has sent it. */
export function clientMessageId({ client_message_id: id, message_id: own }: MessageRow): string | null {
  return id === own ? null : id;
}
