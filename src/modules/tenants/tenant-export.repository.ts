import { Injectable } from '@nestjs/common';
import type { Snapshot } from '../../platform/database';
import { type ExportPages, TenantExport, UserExport } from '../../platform/tenant-data';
import { WebhookRows } from './webhook-settings';

/** What exports hold of a tenant itself, and of its users. */
@Injectable()
export class TenantExportRepository {
  constructor(private readonly webhooks: WebhookRows) {}

  @TenantExport('tenant')
  async *tenant(snapshot: Snapshot): ExportPages {
    const text = 'SELECT name, settings, limits FROM tenants WHERE tenant_id = $1';
    const rows = await snapshot.query(text, [snapshot.tenantId]);
    const webhook = await this.webhooks.shownIn(snapshot, snapshot.tenantId);
    yield rows.map((row) => ({ ...row, webhook }));
  }

  @TenantExport('user')
  users(snapshot: Snapshot): ExportPages {
    return snapshot.pages(
      `SELECT user_id, profile, created_at, last_seen_at, first_socket_at, legal_hold
       FROM users WHERE tenant_id = $1 ORDER BY user_id`,
      [snapshot.tenantId],
    );
  }

  /** A legal hold is nothing that the person is told. */
  @UserExport('profile')
  profile(snapshot: Snapshot, userId: string): ExportPages {
    return snapshot.pages(
      `SELECT user_id, profile, created_at, last_seen_at, first_socket_at
       FROM users WHERE tenant_id = $1 AND user_id = $2`,
      [snapshot.tenantId, userId],
    );
  }
}
