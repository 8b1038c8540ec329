import { ApiProperty } from '@nestjs/swagger';
import {
  ArrayMaxSize,
  ArrayMinSize,
  IsArray,
  IsBoolean,
  IsIn,
  IsInt,
  IsNumber,
  IsOptional,
  IsString,
  Length,
  Matches,
  Max,
  MaxLength,
  Min,
} from 'class-validator';
import { IsJsonObject, IsNullable } from '../../../platform/validation';
import { REASONING_EFFORTS, type ReasoningEffort, type ResponseFormat } from '../contract';

const NAME = /^[a-z0-9_-]{1,64}$/;
const NAME_FAULT = 'name must be 1-64 characters of a-z, 0-9, _ and -';

/** What a preset may be given, and be given anew. */
class PresetSettingsDto {
  /**
   * The model that is asked; null (default): the channel's own. A channel that has a name of its own for it (`models`) is
   * asked for that, and one that is known to have another vendor's models for its own.
   * @example gpt-4o
   */
  @IsOptional()
  @IsNullable()
  @IsString()
  @Length(1, 200)
  @ApiProperty({ type: 'string', nullable: true })
  model?: string | null;

  /** 0 to 2; null (default): the channel's own. Anthropic gets at most 1, and none beside thinking. */
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

  /** 0 to 1; null (default): the provider's own. Anthropic gets it only without a temperature. */
  @IsOptional()
  @IsNullable()
  @IsNumber()
  @Min(0)
  @Max(1)
  @ApiProperty({ type: 'number', format: 'double', nullable: true })
  topP?: number | null;

  /** One to four texts, each of 1 to 200 characters, before which an answer ends; null (default): none. */
  @IsOptional()
  @IsNullable()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(4)
  @IsString({ each: true })
  @Length(1, 200, { each: true })
  @ApiProperty({ type: 'array', items: { type: 'string' }, nullable: true })
  stop?: string[] | null;

  /** How much the model thinks before it answers; null (default): the provider's own. Its thoughts are a part of `maxTokens`. */
  @IsOptional()
  @IsNullable()
  @IsIn(REASONING_EFFORTS)
  @ApiProperty({ type: 'string', enum: [...REASONING_EFFORTS], nullable: true })
  reasoningEffort?: ReasoningEffort | null;

  /**
   * The shape of an answer, as OpenAI's API spells it, at most 32 KB; null (default): text. Anthropic knows no `json_object`:
   * a channel of it refuses the request, and the next one is asked.
   * @example {"type": "json_schema", "json_schema": {"name": "answer", "schema": {"type": "object"}, "strict": true}}
   */
  @IsOptional()
  @IsNullable()
  @IsJsonObject({ maxBytes: 32_768 })
  @ApiProperty({ type: 'object', additionalProperties: true, nullable: true })
  responseFormat?: Record<string, unknown> | null;

  /** The same seed makes some providers give the same answer again; null (default): none. */
  @IsOptional()
  @IsNullable()
  @IsInt()
  @ApiProperty({ type: 'integer', nullable: true })
  seed?: number | null;

  /** How many of the latest messages the model sees, 0 to 200. Default 20. */
  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(200)
  contextMessages?: number;

  /** Most tokens that the model is told, 256 to 10,000,000; null (default): as many as the channel's model reads. */
  @IsOptional()
  @IsNullable()
  @IsInt()
  @Min(256)
  @Max(10_000_000)
  @ApiProperty({ type: 'integer', nullable: true })
  contextTokens?: number | null;

  /**
   * Whether what the model thinks is stored with its answer, and shown with it in lists (`reasoning`). Default false: it is
   * only streamed. It is never told to a model again.
   */
  @IsOptional()
  @IsBoolean()
  keepReasoning?: boolean;
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
  @ApiProperty({ type: 'number', format: 'double', nullable: true })
  topP!: number | null;
  @ApiProperty({ type: 'array', items: { type: 'string' }, nullable: true })
  stop!: string[] | null;
  @ApiProperty({ type: 'string', enum: [...REASONING_EFFORTS], nullable: true })
  reasoningEffort!: ReasoningEffort | null;
  @ApiProperty({ type: 'object', additionalProperties: true, nullable: true })
  responseFormat!: ResponseFormat | null;
  @ApiProperty({ type: 'integer', nullable: true })
  seed!: number | null;
  contextMessages!: number;
  @ApiProperty({ type: 'integer', nullable: true })
  contextTokens!: number | null;
  keepReasoning!: boolean;
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
