import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsArray, IsBoolean, IsInt, IsOptional, IsString, Max, MaxLength, Min } from 'class-validator';
import { IsJsonObject } from '../../../../platform/validation';
import { AskedDto } from './completion.dto';

const MAX_TOKENS = 10_000_000;
const MAX_OBJECT_BYTES = 32 * 1024;
const MAX_INSTRUCTIONS = 32_768;
const MAX_ID = 100;
/** Of the number of an event. */
const MAX_SEQUENCE = 2_147_483_647;

export class CreateResponseDto extends AskedDto {
  /**
   * What the user says: a text, or messages. Where the answer is stored, what was said before comes from the log, so messages of
   * the assistant are refused; with `store: false` they are all that is known.
   */
  @IsArray()
  @ApiProperty({
    oneOf: [{ type: 'string' }, { type: 'array', items: { $ref: '#/components/schemas/OpenAiMessageDto' } }],
    example: 'Hello',
  })
  input!: readonly unknown[];

  /** Goes behind the preset's system prompt, of this answer alone. API keys only. */
  @IsOptional()
  @IsString()
  @MaxLength(MAX_INSTRUCTIONS)
  instructions?: string;

  /** An answer of the same user: this is the next turn of its chat. Without it a chat is made. */
  @IsOptional()
  @IsString()
  @MaxLength(MAX_ID)
  previous_response_id?: string;

  /** False: nothing is stored, and who leaves ends the answer; API keys only. Default true, which needs a user. */
  @IsOptional()
  @IsBoolean()
  store?: boolean;

  /** True: answers at once, with the status `queued`. Default false. */
  @IsOptional()
  @IsBoolean()
  background?: boolean;

  /** Most tokens of the answer. Default: the preset's; a user token may ask for fewer. */
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(MAX_TOKENS)
  max_output_tokens?: number;

  /** `{"format": …}`: the shape of the answer, `text`, `json_object` or `json_schema`. API keys only. */
  @IsOptional()
  @IsJsonObject({ maxBytes: MAX_OBJECT_BYTES })
  text?: Record<string, unknown>;

  /** `{"effort": …}`: how much the model thinks before it answers. API keys only. */
  @IsOptional()
  @IsJsonObject({ maxBytes: MAX_OBJECT_BYTES })
  reasoning?: Record<string, unknown>;
}

export class ResponseQueryDto {
  /** Whether the answer comes as server-sent events: what there is of it, then what comes. Default false. */
  @IsOptional()
  @IsBoolean()
  stream?: boolean;

  /** With `stream`: the `sequence_number` of the last event that you have; what follows it is told. Default: all is. */
  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(MAX_SEQUENCE)
  starting_after?: number;
}

export class ResponseDto {
  /** @example resp_0190a1b2c3d4e5f60718293a4b5c6d7e */
  id!: string;
  @ApiProperty({ enum: ['response'] })
  object!: string;
  /** Unix seconds. */
  created_at!: number;
  @ApiProperty({ enum: ['queued', 'in_progress', 'completed', 'incomplete', 'cancelled', 'failed'] })
  status!: string;
  /** The preset that was asked for. */
  model!: string;
  /** One message with one text; empty before the answer has ended, or where it has no word. */
  @ApiProperty({ type: 'array', items: { type: 'object' } })
  output!: object[];
  /** Why it failed: `code`, `message`. */
  @ApiPropertyOptional({ type: 'object', nullable: true, additionalProperties: true })
  error!: object | null;
  /** Why it is shorter than it would be: `reason`. */
  @ApiPropertyOptional({ type: 'object', nullable: true, additionalProperties: true })
  incomplete_details!: object | null;
  /** `input_tokens`, `output_tokens`, `total_tokens`; null before the end. */
  @ApiPropertyOptional({ type: 'object', nullable: true, additionalProperties: true })
  usage!: object | null;
  /** As the call that asked has named it; null when it is read before it has begun. */
  @ApiProperty({ type: String, nullable: true })
  previous_response_id!: string | null;
  /** As the call that asked has said; false when it is read later. */
  background!: boolean;
  /** Whether it can be read later. */
  store!: boolean;
  /** Always null: what was asked for is not told back. */
  @ApiProperty({ type: 'object', nullable: true, additionalProperties: true })
  instructions!: object | null;
  /** `images_left_out`: how many images the model was told the names of, and not shown, where it was; nothing else is kept. */
  @ApiProperty({ type: 'object', additionalProperties: true })
  metadata!: object;
  /** Always true. */
  parallel_tool_calls!: boolean;
  /** Always null: what was asked for is not told back. */
  @ApiProperty({ type: Number, nullable: true })
  temperature!: number | null;
  /** Always null: what was asked for is not told back. */
  @ApiProperty({ type: Number, nullable: true })
  top_p!: number | null;
  @ApiProperty({ enum: ['auto'] })
  tool_choice!: string;
  /** Always empty. */
  @ApiProperty({ type: 'array', items: { type: 'object' } })
  tools!: object[];
  @ApiProperty({ enum: ['auto'] })
  truncation!: string;
}
