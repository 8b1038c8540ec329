import { Injectable } from '@nestjs/common';
import { Database, type Sql, SystemDatabase } from '../../../platform/database';
import type { WebhookEvent } from './events';

/** A webhook to be set. */
export interface NewWebhook {
  readonly url: string;
  readonly events: readonly WebhookEvent[];
  /** Sealed; used only where the URL is a new one. */
  readonly secret: string;
}

export interface WebhookRow {
  readonly url: string;
  readonly events: WebhookEvent[];
  readonly secret: string;
  /** Still signs beside the other one; null after the overlap. */
  readonly previous_secret: string | null;
  readonly failing_since: Date | null;
  readonly disabled_at: Date | null;
  readonly disabled_reason: string | null;
}

/** Of one tenant: which events are to be told; none where it has no webhook, or a disabled one. */
export interface ListeningRow {
  readonly tenant_id: string;
  readonly events: WebhookEvent[];
  readonly updated_at: Date;
}

/** An endpoint that only failed for so long is disabled (contract §8). */
const FAILING_DAYS = 5;

/** The table webhooks: at most one per tenant. */
@Injectable()
export class WebhooksRepository {
  constructor(
    private readonly database: Database,
    private readonly system: SystemDatabase,
  ) {}

  /** Stores it and enables it again. true: the URL is a new one, and has the new secret. */
  async set(sql: Sql, tenantId: string, { url, events, secret }: NewWebhook): Promise<boolean> {
    const [row] = await sql.query<{ is_new: boolean }>(
      `INSERT INTO webhooks AS w (tenant_id, url, events, secret) VALUES ($1, $2, $3, $4)
       ON CONFLICT (tenant_id) DO UPDATE SET url = EXCLUDED.url, events = EXCLUDED.events,
         secret = CASE WHEN w.url = EXCLUDED.url THEN w.secret ELSE EXCLUDED.secret END,
         previous_secret = CASE WHEN w.url = EXCLUDED.url THEN w.previous_secret END,
         failing_since = NULL, disabled_at = NULL, disabled_reason = NULL, updated_at = clock_timestamp()
       RETURNING secret = $4 AS is_new`,
      [tenantId, url, events, secret],
    );
    return row?.is_new === true;
  }

  /** The first one of a tenant that is being made. */
  async insert(sql: Sql, tenantId: string, { url, events, secret }: NewWebhook): Promise<void> {
    await sql.query('INSERT INTO webhooks (tenant_id, url, events, secret) VALUES ($1, $2, $3, $4)', [
      tenantId,
      url,
      events,
      secret,
    ]);
  }

  async clear(sql: Sql, tenantId: string): Promise<void> {
    await sql.query(
      `UPDATE webhooks SET url = NULL, secret = NULL, previous_secret = NULL, failing_since = NULL, disabled_at = NULL,
         disabled_reason = NULL, updated_at = clock_timestamp() WHERE tenant_id = $1`,
      [tenantId],
    );
  }

  async find(tenantId: string): Promise<WebhookRow | undefined> {
    const rows = await this.database.query<WebhookRow>(
      'webhook',
      tenantId,
      `SELECT url, events, secret, CASE WHEN previous_until > clock_timestamp() THEN previous_secret END
         AS previous_secret, failing_since, disabled_at, disabled_reason
       FROM webhooks WHERE tenant_id = $1 AND url IS NOT NULL`,
      [tenantId],
    );
    return rows[0];
  }

  /** The old secret signs on beside the new one for the overlap. false: there is no webhook. */
  async rotate(tenantId: string, secret: string, overlapSeconds: number): Promise<boolean> {
    const rows = await this.database.query(
      'rotate webhook secret',
      tenantId,
      `UPDATE webhooks SET previous_secret = secret, secret = $2,
         previous_until = clock_timestamp() + make_interval(secs => $3), updated_at = clock_timestamp()
       WHERE tenant_id = $1 AND url IS NOT NULL RETURNING 1`,
      [tenantId, secret, overlapSeconds],
    );
    return rows.length > 0;
  }

  /** An attempt at this URL succeeded. */
  async succeeded(tenantId: string, url: string): Promise<void> {
    await this.database.query(
      'webhook works',
      tenantId,
      'UPDATE webhooks SET failing_since = NULL WHERE tenant_id = $1 AND url = $2 AND failing_since IS NOT NULL',
      [tenantId, url],
    );
  }

  /** An attempt at this URL failed. true: with this it is disabled. */
  async failed(tenantId: string, url: string): Promise<boolean> {
    const rows = await this.database.query<{ disabled: boolean }>(
      'webhook fails',
      tenantId,
      `WITH failing AS MATERIALIZED (
         SELECT tenant_id, failing_since < clock_timestamp() - make_interval(days => $3) AS too_long
         FROM webhooks WHERE tenant_id = $1 AND url = $2 AND disabled_at IS NULL
           AND (failing_since IS NULL OR failing_since < clock_timestamp() - make_interval(days => $3)) FOR UPDATE)
       UPDATE webhooks w SET failing_since = COALESCE(w.failing_since, clock_timestamp()),
         disabled_at = CASE WHEN f.too_long THEN clock_timestamp() END,
         disabled_reason = CASE WHEN f.too_long THEN $4 END,
         updated_at = CASE WHEN f.too_long THEN clock_timestamp() ELSE w.updated_at END
       FROM failing f WHERE w.tenant_id = f.tenant_id RETURNING w.disabled_at IS NOT NULL AS disabled`,
      [tenantId, url, FAILING_DAYS, `only failures for ${FAILING_DAYS} days`],
    );
    return rows[0]?.disabled === true;
  }

  /** false: it was disabled before, or leads elsewhere now. */
  async disable(tenantId: string, url: string, reason: string): Promise<boolean> {
    const rows = await this.database.query(
      'disable webhook',
      tenantId,
      `UPDATE webhooks SET disabled_at = clock_timestamp(), disabled_reason = $3, updated_at = clock_timestamp()
       WHERE tenant_id = $1 AND url = $2 AND disabled_at IS NULL RETURNING 1`,
      [tenantId, url, reason],
    );
    return rows.length > 0;
  }

  /** Of all tenants: what changed since, with so many seconds more; undefined: everything. */
  async listening(since: Date | undefined, overlapSeconds: number): Promise<ListeningRow[]> {
    return this.system.query<ListeningRow>(
      'webhooks that listen',
      `SELECT tenant_id, updated_at,
         CASE WHEN url IS NULL OR disabled_at IS NOT NULL THEN '{}' ELSE events END AS events
       FROM webhooks WHERE $1::timestamptz IS NULL OR updated_at > $1::timestamptz - make_interval(secs => $2)`,
      [since ?? null, overlapSeconds],
    );
  }
}
