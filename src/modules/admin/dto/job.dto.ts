import { ApiProperty } from '@nestjs/swagger';
import { IsIn, IsOptional, IsString, Matches, MaxLength } from 'class-validator';
import { CursorPageDto, CursorQueryDto } from '../../../platform/http';

const STATES = ['queued', 'running', 'dead'] as const;

export class JobsQueryDto extends CursorQueryDto {
  /** Whose jobs. With the master key: all tenants' without it. */
  @IsOptional()
  @IsString()
  tenant_id?: string;

  /** Only jobs of this kind. */
  @IsOptional()
  @IsString()
  @MaxLength(100)
  @Matches(/^[\w.-]+$/)
  kind?: string;

  /** Which jobs are listed: those that wait, run, or were given up. Default dead. */
  @IsOptional()
  @IsIn(STATES)
  state?: (typeof STATES)[number];
}

export class JobKindDto {
  /** @example webhook.deliver */
  kind!: string;
  /** Counted up to 10,000, as the other two. */
  @ApiProperty({ type: 'integer' })
  queued!: number;
  @ApiProperty({ type: 'integer' })
  running!: number;
  @ApiProperty({ type: 'integer' })
  dead!: number;
  /** When the one that has waited longest was due; null: none waits. */
  @ApiProperty({ type: 'string', nullable: true })
  oldest_due_at!: string | null;
}

export class JobDto {
  /** @example "4711" */
  job_id!: string;
  tenant_id!: string;
  kind!: string;
  /** Of those with one key only so many run at once. */
  key!: string;
  @ApiProperty({ enum: STATES })
  state!: string;
  @ApiProperty({ type: 'integer' })
  attempts!: number;
  /** How the last attempt failed; null: none has. */
  @ApiProperty({ type: 'string', nullable: true })
  last_error!: string | null;
  /** The ids in what it carries. */
  @ApiProperty({ type: 'object', additionalProperties: true })
  about!: object;
  created_at!: string;
  /** When it is, or was, due. */
  due_at!: string;
  /** When it was given up; null: it was not. */
  @ApiProperty({ type: 'string', nullable: true })
  dead_at!: string | null;
}

export class JobsDto extends CursorPageDto {
  /** Those of which there are any. */
  kinds!: JobKindDto[];
  items!: JobDto[];
}
