import { Injectable } from '@nestjs/common';
import type { Snapshot } from '../../../platform/database';
import { type ExportPages, TenantExport, UserExport, withIds } from '../../../platform/tenant-data';

interface Told {
  readonly notification_id: string;
  readonly room_id: string | null;
}

/** What exports hold of notifications and subscriptions. */
@Injectable()
export class NotificationsExportRepository {
  @TenantExport('subscription')
  subscriptions(snapshot: Snapshot): ExportPages {
    return withIds(
      snapshot.pages<{ subscription_id: string }>(
        `SELECT subscription_id, user_id, topic, created_at FROM subscriptions WHERE tenant_id = $1 ORDER BY subscription_id`,
        [snapshot.tenantId],
      ),
      { subscription_id: 'subscription' },
    );
  }

  @UserExport('subscription')
  ofUser(snapshot: Snapshot, userId: string): ExportPages {
    return withIds(
      snapshot.pages<{ subscription_id: string }>(
        `SELECT subscription_id, user_id, topic, created_at FROM subscriptions WHERE tenant_id = $1 AND user_id = $2
         ORDER BY subscription_id`,
        [snapshot.tenantId, userId],
      ),
      { subscription_id: 'subscription' },
    );
  }

  /** Who else was told is theirs. */
  @UserExport('notification')
  notifications(snapshot: Snapshot, userId: string): ExportPages {
    return withIds(
      snapshot.pages<Told>(
        `SELECT n.notification_id, n.topic, n.room_id, n.payload, n.created_at, d.delivered_at, d.read_at
         FROM notification_deliveries d
         JOIN notifications n ON n.tenant_id = d.tenant_id AND n.notification_id = d.notification_id
         WHERE d.tenant_id = $1 AND d.user_id = $2 ORDER BY d.notification_id`,
        [snapshot.tenantId, userId],
      ),
      { notification_id: 'notification', room_id: 'room' },
    );
  }
}
