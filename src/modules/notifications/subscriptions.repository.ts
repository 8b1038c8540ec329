import { Injectable } from '@nestjs/common';
import type { PageRequest } from '../../common/pagination';
import { Database } from '../../platform/database';

export interface SubscriptionRow {
  readonly subscription_id: string;
  readonly user_id: string;
  readonly topic: string;
  readonly created_at: Date | string;
}

@Injectable()
export class SubscriptionsRepository {
  constructor(private readonly database: Database) {}

  /** Oldest first. */
  list(tenantId: string, userId: string, page: PageRequest): Promise<SubscriptionRow[]> {
    return this.database.query<SubscriptionRow>(
      'subscriptions',
      tenantId,
      `SELECT subscription_id, user_id, topic, created_at FROM subscriptions
       WHERE tenant_id = $1 AND user_id = $2 ORDER BY subscription_id LIMIT $3 OFFSET $4`,
      [tenantId, userId, page.limit, page.offset],
    );
  }

  async count(tenantId: string, userId: string): Promise<number> {
    const [row] = await this.database.query<{ n: number }>(
      'count subscriptions',
      tenantId,
      'SELECT count(*) AS n FROM subscriptions WHERE tenant_id = $1 AND user_id = $2',
      [tenantId, userId],
    );
    return row?.n ?? 0;
  }

  /** false when the user has no such subscription. */
  async delete(tenantId: string, userId: string, subscriptionId: string): Promise<boolean> {
    const rows = await this.database.query(
      'delete subscription',
      tenantId,
      'DELETE FROM subscriptions WHERE tenant_id = $1 AND subscription_id = $2 AND user_id = $3 RETURNING 1',
      [tenantId, subscriptionId, userId],
    );
    return rows.length > 0;
  }
}
