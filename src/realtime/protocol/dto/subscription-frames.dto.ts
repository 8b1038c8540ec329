import { ApiProperty } from '@nestjs/swagger';
import { IsString } from 'class-validator';

/** subscribe and unsubscribe. */
export class SubscriptionFrameDto {
  /**
   * A room of yours, or a channel. Members are subscribed by themselves.
   * @example room_019000000000700080000000000000d0
   */
  @IsString()
  room_id!: string;
}

export class SubscribedFrameDto {
  /** @example room_019000000000700080000000000000d0 */
  room_id!: string;
  /** Sequence number of the newest message: what comes from here on is live. */
  @ApiProperty({ type: 'integer', example: 42 })
  last_seq!: number;
  /** The room's newest revision. */
  @ApiProperty({ type: 'integer', example: 57 })
  last_rev!: number;
}

export class UnsubscribedFrameDto {
  /** @example room_019000000000700080000000000000d0 */
  room_id!: string;
}
