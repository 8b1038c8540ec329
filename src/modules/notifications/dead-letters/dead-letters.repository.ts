import { Injectable } from '@nestjs/common';
import { Database, type Sql } from '../../../platform/database';

/** A dead letter of a notification. */
export interface DeadLetterRow {
  readonly dead_letter_id: string;
  readonly notification_id: string;
  readonly user_id: string;
  readonly topic: string;
  readonly attempts: number;
  readonly dead_at: Date;
  readonly error: string;
}

/** Which dead letters are meant; undefined: whatever it is. */
export interface DeadLetterChoice {
  /** UUIDs of dead letters. */
  readonly ids: readonly string[] | undefined;
  readonly userId: string | undefined;
  readonly before: Date | undefined;
}

/** Dead letters of one tenant's notifications: deliveries that were given up. */
@Injectable()
export class NotificationDeadLettersRepository {
  constructor(private readonly database: Database) {}

  /** The last attempted first. */
  list(tenantId: string, limit: number): Promise<DeadLetterRow[]> {
    return this.database.query<DeadLetterRow>(
      'dead notifications',
      tenantId,
      `SELECT d.dead_letter_id, d.notification_id, d.user_id, n.topic, d.attempts, d.dead_at, d.error
       FROM (SELECT * FROM notification_deliveries x WHERE x.tenant_id = $1 AND x.dead_at IS NOT NULL
         ORDER BY x.dead_at DESC, x.dead_letter_id LIMIT $2) d
       JOIN notifications n ON n.tenant_id = $1 AND n.notification_id = d.notification_id
       ORDER BY d.dead_at DESC, d.dead_letter_id`,
      [tenantId, limit],
    );
  }

  /** Makes them wait again, with all their attempts and days, at most `limit`; returns whose they were. */
  async revive(tenantId: string, { ids, userId, before }: DeadLetterChoice, limit: number): Promise<string[]> {
    const rows = await this.database.query<{ user_id: string }>(
      'replay notifications',
      tenantId,
      `UPDATE notification_deliveries d SET dead_at = NULL, dead_letter_id = NULL, error = NULL, attempts = 0,
         waits_since = clock_timestamp()
       FROM (SELECT x.user_id, x.notification_id FROM notification_deliveries x
         WHERE x.tenant_id = $1 AND x.dead_at IS NOT NULL AND ($2::uuid[] IS NULL OR x.dead_letter_id = ANY ($2))
           AND ($3::text IS NULL OR x.user_id = $3) AND ($4::timestamptz IS NULL OR x.dead_at < $4)
         ORDER BY x.dead_at LIMIT $5 FOR UPDATE) l
       WHERE d.tenant_id = $1 AND d.user_id = l.user_id AND d.notification_id = l.notification_id RETURNING d.user_id`,
      [tenantId, ids ?? null, userId ?? null, before ?? null, limit],
    );
    return rows.map((row) => row.user_id);
  }

  /** Forgets one; the notification stays in the inbox and is still sent on connect. false: there is no such one. */
  async drop(tx: Sql, tenantId: string, id: string): Promise<boolean> {
    const rows = await tx.query(
      `UPDATE notification_deliveries SET dropped = true, dead_at = NULL, dead_letter_id = NULL
       WHERE tenant_id = $1 AND dead_letter_id = $2 RETURNING 1`,
      [tenantId, id],
    );
    return rows.length > 0;
  }
}
