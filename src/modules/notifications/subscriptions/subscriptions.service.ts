import { Injectable } from '@nestjs/common';
import { AppError, notFound } from '../../../common/errors';
import { decodeId, encodeId, newUuid } from '../../../common/ids';
import { pageInfo, type PageRequest } from '../../../common/limits';
import { isoTime } from '../../../common/time';
import type { Caller } from '../../../platform/auth';
import { Effects } from '../../../platform/idempotency';
import { UsersService } from '../../tenants';
import type { TopicSubscriptionDto, TopicSubscriptionPageDto } from '../dto/subscription.dto';
import { type SubscriptionRow, SubscriptionsRepository } from './subscriptions.repository';

type Subscribed =
  | { readonly status: 'ok'; readonly created: boolean; readonly subscription: SubscriptionRow }
  | { readonly status: 'gone' };

/** Which topics users want to hear of. */
@Injectable()
export class SubscriptionsService {
  constructor(
    private readonly repository: SubscriptionsRepository,
    private readonly users: UsersService,
    private readonly effects: Effects,
  ) {}

  /** Subscribes the caller; `created` is false when they were subscribed already, and get that subscription. */
  async subscribeUser(
    caller: Caller,
    topic: string,
    subscriptionId = newUuid(),
  ): Promise<{ readonly created: boolean; readonly subscription: TopicSubscriptionDto }> {
    const { tenantId, userId } = caller;
    const result = await this.effects.transaction<Subscribed>(caller, 'subscribe', async (tx) => {
      await this.users.ensureIn(tx, tenantId, [userId]);
      const wanted = { tenant_id: tenantId, subscription_id: subscriptionId, user_id: userId, topic };
      const subscription = await this.repository.create(tx, wanted);
      if (subscription === null) return { status: 'gone' };
      return { status: 'ok', created: subscription.subscription_id === subscriptionId, subscription };
    });
    if (result.status !== 'ok')
      throw new AppError('CONFLICT', 'The subscription was deleted at the same time. Try again');
    return { created: result.created, subscription: subscriptionView(result.subscription) };
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
