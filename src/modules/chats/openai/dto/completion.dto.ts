import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
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
  Max,
  MaxLength,
  Min,
} from 'class-validator';
import { IsJsonObject } from '../../../../platform/validation';
import { REASONING_EFFORTS, type ReasoningEffort } from '../../../models';

/** Of a model's name: no preset has a longer one. */
const MAX_MODEL = 200;
const MAX_TOKENS = 10_000_000;
const MAX_FORMAT_BYTES = 32 * 1024;
const MAX_USER = 128;

/** What both of OpenAI's ways to ask call by the same name. */
export class AskedDto {
  /**
   * Name of a preset: `GET /v1/models` lists them.
   * @example default
   */
  @IsString()
  @Length(1, MAX_MODEL)
  model!: string;

  /** Whether the answer comes as server-sent events. Default false. */
  @IsOptional()
  @IsBoolean()
  stream?: boolean;

  /** 0 to 2. Default: the preset's. API keys only. */
  @IsOptional()
  @IsNumber()
  @Min(0)
  @Max(2)
  @ApiProperty({ type: 'number', format: 'double' })
  temperature?: number;

  /** 0 to 1. Default: the preset's. API keys only. */
  @IsOptional()
  @IsNumber()
  @Min(0)
  @Max(1)
  @ApiProperty({ type: 'number', format: 'double' })
  top_p?: number;

  /**
   * The user that an API key asks for, where it sends no `X-User-Id`; naming two is refused. User tokens are their own.
   */
  @IsOptional()
  @IsString()
  @MaxLength(MAX_USER)
  user?: string;
}

export class OpenAiMessageDto {
  /** `system` and `developer` (API keys only) go behind the preset's system prompt, wherever they stand. */
  @ApiProperty({ enum: ['system', 'developer', 'user', 'assistant'], example: 'user' })
  role!: string;
  /**
   * A text, or a list of parts: `text` (`input_text`), and of a user `image_url` (`input_image`) with a data URL of a PNG, JPEG,
   * GIF or WebP of at most 5 MB and 40 megapixels, 20 in all; any other URL is refused. Channels with `vision` are shown them,
   * others are told `[image: …]`, which is all that is stored.
   */
  @ApiProperty({ oneOf: [{ type: 'string' }, { type: 'array', items: { type: 'object' } }], example: 'Hello' })
  content!: unknown;
}

export class ChatCompletionDto extends AskedDto {
  /**
   * What was said, oldest first; the last one but those of `system` and `developer` is the user's. At most 2,000. With
   * `X-Chat-Id` that last one counts, the log is the truth for the rest.
   */
  @IsArray()
  @ApiProperty({ type: [OpenAiMessageDto], example: [{ role: 'user', content: 'Hello' }] })
  messages!: readonly unknown[];

  /** `{"include_usage": true}`: a last chunk without choices holds the usage. */
  @IsOptional()
  @IsJsonObject({ maxBytes: MAX_FORMAT_BYTES })
  stream_options?: Record<string, unknown>;

  /** Most tokens of the answer. Default: the preset's; a user token may ask for fewer. */
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(MAX_TOKENS)
  max_completion_tokens?: number;

  /** The older name of `max_completion_tokens`, which goes before it. */
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(MAX_TOKENS)
  max_tokens?: number;

  /** A text, or one to four, each of 1 to 200 characters, before which the answer ends. API keys only. */
  @IsOptional()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(4)
  @IsString({ each: true })
  @Length(1, 200, { each: true })
  stop?: string[];

  /** The same seed makes some providers give the same answer again. API keys only. */
  @IsOptional()
  @IsInt()
  seed?: number;

  /** How much the model thinks before it answers. API keys only. */
  @IsOptional()
  @IsIn(REASONING_EFFORTS)
  @ApiProperty({ type: 'string', enum: [...REASONING_EFFORTS] })
  reasoning_effort?: ReasoningEffort;

  /** The shape of the answer: `text`, `json_object`, `json_schema`; at most 32 KB. API keys only. */
  @IsOptional()
  @IsJsonObject({ maxBytes: MAX_FORMAT_BYTES })
  response_format?: Record<string, unknown>;
}

class PromptTokensDetailsDto {
  /** Of the prompt’s tokens, the ones that the provider had in its cache. */
  cached_tokens!: number;
}

export class CompletionUsageDto {
  prompt_tokens!: number;
  completion_tokens!: number;
  total_tokens!: number;
  /** Only where the provider says it. */
  prompt_tokens_details?: PromptTokensDetailsDto;
}

export class CompletionMessageDto {
  @ApiProperty({ enum: ['assistant'] })
  role!: string;
  content!: string;
  /** Always null: what a model declines with is its text. */
  @ApiProperty({ type: String, nullable: true })
  refusal!: string | null;
}

export class CompletionChoiceDto {
  /** Always 0: there is one. */
  index!: number;
  message!: CompletionMessageDto;
  /** `length` also where the server, or a budget, has ended it. */
  @ApiProperty({ enum: ['stop', 'length', 'content_filter'] })
  finish_reason!: string;
  /** Always null. */
  @ApiProperty({ type: 'object', nullable: true, additionalProperties: true })
  logprobs!: object | null;
}

export class CompletionDto {
  /** @example chatcmpl-0190a1b2c3d4e5f60718293a4b5c6d7e */
  id!: string;
  @ApiProperty({ enum: ['chat.completion'] })
  object!: string;
  /** Unix seconds. */
  created!: number;
  /** The preset that was asked for. */
  model!: string;
  choices!: CompletionChoiceDto[];
  /** Null where it is not known. */
  @ApiPropertyOptional({ type: CompletionUsageDto, nullable: true })
  usage!: CompletionUsageDto | null;
  /** `images_left_out`: how many images the model was told the names of, and not shown; missing where it was shown all. */
  @ApiPropertyOptional({ type: 'object', additionalProperties: { type: 'string' } })
  metadata?: object;
}

export class ModelDto {
  /**
   * Name of the preset.
   * @example default
   */
  id!: string;
  @ApiProperty({ enum: ['model'] })
  object!: string;
  /** Unix seconds; 0 for `default` as it comes with the server. */
  created!: number;
  /** Always `chatapi`. */
  owned_by!: string;
}

export class ModelListDto {
  @ApiProperty({ enum: ['list'] })
  object!: string;
  /** `default` first, the others by name. */
  data!: ModelDto[];
}
