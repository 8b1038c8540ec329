import { ApiProperty } from '@nestjs/swagger';
import { IsString } from 'class-validator';
import { ServerFrame } from '../../../realtime';

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
