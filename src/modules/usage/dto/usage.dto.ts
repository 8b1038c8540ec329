import { ApiProperty } from '@nestjs/swagger';
import { IsIn, IsOptional, IsString, Matches } from 'class-validator';
import { CursorPageDto, CursorQueryDto } from '../../../platform/http';

/** What the figures can be added up by. */
export const USAGE_GROUPS = ['day', 'user', 'chat', 'channel', 'preset'] as const;
export type UsageGroup = (typeof USAGE_GROUPS)[number];

const DAY = /^\d{4}-\d{2}-\d{2}$/;
const DAY_FAULT = 'must be a day: YYYY-MM-DD';

export class TenantUsageQueryDto extends CursorQueryDto {
  /** The tenant. A key means its own; the master key has to say which. */
  @IsOptional()
  @IsString()
  tenant_id?: string;

  /**
   * The first day, UTC. Default 29 days before `to`.
   * @example 2026-11-01
   */
  @IsOptional()
  @Matches(DAY, { message: `from ${DAY_FAULT}` })
  from?: string;

  /**
   * The last day, UTC; at most 366 days with the first. Default today.
   * @example 2026-11-30
   */
  @IsOptional()
  @Matches(DAY, { message: `to ${DAY_FAULT}` })
  to?: string;

  /** What an item is about. Default `day`. */
  @IsOptional()
  @IsIn(USAGE_GROUPS)
  group_by?: UsageGroup;
}

export class TenantUsageItemDto {
  /**
   * Of `group_by=day`: every day of the range has an item.
   * @example 2026-11-29
   */
  day?: string;
  /**
   * Of `group_by=user`: who sent, and who asked a model. A model's own messages stand under its agent.
   * @example alice
   */
  user_id?: string;
  /**
   * Of `group_by=chat`: a room of any type; it may be gone by now.
   * @example room_019000000000700080000000000000d0
   */
  room_id?: string;
  /** Of `group_by=channel`; null: runs that ended before they had one. */
  @ApiProperty({ type: 'string', nullable: true, required: false })
  channel?: string | null;
  /** Of `group_by=preset`; null: runs of chats that are gone. */
  @ApiProperty({ type: 'string', nullable: true, required: false })
  preset?: string | null;
  /** Sent to the log, by people and models, the later deleted ones too; not of channels and presets. */
  @ApiProperty({ type: 'integer', required: false })
  messages?: number;
  /** Answers of models that have ended, whatever way; on the day of their end. */
  @ApiProperty({ type: 'integer' })
  runs!: number;
  /** Of these runs; those of titles and of tests of a channel are not in. */
  @ApiProperty({ type: 'integer' })
  prompt_tokens!: number;
  @ApiProperty({ type: 'integer' })
  completion_tokens!: number;
  /** How many of these tokens we have estimated, where the provider told none. */
  @ApiProperty({ type: 'integer' })
  estimated_tokens!: number;
  /** What they cost by the prices of their channels, in the unit of those; a channel without prices adds nothing. */
  @ApiProperty({ type: 'number', format: 'double' })
  cost!: number;
  /** Of `group_by=day`: bytes of contents and metas that are stored at the end of the day. */
  @ApiProperty({ type: 'integer', required: false })
  storage_bytes?: number;
  /** Of `group_by=day`: messages written to sockets. Approximate. */
  @ApiProperty({ type: 'integer', required: false })
  deliveries?: number;
  /** Of `group_by=day`: attempts at webhooks. Approximate. */
  @ApiProperty({ type: 'integer', required: false })
  webhook_posts?: number;
  /** Of `group_by=day`: most sockets that were open at once on one server. Approximate. */
  @ApiProperty({ type: 'integer', required: false })
  peak_connections?: number;
}

export class TenantUsageDto extends CursorPageDto {
  /**
   * @example tenant_01900000000070008000000000000001
   */
  tenant_id!: string;
  /**
   * @example 2026-11-01
   */
  from!: string;
  /**
   * @example 2026-11-30
   */
  to!: string;
  group_by!: UsageGroup;
  items!: TenantUsageItemDto[];
  /** What was committed before then is in; null: the tenant was not counted through yet. */
  @ApiProperty({ type: 'string', nullable: true })
  complete_to!: string | null;
  /** Fields that a crash may have cost a minute of. All others are exact. */
  approximate!: string[];
}
