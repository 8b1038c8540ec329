import { ApiProperty } from '@nestjs/swagger';
import { IsInt, IsOptional, IsString, Max, MaxLength, Min, MinLength } from 'class-validator';
import { MAX_CLIENT_MESSAGE_ID, MAX_CONTENT, MAX_META_BYTES } from '../../../../common/limits';
import { IsJsonObject, IsNotBlank } from '../../../../platform/validation';
import { AnswerOptionsDto } from '../../dto/answer-options.dto';

/** A message; `type` may be left out. */
export class ChatMessageFrameDto extends AnswerOptionsDto {
  /**
   * 1 to 32,768 characters, not only blanks or invisible ones.
   * @example "Hello, I need help with my account"
   */
  @IsString()
  @MinLength(1)
  @MaxLength(MAX_CONTENT)
  @IsNotBlank()
  content!: string;

  /** An object of your own (or a JSON string that holds one), at most 16 KB. */
  @IsOptional()
  @IsJsonObject({ maxBytes: MAX_META_BYTES, orText: true })
  metadata?: Record<string, unknown> | string;

  /** Your id of the message, at most 64 characters: a retry with the same one stores nothing. */
  @IsOptional()
  @IsString()
  @MinLength(1)
  @MaxLength(MAX_CLIENT_MESSAGE_ID)
  client_message_id?: string;
}

export class StopFrameDto {}

/** What was stopped; each answer has had its message_stream_ended. */
export class StoppedEventDto {
  /**
   * The answers that were stopped; empty where none was being written.
   * @example ["msg_019000000000700080000000000000e0"]
   */
  message_ids!: string[];
}

export class ResumeFrameDto {
  /**
   * The answer, as `message_stream_started` named it.
   * @example msg_019000000000700080000000000000e0
   */
  @IsString()
  message_id!: string;

  /** The last token that you have; −1: none. */
  @ApiProperty({ type: 'integer', example: 41 })
  @IsInt()
  @Min(-1)
  @Max(2_147_483_647)
  after_index!: number;
}

export class ChatPingFrameDto {}

export class ChatPongEventDto {}
