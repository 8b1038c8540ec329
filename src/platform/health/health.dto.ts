import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';

export class HealthDto {
  @ApiProperty({ enum: ['ok', 'error'] })
  status!: string;
  /** @example 2h30m45s */
  uptime!: string;
  /**
   * The release that runs.
   * @example 0.1.0
   */
  version!: string;
  /** Whether a real write to the database succeeded. */
  db_writable!: boolean;
  /**
   * Milliseconds by which the database's clock is ahead of this server's. Only there when they differ by more than a second.
   * @example -2400
   */
  clock_offset_ms?: number;
  /**
   * Of one of several servers (REDIS_URL): whether they hear each other through Redis. While they do not (`down`), what
   * happens on one reaches clients of the others some seconds later; `status` stays `ok`.
   */
  @ApiPropertyOptional({ enum: ['live', 'down'] })
  bus?: string;
}

export class ProbeDto {
  @ApiProperty({ enum: ['ok', 'error'] })
  status!: string;
}
