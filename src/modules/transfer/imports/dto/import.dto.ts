import { ApiProperty } from '@nestjs/swagger';
import { IsIn, IsInt, Max, Min } from 'class-validator';
import { CursorPageDto } from '../../../../platform/http';
import { IMPORT_SOURCES, IMPORT_STATES, type ImportSource, type ImportState } from '../entities/import.entity';

export class CreateImportDto {
  /** What made the file: this server's export of a tenant, Slack's export (zip), Stream Chat's export. */
  @IsIn(IMPORT_SOURCES)
  source!: ImportSource;
}

export class ImportPartQueryDto {
  /** Number of the part, from 1 without a gap. */
  @IsInt()
  @Min(1)
  @Max(99_999)
  part!: number;
}

export class ImportPartDto {
  @ApiProperty({ type: 'integer' })
  part!: number;
  @ApiProperty({ type: 'integer' })
  bytes!: number;
  /** Of the part, in hex: compare it with yours. */
  sha256!: string;
}

export class ImportFaultDto {
  /** Name of the entry of an archive; empty: the file itself. */
  file!: string;
  /** From 1; 0: the file as a whole. */
  @ApiProperty({ type: 'integer' })
  line!: number;
  /** Where in the line; empty: the line itself. */
  field!: string;
  /** @example must be at most last_seq of the room */
  message!: string;
}

export class ImportDto {
  /** @example imp_0190a1b2c3d47e8f9a0b1c2d3e4f5a6b */
  import_id!: string;
  @ApiProperty({ enum: IMPORT_SOURCES })
  source!: ImportSource;
  /**
   * `valid` may be started; `invalid` has faults, and parts may be sent again; `failed` says why in `error`: started again
   * it goes on.
   */
  @ApiProperty({ enum: IMPORT_STATES })
  state!: ImportState;
  /** Highest number of a part that was sent. */
  @ApiProperty({ type: 'integer' })
  parts!: number;
  /** Of the file, as it was validated; null: it was not. */
  @ApiProperty({ type: 'integer', nullable: true })
  bytes!: number | null;
  /** Hex, of the file as it was validated. */
  @ApiProperty({ type: 'string', nullable: true })
  sha256!: string | null;
  @ApiProperty({ type: 'integer' })
  fault_count!: number;
  /** The first 1,000. */
  faults!: ImportFaultDto[];
  /** What it has made so far, by kinds of lines; what was there before is not in it. */
  @ApiProperty({ type: 'object', additionalProperties: { type: 'integer' } })
  counts!: Readonly<Record<string, number>>;
  /** Whether rooms and messages keep the ids of the file; null: it was not started. */
  @ApiProperty({ type: 'boolean', nullable: true })
  keeps_ids!: boolean | null;
  @ApiProperty({ type: 'string', nullable: true })
  error!: string | null;
  created_at!: string;
  @ApiProperty({ type: 'string', nullable: true })
  finished_at!: string | null;
}

export class ImportsDto extends CursorPageDto {
  items!: ImportDto[];
}
