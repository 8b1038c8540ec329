import { ApiProperty } from '@nestjs/swagger';
import { IsInt, IsOptional, IsString, Max, MaxLength, Min, MinLength } from 'class-validator';
import { MAX_LIMIT } from '../../../common/limits';
import { CHANGE_SCHEMA, type ChangeDto } from '../../messages';

/** A change of the feed: those of a room, and that a room is to be read anew. */
const TENANT_CHANGE_SCHEMA = {
  ...CHANGE_SCHEMA,
  description: `${CHANGE_SCHEMA.description} room.reset, which has no more than these three: changes up to rev are kept no more, read the room anew. room.deleted may come without by.`,
  properties: {
    ...CHANGE_SCHEMA.properties,
    type: { type: 'string' as const, enum: [...CHANGE_SCHEMA.properties.type.enum, 'room.reset'] },
  },
};

export class TenantChangesQueryDto {
  /** The `next` of the answer before. Without it: where the feed stands now, and no change. */
  @IsOptional()
  @IsString()
  @MinLength(1)
  @MaxLength(200)
  after?: string;

  /** Most changes to return, 1 to 100. Default 50. */
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(MAX_LIMIT)
  limit?: number;
}

export class TenantChangesDto {
  /**
   * As `GET /rooms/{room_id}/changes` gives them, and `room.reset` where that answers `reset`: of each room in order of `rev`,
   * rooms among each other as they were collected.
   */
  @ApiProperty({ type: 'array', items: TENANT_CHANGE_SCHEMA })
  changes!: ChangeDto[];
  /** The position behind these changes: send it as `after`. Opaque. */
  next!: string;
  /** There are more: ask again with `after` = `next`, also where this page is empty. */
  has_more!: boolean;
  /** Another one than before: a backup was restored, or a failover of the database has lost something. */
  @ApiProperty({ type: 'integer', example: 1 })
  epoch!: number;
}
