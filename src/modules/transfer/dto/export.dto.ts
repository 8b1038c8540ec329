import { ApiProperty } from '@nestjs/swagger';
import { IsOptional, IsString, MaxLength } from 'class-validator';
import { CursorPageDto } from '../../../platform/http';

const STATES = ['queued', 'running', 'ready', 'failed', 'expired'] as const;

export class ExportDto {
  /** @example exp_019000000000700080000000000000e0 */
  export_id!: string;
  /** Whose data it is; null: the whole tenant's. */
  @ApiProperty({ type: 'string', nullable: true })
  user_id!: string | null;
  /** The file can be had while it is `ready`. */
  @ApiProperty({ enum: STATES })
  state!: string;
  /** Lines of the file, its first and last left out; null until it is ready. */
  @ApiProperty({ type: 'integer', nullable: true })
  lines!: number | null;
  /** Of the file as it is sent; null until it is ready. */
  @ApiProperty({ type: 'integer', nullable: true })
  bytes!: number | null;
  /** Of the file as it is sent, as hex; null until it is ready. */
  @ApiProperty({ type: 'string', nullable: true })
  sha256!: string | null;
  /** Why it failed. */
  @ApiProperty({ type: 'string', nullable: true })
  error!: string | null;
  created_at!: string;
  @ApiProperty({ type: 'string', nullable: true })
  ready_at!: string | null;
  /** When the file goes, or went; null: there was none yet. */
  @ApiProperty({ type: 'string', nullable: true })
  expires_at!: string | null;
}

export class ExportPageDto extends CursorPageDto {
  @ApiProperty({ type: [ExportDto] })
  items!: ExportDto[];
}

export class FileTicketDto {
  /**
   * Path with a ticket, good for one download.
   * @example /exports/file?ticket=ft_eyJhbGciOiJIUzI1NiJ9.e30.c2ln
   */
  url!: string;
  /** Seconds until it is good no more. */
  @ApiProperty({ type: 'integer', example: 60 })
  expires_in!: number;
}

export class FileTicketQueryDto {
  /** Of a link. */
  @IsOptional()
  @IsString()
  @MaxLength(2000)
  ticket?: string;
}
