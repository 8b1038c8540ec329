import { ApiProperty } from '@nestjs/swagger';
import { IsInt, IsOptional, IsString, Max, MaxLength, Min, MinLength } from 'class-validator';
import { MAX_LIMIT } from '../../../common/limits';
import { CHANGE_SCHEMA, type ChangeDto } from '../../messages';

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
  /** As `GET /rooms/{room_id}/changes` gives them: of each room in order of `rev`, rooms among each other as they were collected. */
  @ApiProperty({ type: 'array', items: CHANGE_SCHEMA })
  changes!: ChangeDto[];
  /** The position behind these changes: send it as `after`. Opaque. */
  next!: string;
  /** There are more: ask again with `after` = `next`, also where this page is empty. */
  has_more!: boolean;
  /** Another one than before: a backup was restored, or a failover of the database has lost something. */
  @ApiProperty({ type: 'integer', example: 1 })
  epoch!: number;
}
