import { ApiProperty } from '@nestjs/swagger';
import { IsBoolean, IsIn, IsInt, IsNumber, IsOptional, IsString, Length, Max, Min } from 'class-validator';
import { IsJsonObject, IsNested, IsNullable } from '../../../platform/validation';
import { FAULT_REASONS, type FaultReason } from '../contract';
import { AUTH_HEADERS, type AuthHeader } from '../providers/chat-model';
import { PROVIDERS } from '../providers/registry';

const MAX_MS = 3_600_000;

/** How long a channel is waited for, in milliseconds, 100 to 3,600,000 each. What is not sent stays; null: the server's default. */
export class ChannelTimeoutsDto {
  /** Until the first sign of life in an answer; any byte is one. Default MODEL_FIRST_MS (120000). */
  @IsOptional()
  @IsNullable()
  @IsInt()
  @Min(100)
  @Max(MAX_MS)
  @ApiProperty({ type: 'integer', nullable: true })
  firstMs?: number | null;

  /** Between two signs of life. Default MODEL_IDLE_MS (60000). */
  @IsOptional()
  @IsNullable()
  @IsInt()
  @Min(100)
  @Max(MAX_MS)
  @ApiProperty({ type: 'integer', nullable: true })
  idleMs?: number | null;

  /** For the whole answer; the same as `timeoutMs`. Default MODEL_TOTAL_MS (600000). */
  @IsOptional()
  @IsNullable()
  @IsInt()
  @Min(100)
  @Max(MAX_MS)
  @ApiProperty({ type: 'integer', nullable: true })
  totalMs?: number | null;
}

/** How the provider wants to be asked. What is not sent stays. */
export class ChannelParamsDto {
  /**
   * As what the most tokens of an answer are sent to an `openai-compatible` provider. `auto` (default) begins with what the model's name suggests, tries the
   * other once the provider refuses it (400, 422), and remembers what worked.
   */
  @IsOptional()
  @IsIn(['max_tokens', 'max_completion_tokens', 'auto'])
  @ApiProperty({ type: 'string', enum: ['max_tokens', 'max_completion_tokens', 'auto'] })
  maxTokensField?: 'max_tokens' | 'max_completion_tokens' | 'auto';

  /**
   * Whether an `openai-compatible` provider is asked to count the tokens of its stream. `auto` (default) asks, and no longer once the
   * provider refuses it; the tokens are then estimated.
   */
  @IsOptional()
  @IsIn([true, false, 'auto'])
  @ApiProperty({ oneOf: [{ type: 'boolean' }, { type: 'string', enum: ['auto'] }] })
  streamOptions?: boolean | 'auto';

  /**
   * As which role the system prompt is sent; default system. `user` puts it before the first message, for models that know
   * no system prompt; `developer` is for `openai-compatible` only.
   */
  @IsOptional()
  @IsIn(['system', 'developer', 'user'])
  @ApiProperty({ type: 'string', enum: ['system', 'developer', 'user'] })
  systemRole?: 'system' | 'developer' | 'user';

  /**
   * More fields for the body of each request, at most 4 KB; what the server or a preset says itself goes before: `top_k`
   * for anthropic, `{"generationConfig": {"topK": 40}}` or `safetySettings` for google. Sent, it takes the place of what was
   * there.
   * @example {"top_k": 40}
   */
  @IsOptional()
  @IsJsonObject({ maxBytes: 4096 })
  extra?: Record<string, unknown>;
}

const MOST_PRICE = 1_000_000_000;

/** What the provider asks for a million tokens, 0 to 1,000,000,000 each, in the unit of the tenant's `cost_per_day`. */
export class ChannelPricesDto {
  /**
   * Of a prompt.
   * @example 15
   */
  @IsNumber()
  @Min(0)
  @Max(MOST_PRICE)
  @ApiProperty({ type: 'number', format: 'double' })
  input!: number;

  /**
   * Of an answer, thoughts included.
   * @example 60
   */
  @IsNumber()
  @Min(0)
  @Max(MOST_PRICE)
  @ApiProperty({ type: 'number', format: 'double' })
  output!: number;

  /** Of a prompt that the provider has in its cache. Default: as `input`. */
  @IsOptional()
  @IsNumber()
  @Min(0)
  @Max(MOST_PRICE)
  @ApiProperty({ type: 'number', format: 'double', required: false })
  cached?: number;
}

/** What a channel may be given, and be given anew. */
class ChannelSettingsDto {
  /**
   * http or https, at most 2,048 characters, without credentials, such as https://api.openai.com/v1,
   * https://api.anthropic.com/v1, https://generativelanguage.googleapis.com/v1beta or http://127.0.0.1:11434/v1 (Ollama). A query, e.g. Azure's `?api-version=…`, goes with every request. Default: that
   * of the provider's own service.
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

  /**
   * Most tokens of an answer where a preset says nothing; null (default): the provider's own limit. `anthropic` demands
   * one: 32000 is sent, 4096 for models before Claude 4 and unknown ones.
   */
  @IsOptional()
  @IsNullable()
  @IsInt()
  @Min(1)
  @Max(10_000_000)
  @ApiProperty({ type: 'integer', nullable: true })
  maxTokens?: number | null;

  /** 0 to 2 (`anthropic`: what is above 1 is sent as 1), where a preset says nothing; null (default): the provider's own. */
  @IsOptional()
  @IsNullable()
  @IsNumber()
  @Min(0)
  @Max(2)
  @ApiProperty({ type: 'number', format: 'double', nullable: true })
  temperature?: number | null;

  /** Milliseconds that a whole answer may take; the same as `timeouts.totalMs`. */
  @IsOptional()
  @IsInt()
  @Min(100)
  @Max(MAX_MS)
  timeoutMs?: number;

  /** How long it is waited for. */
  @IsOptional()
  @IsNested(() => ChannelTimeoutsDto)
  timeouts?: ChannelTimeoutsDto;

  /** How the provider wants to be asked. */
  @IsOptional()
  @IsNested(() => ChannelParamsDto)
  params?: ChannelParamsDto;

  /**
   * Its own names for models, by the names that presets use: at most 100, each of 1 to 200 characters. A channel that does
   * not have a preset's model, as far as is known, is asked for its own. Sent, it takes the place of what was there.
   */
  @IsOptional()
  @IsJsonObject({ maxBytes: 16_384 })
  models?: Record<string, unknown>;

  /**
   * Header that carries the key: `authorization` (as Bearer), `api-key` (Azure), `x-api-key`, `x-goog-api-key`; null
   * (default): the first for openai-compatible, the last two for anthropic and google.
   */
  @IsOptional()
  @IsNullable()
  @IsIn(AUTH_HEADERS)
  @ApiProperty({ type: 'string', enum: [...AUTH_HEADERS], nullable: true })
  authHeader?: AuthHeader | null;

  /** Tokens that its models read, the answer included, 256 to 10,000,000; null (default): as is known of the model, else 16000. */
  @IsOptional()
  @IsNullable()
  @IsInt()
  @Min(256)
  @Max(10_000_000)
  @ApiProperty({ type: 'integer', nullable: true })
  contextTokens?: number | null;

  /**
   * Whether its models are shown the images of users. Default false: they are told `[image: name]` in their places, and the
   * answer says so in its `metadata`.
   */
  @IsOptional()
  @IsBoolean()
  vision?: boolean;

  /**
   * What its models cost; null (default): not known, and then it answers no tenant that has a budget of money
   * (`cost_per_day`).
   */
  @IsOptional()
  @IsNullable()
  @IsNested(() => ChannelPricesDto)
  prices?: ChannelPricesDto | null;

  /**
   * The same of models that cost something else, by the provider's names: at most 100. Sent, it takes the place of what was
   * there.
   * @example {"gpt-4o": {"input": 250, "output": 1000}}
   */
  @IsOptional()
  @IsJsonObject({ maxBytes: 16_384 })
  modelPrices?: Record<string, unknown>;
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
   * Mistral; `anthropic` its Messages API, `google` its Gemini API. `echo` calls nobody, and answers only while there is no channel of another kind: the example does no harm.
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

export class ChannelTimeoutsInForceDto {
  /** @example 120000 */
  firstMs!: number;
  /** @example 60000 */
  idleMs!: number;
  /** @example 600000 */
  totalMs!: number;
}

export class ChannelParamsInForceDto {
  @ApiProperty({ type: 'string', enum: ['max_tokens', 'max_completion_tokens', 'auto'] })
  maxTokensField!: string;
  @ApiProperty({ oneOf: [{ type: 'boolean' }, { type: 'string', enum: ['auto'] }] })
  streamOptions!: boolean | 'auto';
  @ApiProperty({ type: 'string', enum: ['system', 'developer', 'user'] })
  systemRole!: string;
  @ApiProperty({ type: 'object', additionalProperties: true })
  extra!: Record<string, unknown>;
}

/** A fault of a channel. */
export class ChannelFaultDto {
  /** Milliseconds since 1970. */
  at!: number;
  /** The model that it was asked for. */
  model!: string;
  /** What it is about. */
  @ApiProperty({ type: 'string', enum: [...FAULT_REASONS] })
  reason!: FaultReason;
  /** What to do. */
  hint!: string;
  /** The provider's HTTP status, or what stood for it inside a stream. */
  @ApiProperty({ type: 'integer', nullable: true })
  status!: number | null;
  /** The provider's own names for it. */
  @ApiProperty({ type: 'string', nullable: true })
  type!: string | null;
  @ApiProperty({ type: 'string', nullable: true })
  code!: string | null;
  /**
   * In the server's words.
   * @example "answered HTTP 401: it refuses the key"
   */
  fault!: string;
  /** The first 300 characters of what the provider said, without keys and addresses; it may quote what users wrote. */
  @ApiProperty({ type: 'string', nullable: true })
  providerMessage!: string | null;
}

/** Tokens of a test, as the provider counts them. */
export class ChannelTestUsageDto {
  /** @example 8 */
  promptTokens!: number;
  /** @example 1 */
  completionTokens!: number;
  /** @example 9 */
  totalTokens!: number;
  /** The provider has counted nothing: a quarter of the bytes. */
  estimated!: boolean;
}

/** What came of asking a channel for one token. */
export class ChannelTestDto {
  /** It has answered. A model that used the token for thinking has. */
  ok!: boolean;
  /**
   * The model that was asked.
   * @example gpt-4o-mini
   */
  model!: string;
  /**
   * Milliseconds until it had answered, or failed.
   * @example 412
   */
  @ApiProperty({ type: 'integer' })
  latencyMs!: number;
  /** null where no model had begun. */
  @ApiProperty({ type: ChannelTestUsageDto, nullable: true })
  usage!: ChannelTestUsageDto | null;
  /** What went wrong; null where it has answered. */
  @ApiProperty({ type: ChannelFaultDto, nullable: true })
  error!: ChannelFaultDto | null;
}

/** The channel of the environment, which every tenant has. */
export class EnvironmentChannelDto {
  /** @example environment */
  name!: string;
  /** @example openai-compatible */
  provider!: string;
  /** @example https://api.openai.com/v1 */
  baseUrl!: string;
  /** @example gpt-4o-mini */
  model!: string;
  timeouts!: ChannelTimeoutsInForceDto;
  /** The latest faults of whichever tenant's requests, newest first, at most 5; of this server, since it was started. */
  lastFaults!: ChannelFaultDto[];
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
  /** The same as `timeouts.totalMs`. */
  timeoutMs!: number;
  /** As they are in force. */
  timeouts!: ChannelTimeoutsInForceDto;
  params!: ChannelParamsInForceDto;
  /** @example {"smart": "gpt-4o"} */
  @ApiProperty({ type: 'object', additionalProperties: { type: 'string' } })
  models!: Record<string, string>;
  @ApiProperty({ type: 'string', enum: [...AUTH_HEADERS] })
  authHeader!: AuthHeader;
  @ApiProperty({ type: 'integer', nullable: true })
  contextTokens!: number | null;
  vision!: boolean;
  /** Null: not known. */
  @ApiProperty({ type: ChannelPricesDto, nullable: true })
  prices!: ChannelPricesDto | null;
  @ApiProperty({ type: 'object', additionalProperties: { $ref: '#/components/schemas/ChannelPricesDto' } })
  modelPrices!: Record<string, ChannelPricesDto>;
  /** The latest faults, newest first, at most 5; of this server, since it was started. */
  lastFaults!: ChannelFaultDto[];
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
