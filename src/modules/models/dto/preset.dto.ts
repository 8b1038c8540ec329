import { ApiProperty } from '@nestjs/swagger';
import { IsInt, IsNumber, IsOptional, IsString, Length, Matches, Max, MaxLength, Min } from 'class-validator';
import { IsNullable } from '../../../platform/validation';

const NAME = /^[a-z0-9_-]{1,64}$/;
const NAME_FAULT = 'name must be 1-64 characters of a-z, 0-9, _ and -';

/** What a preset may be given, and be given anew. */
class PresetSettingsDto {
  /**
   * The model that is asked, on whichever channel; null (default): the channel's own.
   * @example gpt-4o
   */
  @IsOptional()
  @IsNullable()
  @IsString()
  @Length(1, 200)
  @ApiProperty({ type: 'string', nullable: true })
  model?: string | null;

  /** 0 to 2; null (default): the channel's own. */
  @IsOptional()
  @IsNullable()
  @IsNumber()
  @Min(0)
  @Max(2)
  @ApiProperty({ type: 'number', format: 'double', nullable: true })
  temperature?: number | null;

  /** Most tokens of an answer; null (default): the channel's own limit. */
  @IsOptional()
  @IsNullable()
  @IsInt()
  @Min(1)
  @Max(10_000_000)
  @ApiProperty({ type: 'integer', nullable: true })
  maxTokens?: number | null;

  /** How many of the latest messages the model sees, 0 to 200. Default 20. */
  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(200)
  contextMessages?: number;
}

export class CreatePresetDto extends PresetSettingsDto {
  /**
   * One of a kind in the tenant: 1 to 64 characters of a-z, 0-9, _ and -. `default` is there already.
   * @example support
   */
  @IsString()
  @Matches(NAME, { message: NAME_FAULT })
  name!: string;

  /**
   * What the model is told before the messages, at most 32 KB; empty for nothing.
   * @example "You help customers of a shop. Be brief."
   */
  @IsString()
  @MaxLength(32_768)
  systemPrompt!: string;
}

export class PatchPresetDto extends PresetSettingsDto {
  /** What the model is told before the messages, at most 32 KB; empty for nothing. */
  @IsOptional()
  @IsString()
  @MaxLength(32_768)
  systemPrompt?: string;
}

export class PresetDto {
  /** @example support */
  name!: string;
  /**
   * What the model is told before the messages; null for a user token, which may not read it.
   * @example You help customers of a shop. Be brief.
   */
  @ApiProperty({ type: 'string', nullable: true })
  systemPrompt!: string | null;
  @ApiProperty({ type: 'string', nullable: true })
  model!: string | null;
  @ApiProperty({ type: 'number', format: 'double', nullable: true })
  temperature!: number | null;
  @ApiProperty({ type: 'integer', nullable: true })
  maxTokens!: number | null;
  contextMessages!: number;
  /** Milliseconds since 1970; null for `default` as it comes with the server. */
  @ApiProperty({ type: 'integer', nullable: true })
  createdAt!: number | null;
  /** Milliseconds since 1970; null for `default` as it comes with the server. */
  @ApiProperty({ type: 'integer', nullable: true })
  updatedAt!: number | null;
}

export class PresetPageDto {
  /** `default` first, the others by name. */
  presets!: PresetDto[];
  total!: number;
  offset!: number;
  limit!: number;
  hasMore!: boolean;
}
