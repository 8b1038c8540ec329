import { ApiProperty } from '@nestjs/swagger';

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
}

export class ProbeDto {
  @ApiProperty({ enum: ['ok', 'error'] })
  status!: string;
}
