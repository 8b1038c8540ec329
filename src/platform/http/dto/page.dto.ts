import { ApiProperty } from '@nestjs/swagger';
import { IsInt, IsOptional, IsString, Max, MaxLength, Min } from 'class-validator';
import { MAX_LIMIT } from '../../../common/limits';

/** Which part of a list is wanted. */
export class PageQueryDto {
  /** Most items to return, 1 to 100. Default 50. */
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(MAX_LIMIT)
  limit?: number;

  /** Items to skip. Default 0. */
  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(1_000_000_000_000)
  offset?: number;
}

/** Which part of a long list is wanted. */
export class CursorQueryDto {
  /** Most items to return, 1 to 100. Default 50. */
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(MAX_LIMIT)
  limit?: number;

  /** The `next` of the page before: what comes after it. Without it the list begins. */
  @IsOptional()
  @IsString()
  @MaxLength(2000)
  cursor?: string;
}

export class SuccessDto {
  /** Always true. */
  success!: boolean;
}

/** Which part of a list an answer is; the answer to a PageQueryDto. */
export class PageDto {
  /** Items of all pages. */
  @ApiProperty({ type: 'integer' })
  total!: number;
  @ApiProperty({ type: 'integer' })
  offset!: number;
  @ApiProperty({ type: 'integer' })
  limit!: number;
  has_more!: boolean;
}

/** The rest of an answer to a CursorQueryDto, beside its `items`. */
export class CursorPageDto {
  /** The `cursor` of the page after this one; null: this is the last one. */
  @ApiProperty({ type: 'string', nullable: true })
  next!: string | null;
}
