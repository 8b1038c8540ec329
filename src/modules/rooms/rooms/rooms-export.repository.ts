import { Injectable } from '@nestjs/common';
import type { Snapshot } from '../../../platform/database';
import { type ExportPages, TenantExport, UserExport, withIds } from '../../../platform/tenant-data';

interface InRoom {
  readonly room_id: string;
}

const OF_ROOM = { room_id: 'room' } as const;

/** What exports hold of rooms that are there, of who is in them, and of their changes that they keep. */
@Injectable()
export class RoomsExportRepository {
  @TenantExport('room')
  rooms(snapshot: Snapshot): ExportPages {
    return withIds(
      snapshot.pages<InRoom>(
        `SELECT room_id, type, unique_key, name, metadata, posting, first_seq, last_seq, first_rev, last_rev, members_added,
           retention_days, legal_hold, last_message_at, created_at, updated_at
         FROM rooms WHERE tenant_id = $1 AND deleted_at IS NULL ORDER BY room_id`,
        [snapshot.tenantId],
      ),
      OF_ROOM,
    );
  }

  @TenantExport('member')
  members(snapshot: Snapshot, roomId: string): ExportPages {
    return withIds(
      snapshot.pages<InRoom>(
        `SELECT room_id, user_id, role, member_no, joined_seq, joined_at
         FROM room_members WHERE tenant_id = $1 AND room_id = $2 ORDER BY user_id`,
        [snapshot.tenantId, roomId],
      ),
      OF_ROOM,
    );
  }

  @TenantExport('event')
  events(snapshot: Snapshot, roomId: string): ExportPages {
    return withIds(
      snapshot.pages<InRoom>(
        `SELECT room_id, rev, type, payload, created_at FROM room_events WHERE tenant_id = $1 AND room_id = $2
           AND rev > (SELECT k.first_rev FROM room_keeps($1, $2) k) ORDER BY rev`,
        [snapshot.tenantId, roomId],
      ),
      OF_ROOM,
    );
  }

  @UserExport('membership')
  memberships(snapshot: Snapshot, userId: string): ExportPages {
    return withIds(
      snapshot.pages<InRoom>(
        `SELECT m.room_id, r.type, r.name, m.role, m.joined_seq, m.joined_at, s.muted_until,
           COALESCE(s.is_hidden, false) AS hidden, COALESCE(s.is_favourite, false) AS favourite,
           COALESCE(s.notify, 'all') AS notify
         FROM room_members m JOIN rooms r ON r.tenant_id = m.tenant_id AND r.room_id = m.room_id
         LEFT JOIN member_settings s
           ON s.tenant_id = m.tenant_id AND s.room_id = m.room_id AND s.user_id = m.user_id
         WHERE m.tenant_id = $1 AND m.user_id = $2 AND r.deleted_at IS NULL ORDER BY m.room_id`,
        [snapshot.tenantId, userId],
      ),
      OF_ROOM,
    );
  }
}
