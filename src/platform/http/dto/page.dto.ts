import { ApiProperty } from '@nestjs/swagger';
import { IsInt, IsOptional, Max, Min } from 'class-validator';
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
