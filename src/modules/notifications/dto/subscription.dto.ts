import { IsString, Matches } from 'class-validator';
import { TOPIC, TOPIC_FAULT } from './notification.dto';
import { PageDto } from '../../../platform/http';

export class SubscribeTopicDto {
  /**
   * 1 to 128 printable ASCII characters without spaces.
   * @example order.shipped
   */
  @IsString()
  @Matches(TOPIC, { message: TOPIC_FAULT })
  topic!: string;
}

export class TopicSubscriptionDto {
  /** @example sub_019000000000700080000000000000e0 */
  id!: string;
  /** @example bob */
  subscriber_id!: string;
  /** @example order.shipped */
  topic!: string;
  /** @example 2026-01-31T12:00:00.000Z */
  created_at!: string;
}

export class TopicSubscriptionPageDto extends PageDto {
  /** Oldest first. */
  subscriptions!: TopicSubscriptionDto[];
}
