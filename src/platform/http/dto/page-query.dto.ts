import { IsInt, IsOptional, Max, Min } from 'class-validator';
import { MAX_LIMIT } from '../../../common/pagination';

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
