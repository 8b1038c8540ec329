import { ApiProperty } from '@nestjs/swagger';
import {
  ArrayMaxSize,
  ArrayMinSize,
  IsArray,
  IsIn,
  IsInt,
  IsNumber,
  IsOptional,
  IsString,
  Length,
  Max,
  Min,
} from 'class-validator';
import { IsJsonObject } from '../../../platform/validation';
import { REASONING_EFFORTS, type ReasoningEffort } from '../../models';

const MAX_TOKENS = 10_000_000;
const MAX_FORMAT_BYTES = 32 * 1024;

/** What both APIs call by the same name. */
class CommonOptionsDto {
  /**
   * The model that is asked, instead of the preset's. API keys only.
   * @example gpt-4o
   */
  @IsOptional()
  @IsString()
  @Length(1, 200)
  model?: string;

  /** 0 to 2. Default: the preset's. API keys only. */
  @IsOptional()
  @IsNumber()
  @Min(0)
  @Max(2)
  @ApiProperty({ type: 'number', format: 'double' })
  temperature?: number;

  /** One to four texts, each of 1 to 200 characters, before which the answer ends. Default: the preset's. API keys only. */
  @IsOptional()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(4)
  @IsString({ each: true })
  @Length(1, 200, { each: true })
  stop?: string[];

  /** The same seed makes some providers give the same answer again. Default: the preset's. API keys only. */
  @IsOptional()
  @IsInt()
  seed?: number;
}

/**
 * How one answer is wanted, in the words of the AI chats API and its socket. Repeats of a message must name the same, and
 * `regenerate` keeps what was named last.
 */
export class AnswerOptionsDto extends CommonOptionsDto {
  /** 0 to 1. Default: the preset's. API keys only. */
  @IsOptional()
  @IsNumber()
  @Min(0)
  @Max(1)
  @ApiProperty({ type: 'number', format: 'double' })
  top_p?: number;

  /** Most tokens of the answer, 1 to 10,000,000. Default: the preset's. API keys only. */
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(MAX_TOKENS)
  max_tokens?: number;

  /** How much the model thinks before it answers. Default: the preset's. API keys only. */
  @IsOptional()
  @IsIn(REASONING_EFFORTS)
  @ApiProperty({ type: 'string', enum: [...REASONING_EFFORTS] })
  reasoning_effort?: ReasoningEffort;

  /**
   * The shape of the answer, as OpenAI's API spells it (`text`, `json_object`, `json_schema`), at most 32 KB. Default: the
   * preset's. API keys only.
   * @example {"type": "json_object"}
   */
  @IsOptional()
  @IsJsonObject({ maxBytes: MAX_FORMAT_BYTES })
  response_format?: Record<string, unknown>;
}

/** The same in the words of the Conversations API. */
export class CamelAnswerOptionsDto extends CommonOptionsDto {
  /** 0 to 1. Default: the preset's. API keys only. */
  @IsOptional()
  @IsNumber()
  @Min(0)
  @Max(1)
  @ApiProperty({ type: 'number', format: 'double' })
  topP?: number;

  /** Most tokens of the answer, 1 to 10,000,000. Default: the preset's. API keys only. */
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(MAX_TOKENS)
  maxTokens?: number;

  /** How much the model thinks before it answers. Default: the preset's. API keys only. */
  @IsOptional()
  @IsIn(REASONING_EFFORTS)
  @ApiProperty({ type: 'string', enum: [...REASONING_EFFORTS] })
  reasoningEffort?: ReasoningEffort;

  /**
   * The shape of the answer, as OpenAI's API spells it (`text`, `json_object`, `json_schema`), at most 32 KB. Default: the
   * preset's. API keys only.
   * @example {"type": "json_object"}
   */
  @IsOptional()
  @IsJsonObject({ maxBytes: MAX_FORMAT_BYTES })
  responseFormat?: Record<string, unknown>;
}
