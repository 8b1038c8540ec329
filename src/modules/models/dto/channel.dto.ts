import { ApiProperty } from '@nestjs/swagger';
import { IsBoolean, IsIn, IsInt, IsNumber, IsOptional, IsString, Length, Max, Min } from 'class-validator';
import { IsNullable } from '../../../platform/validation';
import { PROVIDERS } from '../providers/registry';

/** What a channel may be given, and be given anew. */
class ChannelSettingsDto {
  /**
   * http or https, at most 2,048 characters, without credentials, such as https://api.openai.com/v1 or
   * http://127.0.0.1:11434/v1 (Ollama). Default: that of the provider's own service.
   */
  @IsOptional()
  @IsString()
  @Length(1, 2048)
  baseUrl?: string;

  /** The provider's key. It is encrypted at rest and never shown; null takes it away. */
  @IsOptional()
  @IsNullable()
  @IsString()
  @Length(1, 1024)
  @ApiProperty({ type: 'string', nullable: true })
  apiKey?: string | null;

  /** The model that is asked where a preset names none, such as gpt-4o-mini. Default: a small one of the provider's. */
  @IsOptional()
  @IsString()
  @Length(1, 200)
  model?: string;

  /**
   * Lower is tried first. Default 0.
   * @example 10
   */
  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(1000)
  priority?: number;

  /** Share of the requests among channels of one priority; 0: only after the others. Default 1. */
  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(1000)
  weight?: number;

  /** A channel that is not enabled is never tried. Default true. */
  @IsOptional()
  @IsBoolean()
  enabled?: boolean;

  /** Most tokens of an answer where a preset says nothing; null (default): the provider's own limit. */
  @IsOptional()
  @IsNullable()
  @IsInt()
  @Min(1)
  @Max(10_000_000)
  @ApiProperty({ type: 'integer', nullable: true })
  maxTokens?: number | null;

  /** 0 to 2, where a preset says nothing; null (default): the provider's own. */
  @IsOptional()
  @IsNullable()
  @IsNumber()
  @Min(0)
  @Max(2)
  @ApiProperty({ type: 'number', format: 'double', nullable: true })
  temperature?: number | null;

  /** Milliseconds that a whole answer may take. Default 300000. */
  @IsOptional()
  @IsInt()
  @Min(100)
  @Max(3_600_000)
  timeoutMs?: number;
}

export class CreateChannelDto extends ChannelSettingsDto {
  /**
   * One of a kind in the tenant; clients see it where the channel fails.
   * @example echo
   */
  @IsString()
  @Length(1, 100)
  name!: string;

  /**
   * The protocol that it speaks. `openai-compatible` is OpenAI, and also Ollama, vLLM, Groq, OpenRouter, DeepSeek,
   * Mistral. `echo` calls nobody, and answers only while there is no channel of another kind: the example does no harm.
   * @example echo
   */
  @IsIn(PROVIDERS)
  @ApiProperty({ type: 'string', enum: [...PROVIDERS] })
  provider!: string;
}

export class PatchChannelDto extends ChannelSettingsDto {
  /** One of a kind in the tenant. */
  @IsOptional()
  @IsString()
  @Length(1, 100)
  name?: string;

  /** The protocol that it speaks; the base URL stays as it is. */
  @IsOptional()
  @IsIn(PROVIDERS)
  @ApiProperty({ type: 'string', enum: [...PROVIDERS] })
  provider?: string;
}

export class ChannelDto {
  /** @example chan_019000000000700080000000000000f0 */
  id!: string;
  /** @example main */
  name!: string;
  /** @example openai-compatible */
  provider!: string;
  /** @example https://api.openai.com/v1 */
  baseUrl!: string;
  /** Whether it has a key; the key itself is never shown. */
  hasApiKey!: boolean;
  /** @example gpt-4o-mini */
  model!: string;
  priority!: number;
  weight!: number;
  enabled!: boolean;
  @ApiProperty({ type: 'integer', nullable: true })
  maxTokens!: number | null;
  @ApiProperty({ type: 'number', format: 'double', nullable: true })
  temperature!: number | null;
  timeoutMs!: number;
  /** Milliseconds since 1970. */
  createdAt!: number;
  /** Milliseconds since 1970. */
  updatedAt!: number;
}

export class ChannelPageDto {
  /** In the order in which they are tried, equals by name. */
  channels!: ChannelDto[];
  total!: number;
  offset!: number;
  limit!: number;
  hasMore!: boolean;
}
