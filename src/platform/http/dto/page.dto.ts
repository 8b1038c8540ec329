import { ApiProperty } from '@nestjs/swagger';

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
