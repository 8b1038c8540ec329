import { Injectable } from '@nestjs/common';
import type { PageRequest } from '../../../common/limits';
import { Database, type Transaction } from '../../../platform/database';
import { SubscriptionEntity } from '../entities/notification.entity';

/** As a row, or as the stored result of a call has it. */
export type SubscriptionRow = Readonly<Pick<SubscriptionEntity, 'subscription_id' | 'user_id' | 'topic'>> & {
  readonly created_at: Date | string;
};

@Injectable()
export class SubscriptionsRepository {
  constructor(private readonly database: Database) {}

  /** Stores it unless the user has one for the topic; the one that there is then, null where that was deleted meanwhile. */
  async create(tx: Transaction, subscription: Omit<SubscriptionEntity, 'created_at'>): Promise<SubscriptionRow | null> {
    const { tenant_id, user_id, topic } = subscription;
    const subscriptions = tx.repository(SubscriptionEntity);
    await subscriptions.createQueryBuilder().insert().values(subscription).orIgnore().updateEntity(false).execute();
    return subscriptions.findOneBy({ tenant_id, user_id, topic });
  }

  /** Oldest first. */
  list(tenantId: string, userId: string, { limit, offset }: PageRequest): Promise<SubscriptionRow[]> {
    return this.database.repository(SubscriptionEntity, tenantId).find({
      where: { tenant_id: tenantId, user_id: userId },
      order: { subscription_id: 'ASC' },
      take: limit,
      skip: offset,
    });
  }

  count(tenantId: string, userId: string): Promise<number> {
    return this.database.repository(SubscriptionEntity, tenantId).countBy({ tenant_id: tenantId, user_id: userId });
  }

  /** false when the user has no such subscription. */
  async delete(tenantId: string, userId: string, subscriptionId: string): Promise<boolean> {
    const { affected } = await this.database
      .repository(SubscriptionEntity, tenantId)
      .delete({ tenant_id: tenantId, subscription_id: subscriptionId, user_id: userId });
    return affected === 1;
  }
}
