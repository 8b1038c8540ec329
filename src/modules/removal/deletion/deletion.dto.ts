import { ApiProperty } from '@nestjs/swagger';
import { IsString, MaxLength, MinLength } from 'class-validator';

const STATES = ['waiting', 'deleting', 'done', 'failed'] as const;

export class DeleteTenantQueryDto {
  /**
   * The name of the tenant, as it is now: who deletes it knows which one it is.
   * @example Acme
   */
  @IsString()
  @MinLength(1)
  @MaxLength(200)
  confirm!: string;
}

export class DeletionBegunDto {
  /** @example del_019aa1c2d3e4f5061728394a5b6c7d8e */
  deletion_id!: string;
  @ApiProperty({ enum: STATES })
  state!: (typeof STATES)[number];
}

export class DeletionDto extends DeletionBegunDto {
  /**
   * Rows that are gone, by table; exact, also while it goes on.
   * @example {"messages": 1200, "rooms": 4}
   */
  @ApiProperty({ type: 'object', additionalProperties: { type: 'integer' } })
  deleted!: Record<string, number>;
  /** Why it was given up; delete the tenant once more to take it up again. */
  @ApiProperty({ type: String, nullable: true })
  error!: string | null;
  started_at!: string;
  @ApiProperty({ type: String, nullable: true })
  finished_at!: string | null;
}
