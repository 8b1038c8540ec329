import { Injectable } from '@nestjs/common';
import { invalid, notFound } from '../../../common/errors';
import { decodeId, encodeId, newUuid } from '../../../common/ids';
import { pageInfo, type PageRequest } from '../../../common/limits';
import { isoTime } from '../../../common/time';
import type { Caller } from '../../../platform/auth';
import { Effects } from '../../../platform/idempotency';
import { Jobs } from '../../../platform/jobs';
import type { InboxPageDto, NotifiedDto, NotifyDto } from '../dto/notification.dto';
import { BATCH } from '../delivery/fan-out';
import { Settlements } from '../delivery/deliveries.repository';
import { notificationCreate, notificationRead } from './notifications.functions';
import { type InboxRow, NotificationsRepository } from './notifications.repository';

/** Notifications: sending them, and a user's inbox. */
@Injectable()
export class NotificationsService {
  constructor(
    private readonly repository: NotificationsRepository,
    private readonly effects: Effects,
    private readonly jobs: Jobs,
    private readonly settlements: Settlements,
  ) {}

  /**
   * Stores a notification for the union of its targets; a job tells them.
   * @param notificationId UUID of the new one, for the demo data; otherwise a new one
   * @throws 400 without targets, 404 for a room that the tenant does not have
   */
  async notify(
    caller: Caller,
    { topic, payload, targets }: NotifyDto,
    notificationId = newUuid(),
  ): Promise<NotifiedDto> {
    const users = [...new Set(targets.user_ids ?? [])].sort();
    const { room_id } = targets;
    const toSubscribers = targets.topic_subscribers === true;
    if (users.length === 0 && room_id === undefined && !toSubscribers)
      throw invalid('targets', 'targets must name at least one of user_ids, room_id and topic_subscribers');
    const roomId = room_id === undefined ? null : decodeId('room', room_id);
    if (roomId === undefined) throw notFound('Room');
    const made = await this.effects.call(caller, notificationCreate, {
      p_id: notificationId,
      p_topic: topic,
      p_payload: JSON.stringify(payload),
      p_users: users,
      p_room: roomId,
      p_subscribers: toSubscribers,
      p_limit: BATCH,
    });
    this.jobs.wake();
    return {
      notification_id: encodeId('notification', made.notification_id),
      created_at: isoTime(made.created_at),
    };
  }

  /** The caller's notifications, newest first. */
  async listInbox(caller: Caller, page: PageRequest): Promise<InboxPageDto> {
    const { tenantId, userId } = caller;
    const [rows, { total, unread }] = await Promise.all([
      this.repository.inbox(tenantId, userId, page),
      this.repository.counts(tenantId, userId),
    ]);
    return { notifications: rows.map(inboxView), unread_count: unread, ...pageInfo(page, rows.length, total) };
  }

  /** Marks one of the caller's notifications read, and so delivered. */
  async read(caller: Caller, id: string): Promise<void> {
    const args = { p_user: caller.userId, p_id: notificationUuid(id) };
    await this.effects.call(caller, notificationRead, args);
  }

  /** The caller has this notification; resolves when that is stored. */
  async ack(caller: Caller, id: string): Promise<string> {
    const notificationId = notificationUuid(id);
    const { tenantId, userId } = caller;
    if (!(await this.settlements.delivered({ tenantId, userId, notificationId }))) throw notFound('Notification');
    return notificationId;
  }
}

/** The UUID behind a notification's id; a malformed id is a notification that does not exist. */
function notificationUuid(id: string): string {
  const uuid = decodeId('notification', id);
  if (uuid === undefined) throw notFound('Notification');
  return uuid;
}

function inboxView(row: InboxRow): InboxPageDto['notifications'][number] {
  return {
    notification_id: encodeId('notification', row.notification_id),
    topic: row.topic,
    payload: row.payload,
    created_at: row.created_at.toISOString(),
    delivered_at: row.delivered_at?.toISOString() ?? null,
    read_at: row.read_at?.toISOString() ?? null,
  };
}
