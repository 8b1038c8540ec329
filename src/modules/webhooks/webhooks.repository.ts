import { Injectable } from '@nestjs/common';
import { In, IsNull, Not } from 'typeorm';
import { Database, type Sql, SystemDatabase, type Transaction } from '../../platform/database';
import { type NewWebhook, type WebhookChange, WebhookRows, type WebhookSetting } from '../tenants';
import { WebhookEntity } from './entities/webhook.entity';

/** A webhook that is set. */
export type WebhookRow = Readonly<
  Pick<WebhookEntity, 'events' | 'previous_secret' | 'failing_since' | 'disabled_at' | 'disabled_reason'>
> & { readonly url: string; readonly secret: string };

/** Of one tenant: which events are to be told; none where it has no webhook, or a disabled one. */
export type ListeningRow = Readonly<Pick<WebhookEntity, 'tenant_id' | 'events' | 'updated_at'>>;

/** An endpoint that only failed for so long is disabled (contract §8). */
const FAILING_DAYS = 5;

const ENABLED = { failing_since: null, disabled_at: null, disabled_reason: null };
const NOW = { updated_at: () => 'clock_timestamp()' };

/** The table webhooks: at most one per tenant. What every failure asks, and every server each second, is SQL. */
@Injectable()
export class WebhooksRepository extends WebhookRows {
  constructor(
    private readonly database: Database,
    private readonly system: SystemDatabase,
  ) {
    super();
  }

  async set(tx: Transaction, tenantId: string, webhook: NewWebhook): Promise<WebhookChange> {
    const webhooks = tx.repository(WebhookEntity);
    const before = await webhooks.findOne({ where: { tenant_id: tenantId }, lock: { mode: 'for_no_key_update' } });
    if (before === null) {
      await this.insert(tx, tenantId, webhook);
      return 'new';
    }
    const { url, events, secret } = webhook;
    const isNew = before.url !== url;
    await webhooks.update(
      { tenant_id: tenantId },
      { url, events: [...events], ...(isNew ? { secret, previous_secret: null } : {}), ...ENABLED, ...NOW },
    );
    if (isNew) return 'new';
    return before.disabled_at === null ? 'same' : 'enabled';
  }

  async insert(tx: Transaction, tenantId: string, { url, events, secret }: NewWebhook): Promise<void> {
    await tx.repository(WebhookEntity).insert({ tenant_id: tenantId, url, events: [...events], secret });
  }

  async clear(tx: Transaction, tenantId: string): Promise<void> {
    const gone = { url: null, secret: null, previous_secret: null };
    await tx.repository(WebhookEntity).update({ tenant_id: tenantId }, { ...gone, ...ENABLED, ...NOW });
  }

  async settingOf(tenantId: string, tx?: Transaction): Promise<WebhookSetting | null> {
    const webhooks = tx?.repository(WebhookEntity) ?? this.database.repository(WebhookEntity, tenantId);
    return settingOf(await webhooks.findOneBy({ tenant_id: tenantId })) ?? null;
  }

  async shownIn(sql: Sql, tenantId: string): Promise<WebhookSetting | null> {
    const text = 'SELECT url, events FROM webhooks WHERE tenant_id = $1';
    const [row] = await sql.query<Pick<WebhookEntity, 'url' | 'events'>>(text, [tenantId]);
    return settingOf(row ?? null) ?? null;
  }

  /** The system role may see these columns, and no secret. */
  async settingsOf(tenantIds: readonly string[]): Promise<ReadonlyMap<string, WebhookSetting>> {
    const rows = await this.system.repository(WebhookEntity).find({
      select: { tenant_id: true, url: true, events: true },
      where: { tenant_id: In(tenantIds) },
    });
    return new Map(
      rows.flatMap((row) => {
        const setting = settingOf(row);
        return setting === undefined ? [] : [[row.tenant_id, setting]];
      }),
    );
  }

  /** `previous_secret` still signs beside the other one; null after the overlap. SQL: asked for every attempt of a delivery. */
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
  async rotate(tx: Transaction, tenantId: string, secret: string, overlapSeconds: number): Promise<boolean> {
    const { affected } = await tx
      .repository(WebhookEntity)
      .createQueryBuilder()
      .update()
      .set({
        previous_secret: () => 'secret',
        secret,
        previous_until: () => 'clock_timestamp() + make_interval(secs => :overlap)',
        ...NOW,
      })
      .where({ tenant_id: tenantId, url: Not(IsNull()) })
      .setParameter('overlap', overlapSeconds)
      .execute();
    return affected === 1;
  }

  /** An attempt at this URL succeeded. */
  async succeeded(tenantId: string, url: string): Promise<void> {
    await this.database
      .repository(WebhookEntity, tenantId)
      .update({ tenant_id: tenantId, url, failing_since: Not(IsNull()) }, { failing_since: null });
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
    const { affected } = await this.database
      .repository(WebhookEntity, tenantId)
      .update(
        { tenant_id: tenantId, url, disabled_at: IsNull() },
        { disabled_at: () => 'clock_timestamp()', disabled_reason: reason, ...NOW },
      );
    return affected === 1;
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

/** One that was taken away keeps its row without a URL. */
function settingOf(row: Pick<WebhookEntity, 'url' | 'events'> | null): WebhookSetting | undefined {
  return row?.url == null ? undefined : { url: row.url, events: row.events };
}
