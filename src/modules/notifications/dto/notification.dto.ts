import { ApiProperty } from '@nestjs/swagger';
import { ArrayMaxSize, IsArray, IsBoolean, IsOptional, IsString, Matches } from 'class-validator';
import { PageDto } from '../../../platform/http';
import { IsJsonObject, IsNested, IsUserId } from '../../../platform/validation';
import { ServerFrame } from '../../../realtime';

/** Most user ids in one call (contract §3). */
export const MAX_TARGET_USERS = 1000;
export const MAX_PAYLOAD_BYTES = 16 * 1024;
export const TOPIC = /^[\x21-\x7e]{1,128}$/;
export const TOPIC_FAULT = 'topic must be 1-128 printable ASCII characters without spaces';

/** Who gets a notification: the union of what is given, each user once. At least one of the three. */
export class NotificationTargetsDto {
  /**
   * These users, at most 1,000; duplicates are ignored. Who is not there yet is a user from then on.
   * @example ["bob"]
   */
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(MAX_TARGET_USERS)
  @IsUserId({ each: true })
  user_ids?: string[];

  /** The members of this room, as they are when you call. */
  @IsOptional()
  @IsString()
  room_id?: string;

  /** Whoever has subscribed to the topic. Default false. */
  @IsOptional()
  @IsBoolean()
  topic_subscribers?: boolean;
}

export class NotifyDto {
  /**
   * What it is about: 1 to 128 printable ASCII characters without spaces.
   * @example order.shipped
   */
  @IsString()
  @Matches(TOPIC, { message: TOPIC_FAULT })
  topic!: string;

  /**
   * An object of your own, at most 16 KB.
   * @example {"order_id":"12345"}
   */
  @IsJsonObject({ maxBytes: MAX_PAYLOAD_BYTES })
  payload!: Record<string, unknown>;

  /**
   * Who gets it; at least one of user_ids, room_id and topic_subscribers.
   * @example {"user_ids":["bob"]}
   */
  @IsNested(() => NotificationTargetsDto)
  targets!: NotificationTargetsDto;
}

/** A notification that was stored. Who gets it, gets it a moment later. */
export class NotifiedDto {
  /** @example notif_019000000000700080000000000000f0 */
  notification_id!: string;
  /** @example 2026-01-31T12:00:00.000Z */
  created_at!: string;
}

/** A notification in a user's inbox. */
export class InboxNotificationDto {
  /** @example notif_019000000000700080000000000000f0 */
  notification_id!: string;
  /** @example order.shipped */
  topic!: string;
  @ApiProperty({ type: 'object', additionalProperties: true })
  payload!: Record<string, unknown>;
  /** @example 2026-01-31T12:00:00.000Z */
  created_at!: string;
  /** When a connection of the user had it; null while it waits. */
  @ApiProperty({ type: String, nullable: true })
  delivered_at!: string | null;
  /** When the user marked it read. */
  @ApiProperty({ type: String, nullable: true })
  read_at!: string | null;
}

export class InboxPageDto extends PageDto {
  /** Newest first. */
  notifications!: InboxNotificationDto[];
  /** Of all pages. */
  @ApiProperty({ type: 'integer' })
  unread_count!: number;
}

/** notification.ack, and its answer. */
export class NotificationAckFrameDto {
  /**
   * As it came with the notification.
   * @example notif_019000000000700080000000000000f0
   */
  @IsString()
  notification_id!: string;
}

@ServerFrame(
  'notification',
  'Something for you; also what waited while you were offline, in order, on connect. Again with the same id when a ' +
    'connection that acknowledges notifications does not do so within 30 s.',
)
export class NotificationFrameDto {
  /** @example notif_019000000000700080000000000000f0 */
  notification_id!: string;
  /** @example order.shipped */
  topic!: string;
  @ApiProperty({ type: 'object', additionalProperties: true })
  payload!: Record<string, unknown>;
  /** @example 2026-01-31T12:00:00.000Z */
  created_at!: string;
}
