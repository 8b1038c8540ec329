import { Injectable } from '@nestjs/common';
import { Batching } from '../../../common/batching';
import { SystemDatabase } from '../../../platform/database';
import { Every } from '../../../platform/lifecycle';
import { Metrics } from '../../../platform/metrics';

/** One notification of one user. */
export interface DeliveryRef {
  readonly tenantId: string;
  readonly userId: string;
  /** UUID. */
  readonly notificationId: string;
}

export interface GivenUp extends DeliveryRef {
  readonly attempts: number;
  readonly error: string;
}

export interface Recipient {
  readonly tenantId: string;
  readonly userId: string;
}

/** Where deliveries of all tenants are settled, many in one statement. What a notification says is not seen here. */
@Injectable()
export class NotificationDeliveriesRepository {
  constructor(private readonly system: SystemDatabase) {}

  /** Stores that these are delivered; says of each whether there is such a delivery. */
  async settle(refs: readonly DeliveryRef[]): Promise<boolean[]> {
    const rows = await this.system.query<{ place: number }>('settle notifications', SETTLE, [
      refs.map((ref) => ref.tenantId),
      refs.map((ref) => ref.userId),
      refs.map((ref) => ref.notificationId),
    ]);
    const found = new Set(rows.map((row) => row.place));
    return refs.map((_, i) => found.has(i + 1));
  }

  /** Makes dead letters of them, but of what was delivered, given up or dropped meanwhile. */
  async giveUp(given: readonly GivenUp[]): Promise<void> {
    await this.system.query(
      'give notifications up',
      `UPDATE notification_deliveries d SET dead_at = clock_timestamp(), dead_letter_id = gen_random_uuid(),
         attempts = g.attempts, error = g.error
       FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::integer[], $5::text[])
         g(tenant_id, user_id, notification_id, attempts, error)
       WHERE d.tenant_id = g.tenant_id AND d.user_id = g.user_id AND d.notification_id = g.notification_id
         AND d.delivered_at IS NULL AND d.dead_at IS NULL AND NOT d.dropped`,
      [
        given.map((g) => g.tenantId),
        given.map((g) => g.userId),
        given.map((g) => g.notificationId),
        given.map((g) => g.attempts),
        given.map((g) => g.error),
      ],
    );
  }

  /** Gives up what has waited for longer than so many days, at most 5,000 at a time; returns how many. */
  async expire(days: number): Promise<number> {
    const rows = await this.system.query<{ n: number }>(
      'expire notifications',
      `WITH gone AS (
         UPDATE notification_deliveries d SET dead_at = clock_timestamp(), dead_letter_id = gen_random_uuid(),
           error = 'user offline'
         FROM (SELECT x.tenant_id, x.user_id, x.notification_id FROM notification_deliveries x
           WHERE x.delivered_at IS NULL AND x.dead_at IS NULL AND NOT x.dropped
             AND x.waits_since < clock_timestamp() - make_interval(days => $1)
           ORDER BY x.waits_since LIMIT 5000 FOR UPDATE SKIP LOCKED) l
         WHERE d.tenant_id = l.tenant_id AND d.user_id = l.user_id AND d.notification_id = l.notification_id
         RETURNING 1)
       SELECT count(*)::int AS n FROM gone`,
      [days],
    );
    return rows[0]?.n ?? 0;
  }

  /** How many dead letters there are, in all tenants. */
  async countDead(): Promise<number> {
    const rows = await this.system.query<{ n: number }>(
      'count dead notifications',
      'SELECT count(*) AS n FROM notification_deliveries WHERE dead_at IS NOT NULL',
    );
    return rows[0]?.n ?? 0;
  }

  /** Of each of the users whether anything was stored that they do not have, given up or not. */
  async haveWaiting(users: readonly Recipient[]): Promise<boolean[]> {
    const rows = await this.system.query<{ waits: boolean }>(
      'users with anything undelivered',
      `SELECT EXISTS (SELECT 1 FROM notification_deliveries d
         WHERE d.tenant_id = u.tenant_id AND d.user_id = u.user_id AND d.delivered_at IS NULL) AS waits
       FROM unnest($1::uuid[], $2::text[]) WITH ORDINALITY u(tenant_id, user_id, place) ORDER BY u.place`,
      [users.map((user) => user.tenantId), users.map((user) => user.userId)],
    );
    return rows.map((row) => row.waits);
  }

  /** The ones of these users with a delivery that has waited for longer than so many milliseconds and was not given up. */
  async waitedFor(users: readonly Recipient[], ms: number): Promise<Recipient[]> {
    const rows = await this.system.query<{ tenant_id: string; user_id: string }>(
      'users with pending notifications',
      `SELECT u.tenant_id, u.user_id FROM json_to_recordset($1) u(tenant_id uuid, user_id text),
         LATERAL (SELECT 1 FROM notification_deliveries d WHERE d.tenant_id = u.tenant_id AND d.user_id = u.user_id
           AND d.delivered_at IS NULL AND d.dead_at IS NULL AND NOT d.dropped
           AND d.waits_since < clock_timestamp() - $2 * interval '1 ms' LIMIT 1) d`,
      // Thousands every few seconds: as JSON they leave a tenth of the garbage that arrays do.
      [JSON.stringify(users.map(({ tenantId, userId }) => ({ tenant_id: tenantId, user_id: userId }))), ms],
    );
    return rows.map((row) => ({ tenantId: row.tenant_id, userId: row.user_id }));
  }
}

const SETTLE = `
WITH given AS MATERIALIZED (
  SELECT * FROM unnest($1::uuid[], $2::text[], $3::uuid[]) WITH ORDINALITY
    g(tenant_id, user_id, notification_id, place)
), settled AS (
  UPDATE notification_deliveries d SET delivered_at = clock_timestamp(), dead_at = NULL, dead_letter_id = NULL,
    error = NULL
  FROM given g WHERE d.tenant_id = g.tenant_id AND d.user_id = g.user_id AND d.notification_id = g.notification_id
    AND d.delivered_at IS NULL
)
SELECT g.place::integer FROM given g, LATERAL (SELECT 1 FROM notification_deliveries d
  WHERE d.tenant_id = g.tenant_id AND d.user_id = g.user_id AND d.notification_id = g.notification_id OFFSET 0) d`;

const EXPIRY_MS = 10 * 60_000;
/** Contract §3: after so many days a notification that no connection took is a dead letter. */
const EXPIRY_DAYS = 30;

/** Stores what became of deliveries: those of one turn, and those that come while a statement runs, in one statement. */
@Injectable()
export class Settlements {
  private readonly settling: Batching<DeliveryRef, boolean>;
  private readonly giving: Batching<GivenUp, undefined>;

  constructor(
    private readonly repository: NotificationDeliveriesRepository,
    metrics: Metrics,
  ) {
    const count = metrics.counter('chatapi_notifications_total');
    this.settling = new Batching(async (refs) => {
      const found = await repository.settle(refs);
      count.labels({ outcome: 'delivered' }).inc(found.filter(Boolean).length);
      return found;
    });
    this.giving = new Batching(async (given) => {
      await repository.giveUp(given);
      count.labels({ outcome: 'dead' }).inc(given.length);
      return given.map(() => undefined);
    });
  }

  /** The user has it. false: there is no such delivery. Doing it again changes nothing. */
  delivered(ref: DeliveryRef): Promise<boolean> {
    return this.settling.submit(ref);
  }

  /** Makes a dead letter of it, unless it was delivered meanwhile. */
  async giveUpDelivery(given: GivenUp): Promise<void> {
    await this.giving.submit(given);
  }

  /** Makes dead letters of all that has waited for too long. */
  @Every(EXPIRY_MS, 'notification expiry')
  async expire(): Promise<void> {
    for (let n = 1; n > 0;) n = await this.repository.expire(EXPIRY_DAYS);
  }
}
