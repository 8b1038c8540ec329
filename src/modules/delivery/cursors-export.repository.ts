import { Injectable } from '@nestjs/common';
import type { Snapshot } from '../../platform/database';
import { type ExportPages, UserExport, withIds } from '../../platform/tenant-data';

/** What exports hold of how far users have got. */
@Injectable()
export class CursorsExportRepository {
  @UserExport('cursor')
  cursors(snapshot: Snapshot, userId: string): ExportPages {
    return withIds(
      snapshot.pages<{ room_id: string }>(
        `SELECT room_id, acked_seq, read_seq, unread_seq, updated_at FROM cursors
         WHERE tenant_id = $1 AND user_id = $2 ORDER BY room_id`,
        [snapshot.tenantId, userId],
      ),
      { room_id: 'room' },
    );
  }
}
