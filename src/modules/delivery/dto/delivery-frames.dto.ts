import { ApiProperty } from '@nestjs/swagger';
import { ServerFrame } from '../../../realtime';

/** ack.received and read.received: the member's position after the frame. */
export class PositionReceivedFrameDto {
  /** @example room_019000000000700080000000000000d0 */
  room_id!: string;
  /** As sent. */
  @ApiProperty({ type: 'integer', example: 1 })
  seq!: number;
  /** @example alice */
  user_id!: string;
}

@ServerFrame('read.update', 'A member has read up to here; merged, at most one per user and second.')
export class ReadUpdateFrameDto {
  /** @example room_019000000000700080000000000000d0 */
  room_id!: string;
  /** @example bob */
  user_id!: string;
  @ApiProperty({ type: 'integer', example: 42 })
  seq!: number;
}
