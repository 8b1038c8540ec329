import { Injectable } from '@nestjs/common';
import { notFound } from '../../common/errors';
import { decodeId, encodeId, newUuid } from '../../common/ids';
import { pageInfo, type PageRequest } from '../../common/pagination';
import { isoTime } from '../../common/time';
import type { Caller } from '../../platform/auth';
import { Effects } from '../../platform/idempotency';
import type { TopicSubscriptionDto, TopicSubscriptionPageDto } from './dto/subscription.dto';
import { subscriptionCreate } from './notifications.functions';
import { type SubscriptionRow, SubscriptionsRepository } from './subscriptions.repository';

/** Which topics users want to hear of. */
@Injectable()
export class SubscriptionsService {
  constructor(
    private readonly repository: SubscriptionsRepository,
    private readonly effects: Effects,
  ) {}

  /** Subscribes the caller; `created` is false when they were subscribed already, and get that subscription. */
  async subscribe(
    caller: Caller,
    topic: string,
    subscriptionId = newUuid(),
  ): Promise<{ readonly created: boolean; readonly subscription: TopicSubscriptionDto }> {
    const args = { p_id: subscriptionId, p_user: caller.userId, p_topic: topic };
    const { created, subscription } = await this.effects.call(caller, subscriptionCreate, args);
    return { created, subscription: subscriptionView(subscription) };
  }

  /** The caller's subscriptions, oldest first. */
  async list(caller: Caller, page: PageRequest): Promise<TopicSubscriptionPageDto> {
    const { tenantId, userId } = caller;
    const [rows, total] = await Promise.all([
      this.repository.list(tenantId, userId, page),
      this.repository.count(tenantId, userId),
    ]);
    return { subscriptions: rows.map(subscriptionView), ...pageInfo(page, rows.length, total) };
  }

  /** Ends one of the caller's subscriptions. */
  async unsubscribe(caller: Caller, id: string): Promise<void> {
    const uuid = decodeId('subscription', id);
    if (uuid === undefined || !(await this.repository.delete(caller.tenantId, caller.userId, uuid)))
      throw notFound('Subscription');
  }
}

function subscriptionView(row: SubscriptionRow): TopicSubscriptionDto {
  return {
    id: encodeId('subscription', row.subscription_id),
    subscriber_id: row.user_id,
    topic: row.topic,
    created_at: isoTime(row.created_at),
  };
}
