import { IsInt, IsString, Min } from 'class-validator';

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
