import { Injectable } from '@nestjs/common';
import type { PageRequest } from '../../common/limits';
import { Database, type Sql, SystemDatabase } from '../../platform/database';
import { Jobs, type NewJob } from '../../platform/jobs';
import { eraseFunction, EraseStep, type EraseWork } from '../../platform/tenant-data';
import type { DeliveryState, WebhookDeliveryEntity } from './entities/webhook.entity';
import { DELIVER } from './webhooks.jobs';

/** Something to be posted. */
export interface NewDelivery {
  readonly deliveryId: string;
  readonly type: string;
  readonly roomId?: string | undefined;
  /** UUID of the message or notification. */
  readonly subjectId?: string | undefined;
  readonly userIds?: readonly string[] | undefined;
  /** As it is posted, every time. */
  readonly body: string;
}

/** What is left to be posted. */
export type PendingRow = Readonly<Pick<WebhookDeliveryEntity, 'type' | 'subject_id' | 'user_ids'>> & {
  readonly body: string;
};

/** What came of an attempt. */
export interface DeliveryAttempt {
  /** undefined: there was no answer. */
  readonly status: number | undefined;
  readonly latencyMs: number;
  /** The beginning of the answer's body. */
  readonly answer: string | undefined;
  /** undefined: it was taken. */
  readonly error: string | undefined;
}

/** An entry of the log. */
export type DeliveryRow = Readonly<
  Omit<WebhookDeliveryEntity, 'tenant_id' | 'room_id' | 'subject_id' | 'user_ids' | 'body'>
>;

/** What was to be posted of a message. */
export type SubjectRow = DeliveryRow & {
  /** Whom it names; null: nobody, or it was delivered and is not needed again. */
  readonly user_ids: readonly string[] | null;
};

/** Which dead deliveries are meant; undefined: whatever it is. */
export interface DeadChoice {
  readonly ids: readonly string[] | undefined;
  readonly roomId: string | undefined;
  readonly userId: string | undefined;
  readonly before: Date | undefined;
}

const COLUMNS = 'delivery_id, type, state, attempts, status, latency_ms, answer, error, created_at, last_attempt_at';

/** The table webhook_deliveries: what is to be posted, and the log of what was. */
@Injectable()
export class WebhookDeliveriesRepository {
  constructor(
    private readonly database: Database,
    private readonly system: SystemDatabase,
    private readonly jobs: Jobs,
  ) {}

  /** Stores deliveries with their jobs; those that exist are left alone. */
  async plan(tenantId: string, deliveries: readonly NewDelivery[]): Promise<void> {
    if (deliveries.length === 0) return;
    await this.database.transaction('plan webhooks', tenantId, async (sql) => {
      const rows = await sql.query<{ delivery_id: string }>(
        `INSERT INTO webhook_deliveries (tenant_id, delivery_id, type, room_id, subject_id, user_ids, body)
         SELECT $1, n.id, n.type, n.room_id, n.subject_id,
           CASE WHEN n.recipients IS NOT NULL THEN ARRAY(SELECT jsonb_array_elements_text(n.recipients::jsonb)) END, n.body
         FROM unnest($2::uuid[], $3::text[], $4::uuid[], $5::uuid[], $6::text[], $7::text[])
           n(id, type, room_id, subject_id, recipients, body)
         ON CONFLICT DO NOTHING RETURNING delivery_id`,
        [
          tenantId,
          deliveries.map((d) => d.deliveryId),
          deliveries.map((d) => d.type),
          deliveries.map((d) => d.roomId ?? null),
          deliveries.map((d) => d.subjectId ?? null),
          deliveries.map((d) => (d.userIds === undefined ? null : JSON.stringify(d.userIds))),
          deliveries.map((d) => d.body),
        ],
      );
      await this.jobs.enqueue(
        sql,
        tenantId,
        rows.map((row) => jobOf(row.delivery_id)),
      );
    });
    this.jobs.wake();
  }

  /** undefined when there is nothing left to be posted. */
  async pending(tenantId: string, id: string): Promise<PendingRow | undefined> {
    const rows = await this.database.query<PendingRow>(
      'pending webhook',
      tenantId,
      `SELECT type, subject_id, user_ids, body FROM webhook_deliveries
       WHERE tenant_id = $1 AND delivery_id = $2 AND state = 'pending' AND body IS NOT NULL`,
      [tenantId, id],
    );
    return rows[0];
  }

  /** Stores what came of an attempt, and the state after it. What was delivered is not needed again. */
  async attempted(
    tenantId: string,
    id: string,
    n: number,
    attempt: DeliveryAttempt,
    state: DeliveryState,
  ): Promise<void> {
    await this.database.query(
      'webhook attempt',
      tenantId,
      `UPDATE webhook_deliveries SET state = $4, attempts = $3, status = $5, latency_ms = $6, answer = $7, error = $8,
         last_attempt_at = clock_timestamp(), body = CASE WHEN $4 = 'delivered' THEN NULL ELSE body END,
         user_ids = CASE WHEN $4 = 'delivered' THEN NULL ELSE user_ids END
       WHERE tenant_id = $1 AND delivery_id = $2 AND state = 'pending'`,
      [
        tenantId,
        id,
        n,
        state,
        attempt.status ?? null,
        attempt.latencyMs,
        attempt.answer ?? null,
        attempt.error ?? null,
      ],
    );
  }

  /** Gives a delivery up whose last attempt left nothing behind. */
  async bury(tenantId: string, id: string, n: number, error: string): Promise<void> {
    await this.database.query(
      'bury webhook',
      tenantId,
      `UPDATE webhook_deliveries SET state = 'dead', attempts = $3, error = $4, last_attempt_at = clock_timestamp()
       WHERE tenant_id = $1 AND delivery_id = $2 AND state = 'pending'`,
      [tenantId, id, n, error],
    );
  }

  /** Stores what was posted without a job, and is not repeated. */
  async record(tenantId: string, id: string, type: string, attempt: DeliveryAttempt): Promise<DeliveryRow> {
    const rows = await this.database.query<DeliveryRow>(
      'record webhook',
      tenantId,
      `INSERT INTO webhook_deliveries (tenant_id, delivery_id, type, state, attempts, status, latency_ms, answer, error,
         last_attempt_at)
       VALUES ($1, $2, $3, $4, 1, $5, $6, $7, $8, clock_timestamp()) RETURNING ${COLUMNS}`,
      [
        tenantId,
        id,
        type,
        attempt.error === undefined ? 'delivered' : 'failed',
        attempt.status ?? null,
        attempt.latencyMs,
        attempt.answer ?? null,
        attempt.error ?? null,
      ],
    );
    const [row] = rows;
    if (row === undefined) throw new Error('INSERT … RETURNING gave no row');
    return row;
  }

  /** The log, newest first. */
  async page(tenantId: string, page: PageRequest): Promise<{ rows: DeliveryRow[]; total: number }> {
    const rows = await this.database.query<DeliveryRow>(
      'webhook deliveries',
      tenantId,
      `SELECT ${COLUMNS} FROM webhook_deliveries WHERE tenant_id = $1
       ORDER BY created_at DESC, delivery_id DESC LIMIT $2 OFFSET $3`,
      [tenantId, page.limit, page.offset],
    );
    const [count] = await this.database.query<{ n: number }>(
      'count webhook deliveries',
      tenantId,
      'SELECT count(*) AS n FROM webhook_deliveries WHERE tenant_id = $1',
      [tenantId],
    );
    return { rows, total: count?.n ?? 0 };
  }

  /** Those of these ids that are there. */
  ofIds(tenantId: string, ids: readonly string[]): Promise<SubjectRow[]> {
    return this.database.query<SubjectRow>(
      'webhooks by id',
      tenantId,
      `SELECT ${COLUMNS}, user_ids FROM webhook_deliveries WHERE tenant_id = $1 AND delivery_id = ANY ($2::uuid[])
       ORDER BY created_at, delivery_id`,
      [tenantId, ids],
    );
  }

  /** Dead ones, the last attempted first. */
  dead(tenantId: string, limit: number): Promise<DeliveryRow[]> {
    return this.database.query<DeliveryRow>(
      'dead webhooks',
      tenantId,
      `SELECT ${COLUMNS} FROM webhook_deliveries WHERE tenant_id = $1 AND state = 'dead'
       ORDER BY last_attempt_at DESC, delivery_id LIMIT $2`,
      [tenantId, limit],
    );
  }

  /** Posts dead ones again, with the same ids and all their attempts, at most `limit`; returns how many there were. */
  async revive(tenantId: string, { ids, roomId, userId, before }: DeadChoice, limit: number): Promise<number> {
    const n = await this.database.transaction('replay webhooks', tenantId, async (sql) => {
      const rows = await sql.query<{ delivery_id: string }>(
        `UPDATE webhook_deliveries d SET state = 'pending', attempts = 0
         FROM (SELECT x.delivery_id FROM webhook_deliveries x WHERE x.tenant_id = $1 AND x.state = 'dead'
           AND ($2::uuid[] IS NULL OR x.delivery_id = ANY ($2)) AND ($3::uuid IS NULL OR x.room_id = $3)
           AND ($4::text IS NULL OR $4 = ANY (x.user_ids)) AND ($5::timestamptz IS NULL OR x.last_attempt_at < $5)
           ORDER BY x.last_attempt_at LIMIT $6 FOR UPDATE) l
         WHERE d.tenant_id = $1 AND d.delivery_id = l.delivery_id RETURNING d.delivery_id`,
        [tenantId, ids ?? null, roomId ?? null, userId ?? null, before ?? null, limit],
      );
      await this.jobs.enqueue(
        sql,
        tenantId,
        rows.map((row) => jobOf(row.delivery_id)),
      );
      return rows.length;
    });
    if (n > 0) this.jobs.wake();
    return n;
  }

  /** Takes one from the dead; it stays in the log. false: it is none. */
  async drop(tx: Sql, tenantId: string, id: string): Promise<boolean> {
    const rows = await tx.query(
      `UPDATE webhook_deliveries SET state = 'failed', body = NULL
       WHERE tenant_id = $1 AND delivery_id = $2 AND state = 'dead' RETURNING 1`,
      [tenantId, id],
    );
    return rows.length > 0;
  }

  /** Of all tenants. */
  async countDead(): Promise<number> {
    const rows = await this.system.query<{ n: number }>(
      'count dead webhooks',
      `SELECT count(*) AS n FROM webhook_deliveries WHERE state = 'dead'`,
    );
    return rows[0]?.n ?? 0;
  }

  /** Forgets what is over and older than so many days, at most 5,000 a call; returns how many. */
  async purge(state: DeliveryState, days: number): Promise<number> {
    const rows = await this.system.query<{ n: number }>(
      'purge webhooks',
      `WITH gone AS (
         DELETE FROM webhook_deliveries WHERE (tenant_id, delivery_id) IN (
           SELECT x.tenant_id, x.delivery_id FROM webhook_deliveries x
           WHERE x.state = $1 AND x.created_at < clock_timestamp() - make_interval(days => $2) LIMIT 5000)
         RETURNING tenant_id)
       SELECT count(*)::int AS n FROM gone`,
      [state, days],
    );
    return rows[0]?.n ?? 0;
  }
}

function jobOf(deliveryId: string): NewJob {
  // One key per tenant: a tenant has one endpoint.
  return DELIVER.job('endpoint', { delivery_id: deliveryId });
}

/** Takes a user out of what is posted to the tenant. */
@Injectable()
@EraseStep('webhooks')
export class WebhooksErase implements EraseWork {
  readonly batch = eraseFunction('webhooks_erase');
}
