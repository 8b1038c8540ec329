import { ApiProperty } from '@nestjs/swagger';
import { IsIn, IsInt, IsOptional, IsString } from 'class-validator';

/** Whose stats. */
export class StatsQueryDto {
  /** One tenant. A key means its own; without it the master key means the whole installation. */
  @IsOptional()
  @IsString()
  tenant_id?: string;
}

export const RANGES = ['1h', '24h', '7d'] as const;
export const STEPS = [60, 300, 900, 3600] as const;

export class StatsHistoryQueryDto extends StatsQueryDto {
  /** How far it goes back. Default 1h. */
  @IsOptional()
  @IsIn(RANGES)
  range?: (typeof RANGES)[number];

  /**
   * Seconds per point: 60, 300, 900 or 3600, and no more than 1,500 points. Default 60 for 1h, 300 for 24h, 3600 for 7d.
   */
  @IsOptional()
  @IsInt()
  @IsIn(STEPS)
  step?: number;
}

/** What is open. */
export class SocketCountsDto {
  /** Sockets of /ws. */
  ws!: number;
  /** Sockets of /ws/chat. */
  ws_chat!: number;
  /** Answers of server-sent events. */
  sse!: number;
}

/** What waits for a group commit. */
export class AppendQueueDto {
  items!: number;
  /** About what they cost in memory. */
  bytes!: number;
  /** Since when the oldest of them waits. */
  @ApiProperty({ type: 'number', format: 'double' })
  oldest_ms!: number;
}

/** How things are now; rates are those of the second before the sample. */
export class FiguresDto {
  connections!: SocketCountsDto;
  /** Users that are online. */
  online!: number;
  /** Rooms that a connection is in. */
  rooms_live!: number;
  /** Messages that were stored. */
  @ApiProperty({ type: 'number', format: 'double' })
  messages_per_second!: number;
  /** Messages written to connections, one for each. */
  @ApiProperty({ type: 'number', format: 'double' })
  deliveries_per_second!: number;
  /** Requests and frames that a rate limit refused. */
  @ApiProperty({ type: 'number', format: 'double' })
  refused_per_second!: number;
  /** Tokens of models' answers. */
  @ApiProperty({ type: 'number', format: 'double' })
  tokens_per_second!: number;
  /** Sends of the last minute, from their arrival to their commit, at most a third too high; null: there were none. */
  @ApiProperty({ type: 'number', format: 'double', nullable: true })
  send_p50_ms!: number | null;
  @ApiProperty({ type: 'number', format: 'double', nullable: true })
  send_p99_ms!: number | null;
  append!: AppendQueueDto;
  /** Bytes that wait for clients to take them; at most 5 s old. */
  queue_bytes!: number;
}

/** Background jobs of a kind. */
export class JobCountsDto {
  /** @example webhook.deliver */
  kind!: string;
  queued!: number;
  running!: number;
  dead!: number;
}

/** Answers of models that have not ended. */
export class RunCountsDto {
  queued!: number;
  streaming!: number;
}

export class DeadLetterCountsDto {
  message!: number;
  notification!: number;
  webhook!: number;
}

/** What the database was asked for, at most every ten seconds. */
export class CountsDto {
  /** When it was. */
  counted_at!: string;
  jobs!: JobCountsDto[];
  runs!: RunCountsDto;
  dead_letters!: DeadLetterCountsDto;
  /**
   * Which of these ended at 10,000 and may be more: `jobs.queued`, `jobs.running`, `jobs.dead`, `runs`,
   * `dead_letters.message`, `dead_letters.notification`, `dead_letters.webhook`.
   */
  capped!: string[];
}

/** One of the twenty tenants that do most. */
export class TenantFiguresDto {
  /** @example tenant_01900000000070008000000000000001 */
  tenant_id!: string;
  /** Sockets and answers of server-sent events. */
  connections!: number;
  online!: number;
  @ApiProperty({ type: 'number', format: 'double' })
  messages_per_second!: number;
  @ApiProperty({ type: 'number', format: 'double' })
  deliveries_per_second!: number;
  @ApiProperty({ type: 'number', format: 'double' })
  refused_per_second!: number;
  @ApiProperty({ type: 'number', format: 'double' })
  tokens_per_second!: number;
  @ApiProperty({ type: 'number', format: 'double', nullable: true })
  send_p99_ms!: number | null;
}

/** The database as a node sees it. */
export class NodeDatabaseDto {
  up!: boolean;
  /** Connections of the pool that work now. */
  in_use!: number;
  /** The most that there may be. */
  size!: number;
  /** Calls that wait for one. */
  waiting!: number;
}

export class NodeStatsDto {
  /** UUID, new with each of its starts. */
  node_id!: string;
  /** Its CLUSTER_NODE_NAME; null: it has none. */
  @ApiProperty({ type: String, nullable: true })
  name!: string | null;
  started_at!: string;
  /** How late the event loop was within the second, beyond its timer's 10 ms. */
  @ApiProperty({ type: 'number', format: 'double' })
  loop_delay_p99_ms!: number;
  rss_bytes!: number;
  database!: NodeDatabaseDto;
}

export class StatsDto {
  /** Of the sample, about the second since 1970; the `id` of its event. */
  id!: number;
  at!: string;
  /** null: the whole installation. */
  @ApiProperty({ type: String, nullable: true })
  tenant_id!: string | null;
  figures!: FiguresDto;
  /** null: not known, also in samples of the past about one tenant. */
  @ApiProperty({ type: CountsDto, nullable: true })
  counts!: CountsDto | null;
  /** Those that do most, at most 20; null about one tenant. */
  @ApiProperty({ type: [TenantFiguresDto], nullable: true })
  tenants!: TenantFiguresDto[] | null;
  /** The servers that said something of themselves within five seconds, this one first; null about one tenant. */
  @ApiProperty({ type: [NodeStatsDto], nullable: true })
  nodes!: NodeStatsDto[] | null;
}

/** A step of the history. */
export class StatsPointDto {
  /** Its beginning. */
  at!: string;
  /** The most, at the ends of its minutes; so with `online`. */
  connections!: number;
  online!: number;
  /** Within the step; so with the three below. */
  messages!: number;
  deliveries!: number;
  refused!: number;
  tokens!: number;
  /** The minutes' medians, each counting as often as it has messages. */
  @ApiProperty({ type: 'number', format: 'double', nullable: true })
  send_p50_ms!: number | null;
  /** The highest of its minutes. */
  @ApiProperty({ type: 'number', format: 'double', nullable: true })
  send_p99_ms!: number | null;
  /** The most within the step, as all below; null about one tenant. */
  @ApiProperty({ type: 'integer', nullable: true })
  queue_bytes!: number | null;
  @ApiProperty({ type: 'integer', nullable: true })
  append_items!: number | null;
  @ApiProperty({ type: 'number', format: 'double', nullable: true })
  append_oldest_ms!: number | null;
  @ApiProperty({ type: 'number', format: 'double', nullable: true })
  loop_delay_p99_ms!: number | null;
  @ApiProperty({ type: 'integer', nullable: true })
  rss_bytes!: number | null;
}

export class StatsHistoryDto {
  /** null: the whole installation. */
  @ApiProperty({ type: String, nullable: true })
  tenant_id!: string | null;
  @ApiProperty({ enum: RANGES })
  range!: string;
  /** Seconds per point. */
  @ApiProperty({ enum: STEPS })
  step!: number;
  /** Oldest first. A step without one: nothing happened, or no server ran. */
  points!: StatsPointDto[];
}
