import { Injectable } from '@nestjs/common';
import { encodeId } from '../../../common/ids';
import type { PageRequest } from '../../../common/limits';
import { Database } from '../../../platform/database';
import { Jobs, type NewJob } from '../../../platform/jobs';
import type { NotificationDeliveryEntity, NotificationEntity } from '../entities/notification.entity';
import { notificationSpread, type SpreadBatch } from './notifications.functions';

/** What a client sees of a notification. */
export type NotificationRow = Readonly<
  Pick<NotificationEntity, 'notification_id' | 'topic' | 'payload' | 'created_at'>
>;

export type InboxRow = NotificationRow & Readonly<Pick<NotificationDeliveryEntity, 'delivered_at' | 'read_at'>>;

const COLUMNS = 'n.notification_id, n.topic, n.payload, n.created_at';

/** Notifications of one tenant. */
@Injectable()
export class NotificationsRepository {
  constructor(
    private readonly database: Database,
    private readonly jobs: Jobs,
  ) {}

  /** Newest first. */
  inbox(tenantId: string, userId: string, page: PageRequest): Promise<InboxRow[]> {
    return this.database.query<InboxRow>(
      'inbox',
      tenantId,
      `SELECT ${COLUMNS}, d.delivered_at, d.read_at FROM (
         SELECT x.* FROM notification_deliveries x WHERE x.tenant_id = $1 AND x.user_id = $2
         ORDER BY x.notification_id DESC LIMIT $3 OFFSET $4) d
       JOIN notifications n ON n.tenant_id = $1 AND n.notification_id = d.notification_id
       ORDER BY d.notification_id DESC`,
      [tenantId, userId, page.limit, page.offset],
    );
  }

  async counts(tenantId: string, userId: string): Promise<{ total: number; unread: number }> {
    const [row] = await this.database.query<{ total: number; unread: number }>(
      'inbox counts',
      tenantId,
      `SELECT (SELECT count(*) FROM notification_deliveries d WHERE d.tenant_id = $1 AND d.user_id = $2) AS total,
         (SELECT count(*) FROM notification_deliveries d
           WHERE d.tenant_id = $1 AND d.user_id = $2 AND d.read_at IS NULL) AS unread`,
      [tenantId, userId],
    );
    return row ?? { total: 0, unread: 0 };
  }

  /**
   * What waits for a user, oldest first.
   * @param after the last one of the page before; null for the first page
   * @param withDead also what was given up, as on connect
   */
  pending(
    tenantId: string,
    userId: string,
    after: string | null,
    withDead: boolean,
    limit: number,
  ): Promise<NotificationRow[]> {
    return this.database.query<NotificationRow>(
      'pending notifications',
      tenantId,
      `SELECT ${COLUMNS} FROM (
         SELECT d.notification_id FROM notification_deliveries d WHERE d.tenant_id = $1 AND d.user_id = $2
           AND d.delivered_at IS NULL AND d.notification_id > $3 AND ($4 OR (d.dead_at IS NULL AND NOT d.dropped))
         ORDER BY d.notification_id LIMIT $5) d
       JOIN notifications n ON n.tenant_id = $1 AND n.notification_id = d.notification_id
       ORDER BY d.notification_id`,
      [tenantId, userId, after ?? '00000000-0000-0000-0000-000000000000', withDead, limit],
    );
  }

  /** Those of a user's notifications that still wait and were not given up. */
  stillPending(tenantId: string, userId: string, ids: readonly string[]): Promise<NotificationRow[]> {
    return this.database.query<NotificationRow>(
      'unacknowledged notifications',
      tenantId,
      `SELECT ${COLUMNS} FROM notification_deliveries d
       JOIN notifications n ON n.tenant_id = $1 AND n.notification_id = d.notification_id
       WHERE d.tenant_id = $1 AND d.user_id = $2 AND d.notification_id = ANY ($3::uuid[])
         AND d.delivered_at IS NULL AND d.dead_at IS NULL AND NOT d.dropped ORDER BY d.notification_id`,
      [tenantId, userId, ids],
    );
  }

  /** Stores the deliveries of the next targets; undefined when there is no such notification. */
  async spread(tenantId: string, notificationId: string, limit: number): Promise<SpreadBatch | undefined> {
    const args = { p_id: notificationId, p_limit: limit };
    const batch = await notificationSpread.call(this.database, tenantId, args);
    return batch ?? undefined;
  }

  /** The targets up to this user id are done; what has to be done for the offline ones is stored with it. */
  async advance(tenantId: string, notificationId: string, last: string, jobs: readonly NewJob[]): Promise<void> {
    await this.database.transaction('advance notification', tenantId, async (sql) => {
      await sql.query(
        `UPDATE notifications SET fanned_to = $3 WHERE tenant_id = $1 AND notification_id = $2 AND fanned_to < $3`,
        [tenantId, notificationId, last],
      );
      await this.jobs.enqueue(sql, tenantId, jobs);
    });
    if (jobs.length > 0) this.jobs.wake();
  }
}

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

  /** A notification, and which of the users have not got it; undefined when there is no such notification. */
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
