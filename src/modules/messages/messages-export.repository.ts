import { Injectable } from '@nestjs/common';
import type { Snapshot } from '../../platform/database';
import { type ExportPages, TenantExport, UserExport, withIds } from '../../platform/tenant-data';

/** An answer of a model is bound by its own id, which no client is shown. */
const COLUMNS = `m.room_id, m.seq, m.rev, m.message_id, m.sender_id, m.kind AS role, m.content, m.meta,
  NULLIF(m.client_message_id, m.message_id::text) AS client_message_id, m.status, m.reply_to_seq,
  m.created_at, m.edited_at, m.deleted_at`;

interface Ids {
  readonly room_id: string;
  readonly message_id: string;
}

const IDS = { room_id: 'room', message_id: 'message' } as const;

/** What exports hold of the log: what its rooms keep, deleted messages as tombstones. */
@Injectable()
export class MessagesExportRepository {
  @TenantExport('message')
  messages(snapshot: Snapshot, roomId: string): ExportPages {
    return withIds(
      snapshot.pages<Ids>(
        `SELECT ${COLUMNS} FROM messages m WHERE m.tenant_id = $1 AND m.room_id = $2
           AND m.seq >= (SELECT k.first_seq FROM room_keeps($1, $2) k) ORDER BY m.seq`,
        [snapshot.tenantId, roomId],
      ),
      IDS,
    );
  }

  /** Passes over the whole log of the tenant: rooms that the user has left, and deleted ones, have theirs too. */
  @UserExport('message')
  ofSender(snapshot: Snapshot, userId: string): ExportPages {
    return withIds(
      snapshot.pages<Ids>(
        `SELECT ${COLUMNS} FROM messages m WHERE m.tenant_id = $1 AND m.sender_id = $2
           AND m.seq >= (SELECT k.first_seq FROM room_keeps($1, m.room_id) k) ORDER BY m.room_id, m.seq`,
        [snapshot.tenantId, userId],
      ),
      IDS,
    );
  }

  @UserExport('reaction')
  reactionsOf(snapshot: Snapshot, userId: string): ExportPages {
    return withIds(
      snapshot.pages<{ readonly room_id: string }>(
        `SELECT x.room_id, x.seq, x.key, x.created_at FROM message_reactions x WHERE x.tenant_id = $1 AND x.user_id = $2
           AND x.seq >= (SELECT k.first_seq FROM room_keeps($1, x.room_id) k) ORDER BY x.room_id, x.seq, x.key`,
        [snapshot.tenantId, userId],
      ),
      { room_id: 'room' } as const,
    );
  }

  /** What their messages said before they were edited, as far as that is kept. */
  @UserExport('version')
  versionsOf(snapshot: Snapshot, userId: string): ExportPages {
    return withIds(
      snapshot.pages<{ room_id: string }>(
        `SELECT v.room_id, v.seq, v.rev, v.content, v.meta, v.said_at FROM message_versions v
         JOIN messages m ON m.tenant_id = v.tenant_id AND m.room_id = v.room_id AND m.seq = v.seq
         WHERE v.tenant_id = $1 AND m.sender_id = $2 AND m.seq >= (SELECT k.first_seq FROM room_keeps($1, m.room_id) k)
         ORDER BY v.room_id, v.seq, v.rev`,
        [snapshot.tenantId, userId],
      ),
      { room_id: 'room' },
    );
  }
}
