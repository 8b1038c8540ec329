import { ApiProperty } from '@nestjs/swagger';

export class RoomPresenceDto {
  /**
   * Ids of the members that are connected now, in the order of joining; a page of them.
   * @example ["alice","bob"]
   */
  online!: string[];
  /** How many members are connected. */
  @ApiProperty({ type: 'integer', example: 2 })
  total!: number;
  @ApiProperty({ type: 'integer' })
  offset!: number;
  @ApiProperty({ type: 'integer' })
  limit!: number;
  has_more!: boolean;
}
