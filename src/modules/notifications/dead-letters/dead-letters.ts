import { Injectable } from '@nestjs/common';
import { encodeId } from '../../../common/ids';
import type { Sql } from '../../../platform/database';
import {
  type DeadLetterSelection,
  DeadLetterSource,
  type DeadLetters,
  type FailedNotificationDto,
} from '../../delivery';
import { NotificationDeliveriesRepository } from '../delivery/deliveries.repository';
import { NotificationSessions } from '../delivery/sessions';
import { NotificationDeadLettersRepository } from './dead-letters.repository';

/** Replayed at a time: each batch is one statement, and tells its users. */
const BATCH = 1000;

/** The source of the dead letters of notifications. */
@Injectable()
@DeadLetterSource('notification')
export class NotificationDeadLetters implements DeadLetters<'notification'> {
  constructor(
    private readonly repository: NotificationDeadLettersRepository,
    private readonly deliveries: NotificationDeliveriesRepository,
    private readonly sessions: NotificationSessions,
  ) {}

  /** At most `limit`, the last attempted first. */
  async list(tenantId: string, limit: number): Promise<readonly FailedNotificationDto[]> {
    return (await this.repository.list(tenantId, limit)).map((row) => ({
      id: encodeId('deadLetter', row.dead_letter_id),
      notification_id: encodeId('notification', row.notification_id),
      user_id: row.user_id,
      topic: row.topic,
      attempts: row.attempts,
      last_attempt_at: row.dead_at.toISOString(),
      error: row.error,
    }));
  }

  /** They wait again, and users that are online get them at once; doing it twice does no harm. Returns how many fitted. */
  async replay(tenantId: string, { ids, roomId, userId, before }: DeadLetterSelection): Promise<number> {
    if (roomId !== undefined) return 0;
    let total = 0;
    for (let n = BATCH; n === BATCH; total += n) {
      const users = await this.repository.revive(tenantId, { ids, userId, before }, BATCH);
      n = users.length;
      if (n > 0) this.sessions.publishReplay(tenantId, [...new Set(users)]);
    }
    return total;
  }

  /** Forgets one; false when it is none of these. @param id UUID behind `dl_` */
  drop(tx: Sql, tenantId: string, id: string): Promise<boolean> {
    return this.repository.drop(tx, tenantId, id);
  }

  /** How many there are in all tenants. */
  count(): Promise<number> {
    return this.deliveries.countDead();
  }
}
