import { ApiProperty } from '@nestjs/swagger';
import { IsInt, IsString, Min } from 'class-validator';
import { ServerFrame } from '../../../realtime';

export class PositionDto {
  /**
   * The room.
   * @example room_019000000000700080000000000000d0
   */
  @IsString()
  room_id!: string;

  /**
   * Everything up to and including this sequence number; at most the room's last_seq.
   * @example 1
   */
  @IsInt()
  @Min(0)
  seq!: number;
}

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
