import { ApiProperty } from '@nestjs/swagger';
import { IsInt, IsOptional, Max, Min } from 'class-validator';
import { MAX_OVERLAP_SECONDS } from '../../../common/limits';
import { PageDto } from '../../../platform/http';

export class RotateWebhookDto {
  /** Seconds that the old secret signs too, beside the new one, 0 to 30 days. Default 86400. */
  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(MAX_OVERLAP_SECONDS)
  overlap_seconds?: number;
}

export class WebhookRotatedDto {
  /** The new secret. Shown only here. */
  webhook_secret!: string;
}

export class WebhookDto {
  /** @example https://example.com/chat-events */
  url!: string;
  events!: string[];
  @ApiProperty({ enum: ['enabled', 'disabled'] })
  status!: string;
  /** Since when all attempts fail. */
  @ApiProperty({ type: String, nullable: true })
  failing_since!: string | null;
  @ApiProperty({ type: String, nullable: true })
  disabled_at!: string | null;
  /** @example the target answered 410 Gone */
  @ApiProperty({ type: String, nullable: true })
  disabled_reason!: string | null;
}

/** One webhook-id, and its last attempt. */
export class WebhookDeliveryDto {
  /**
   * Posted as `webhook-id`: the same on every attempt.
   * @example wh_4f1c0a9be2d75a318000000000000001
   */
  webhook_id!: string;
  /** @example message.offline */
  type!: string;
  /** `pending`: more attempts follow; `dead`: given up, a dead letter; `failed`: given up for good. */
  @ApiProperty({ enum: ['pending', 'delivered', 'dead', 'failed'] })
  state!: string;
  @ApiProperty({ type: 'integer', example: 1 })
  attempts!: number;
  /** HTTP status of the answer; null when there was none. */
  @ApiProperty({ type: 'integer', nullable: true, example: 200 })
  status!: number | null;
  /** Milliseconds that the attempt took. */
  @ApiProperty({ type: 'integer', nullable: true, example: 42 })
  latency_ms!: number | null;
  /** The first 1 KB of the answer. */
  @ApiProperty({ type: String, nullable: true })
  answer!: string | null;
  /** @example HTTP 500 */
  @ApiProperty({ type: String, nullable: true })
  error!: string | null;
  created_at!: string;
  @ApiProperty({ type: String, nullable: true })
  last_attempt_at!: string | null;
}

export class WebhookDeliveryPageDto extends PageDto {
  /** Newest first. What was delivered is kept for 3 days, all else for 30. */
  deliveries!: WebhookDeliveryDto[];
}
