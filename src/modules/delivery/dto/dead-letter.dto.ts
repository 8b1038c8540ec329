import { ApiProperty } from '@nestjs/swagger';
import {
  ArrayMaxSize,
  ArrayMinSize,
  IsArray,
  IsIn,
  IsInt,
  IsISO8601,
  IsOptional,
  IsString,
  Max,
  Min,
} from 'class-validator';
import { IsNested, IsUserId } from '../../../platform/validation';
import { TenantQueryDto } from '../../tenants';

const KINDS = ['message', 'notification', 'webhook'] as const;
/** Items per list, and ids per call. */
const MOST = 1000;

export class DeadLettersQueryDto extends TenantQueryDto {
  /** Most items of each list, 1 to 1000. Default 50. */
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(MOST)
  limit?: number;
}

export class FailedMessageDto {
  /**
   * Of this letter, for replaying and dropping it.
   * @example dl_4f1c0a9be2d78a318000000000000001
   */
  id!: string;
  /**
   * @example msg_019000000000700080000000000000e1
   */
  message_id!: string;
  /**
   * Who did not get it.
   * @example bob
   */
  user_id!: string;
  /**
   * @example room_019000000000700080000000000000d0
   */
  room_id!: string;
  /** How often it was sent, counted together for neighbouring messages. */
  @ApiProperty({ type: 'integer', example: 5 })
  attempts!: number;
  last_attempt_at!: string;
  /**
   * @example ack timeout
   */
  error!: string;
}

export class FailedNotificationDto {
  /** Of this letter, for replaying and dropping it. */
  id!: string;
  /**
   * @example notif_019000000000700080000000000000f1
   */
  notification_id!: string;
  /**
   * Who did not get it.
   * @example bob
   */
  user_id!: string;
  /**
   * @example order.shipped
   */
  topic!: string;
  @ApiProperty({ type: 'integer', example: 5 })
  attempts!: number;
  last_attempt_at!: string;
  /**
   * @example user offline
   */
  error!: string;
}

export class FailedWebhookDto {
  /** Of this letter, for replaying and dropping it. */
  id!: string;
  /** What was posted as `webhook-id`: the same on every attempt. */
  webhook_id!: string;
  /**
   * @example message.offline
   */
  type!: string;
  @ApiProperty({ type: 'integer', example: 8 })
  attempts!: number;
  last_attempt_at!: string;
  /**
   * What the target answered, or why it could not be asked.
   * @example HTTP 500
   */
  error!: string;
}

/** Each list: the last attempted first. */
export class DeadLettersDto {
  failed_messages!: FailedMessageDto[];
  failed_notifications!: FailedNotificationDto[];
  failed_webhooks!: FailedWebhookDto[];
}

export class DeadLetterFilterDto {
  /** Default all kinds. */
  @IsOptional()
  @IsIn(KINDS)
  kind?: 'message' | 'notification' | 'webhook';

  /** Only what is about this room. */
  @IsOptional()
  @IsString()
  room_id?: string;

  /** Only what this user did not get. */
  @IsOptional()
  @IsUserId()
  user_id?: string;

  /** Only what was last attempted before this time, ISO 8601 with a zone. */
  @IsOptional()
  @IsISO8601()
  before?: string;
}

/** Either ids or a filter; an empty filter means all. */
export class ReplayDeadLettersDto {
  /**
   * Ids of dead letters, 1 to 1,000, of any kind; those that do not exist are not counted.
   * @example ["dl_4f1c0a9be2d78a318000000000000001"]
   */
  @IsOptional()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(MOST)
  @IsString({ each: true })
  ids?: string[];

  /** All that fit everything that is given. */
  @IsOptional()
  @IsNested(() => DeadLetterFilterDto)
  filter?: DeadLetterFilterDto;
}

export class ReplayedDto {
  /** How many letters were sent once more. */
  @ApiProperty({ type: 'integer', example: 1 })
  replayed!: number;
}
