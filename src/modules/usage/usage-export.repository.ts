import { Injectable } from '@nestjs/common';
import type { Snapshot } from '../../platform/database';
import { type ExportPages, UserExport } from '../../platform/tenant-data';

const COLUMNS = ['messages_sent', 'runs', 'prompt_tokens', 'completion_tokens', 'estimated_tokens'].join(', ');

/** What exports hold of what users have used. */
@Injectable()
export class UsageExportRepository {
  @UserExport('usage')
  usage(snapshot: Snapshot, userId: string): ExportPages {
    return snapshot.pages(
      `SELECT day::text AS day, ${COLUMNS} FROM usage_users WHERE tenant_id = $1 AND user_id = $2 ORDER BY usage_users.day`,
      [snapshot.tenantId, userId],
    );
  }
}
