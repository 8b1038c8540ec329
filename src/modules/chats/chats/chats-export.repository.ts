import { Injectable } from '@nestjs/common';
import type { Snapshot } from '../../../platform/database';
import { type ExportPages, TenantExport, UserExport, withIds } from '../../../platform/tenant-data';

interface InRoom {
  readonly room_id: string;
}

const OF_ROOM = { room_id: 'room' } as const;

const CHAT = `c.room_id, c.user_id, c.group_id, c.preset, c.auto_title, c.is_active, c.cleared_seq, c.created_at,
  c.active_at, c.external_id`;
const FIGURES = `r.state, r.answer_seq, r.token_count, r.channel, r.model, r.finish_reason, r.prompt_tokens,
  r.completion_tokens, r.total_tokens, r.estimated, r.error_code, r.error_message, r.options, r.created_at, r.started_at,
  r.ended_at, CASE WHEN m.content IS NOT NULL THEN r.reasoning END AS reasoning`;
/** What is held of an answer that was deleted is in no export. */
const SAID = `LEFT JOIN LATERAL message_text_at($1, r.room_id, r.answer_seq) m ON true`;
const ENDED = `r.ended_at IS NOT NULL AND r.reply_to_seq >= (SELECT k.first_seq FROM room_keeps($1, r.room_id) k)`;

/** What exports hold of chats that are there, and of the answers in them that have ended. */
@Injectable()
export class ChatsExportRepository {
  @TenantExport('chat')
  chats(snapshot: Snapshot, roomId: string): ExportPages {
    return withIds(
      snapshot.pages<InRoom>(
        `SELECT ${CHAT} FROM chats c WHERE c.tenant_id = $1 AND c.room_id = $2 AND c.deleted_at IS NULL`,
        [snapshot.tenantId, roomId],
      ),
      OF_ROOM,
    );
  }

  @TenantExport('run')
  runs(snapshot: Snapshot, roomId: string): ExportPages {
    return withIds(
      snapshot.pages<InRoom>(
        `SELECT r.room_id, r.run_id, r.user_id, r.reply_to_seq, ${FIGURES} FROM runs r ${SAID}
         WHERE r.tenant_id = $1 AND r.room_id = $2 AND ${ENDED} ORDER BY r.reply_to_seq, r.created_at, r.run_id`,
        [snapshot.tenantId, roomId],
      ),
      OF_ROOM,
    );
  }

  @UserExport('chat')
  ofUser(snapshot: Snapshot, userId: string): ExportPages {
    return withIds(
      snapshot.pages<InRoom>(
        `SELECT ${CHAT} FROM chats c WHERE c.tenant_id = $1 AND c.user_id = $2 AND c.deleted_at IS NULL
         ORDER BY c.created_at, c.room_id`,
        [snapshot.tenantId, userId],
      ),
      OF_ROOM,
    );
  }

  /** With what the model said, as far as the room keeps it. */
  @UserExport('answer')
  answers(snapshot: Snapshot, userId: string): ExportPages {
    return withIds(
      snapshot.pages<InRoom>(
        `SELECT r.room_id, r.run_id, r.reply_to_seq, m.content, ${FIGURES} FROM chats c
         JOIN runs r ON r.tenant_id = c.tenant_id AND r.room_id = c.room_id
         ${SAID}
         WHERE c.tenant_id = $1 AND c.user_id = $2 AND c.deleted_at IS NULL AND ${ENDED}
         ORDER BY c.created_at, r.room_id, r.reply_to_seq, r.created_at, r.run_id`,
        [snapshot.tenantId, userId],
      ),
      OF_ROOM,
    );
  }
}
