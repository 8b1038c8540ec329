import { Injectable } from '@nestjs/common';
import { encodeId } from '../../../common/ids';
import { Database } from '../../../platform/database';

interface WaitingRow {
  readonly topic: string;
  readonly payload: Record<string, unknown>;
  readonly created_at: Date;
  readonly user_ids: string[];
}

/** A notification as a client sees it. */
export interface NotificationView {
  readonly notification_id: string;
  readonly topic: string;
  readonly payload: Readonly<Record<string, unknown>>;
  readonly created_at: string;
}

/** Notifications as the server's own work sees them: no caller, one tenant. */
@Injectable()
export class NotificationFacts {
  constructor(private readonly database: Database) {}

  /** A notification, and those of the users who have not got it; undefined when there is no such notification. */
  async waiting(
    tenantId: string,
    notificationId: string,
    userIds: readonly string[],
  ): Promise<{ readonly notification: NotificationView; readonly userIds: readonly string[] } | undefined> {
    const [row] = await this.database.query<WaitingRow>(
      'waiting notification',
      tenantId,
      `SELECT n.topic, n.payload, n.created_at, ARRAY(
         SELECT d.user_id FROM unnest($3::text[]) WITH ORDINALITY u(user_id, place), LATERAL (
           SELECT x.user_id FROM notification_deliveries x WHERE x.tenant_id = $1 AND x.user_id = u.user_id
             AND x.notification_id = $2 AND x.delivered_at IS NULL OFFSET 0) d ORDER BY u.place) AS user_ids
       FROM notifications n WHERE n.tenant_id = $1 AND n.notification_id = $2`,
      [tenantId, notificationId, userIds],
    );
    if (row === undefined) return undefined;
    const { topic, payload, created_at, user_ids } = row;
    const id = encodeId('notification', notificationId);
    return {
      notification: { notification_id: id, topic, payload, created_at: created_at.toISOString() },
      userIds: user_ids,
    };
  }
}
