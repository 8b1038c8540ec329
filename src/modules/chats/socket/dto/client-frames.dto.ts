import { ApiProperty } from '@nestjs/swagger';
import { IsInt, IsOptional, IsString, Max, MaxLength, Min, MinLength } from 'class-validator';
import { IsJsonObject, IsNotBlank } from '../../../../platform/validation';

/** A message; `type` may be left out. */
export class ChatMessageFrameDto {
  /**
   * 1 to 32,768 characters, not only blanks or invisible ones.
   * @example "Hello, I need help with my account"
   */
  @IsString()
  @MinLength(1)
  @MaxLength(32_768)
  @IsNotBlank()
  content!: string;

  /** An object of your own (or a JSON string that holds one), at most 16 KB. */
  @IsOptional()
  @IsJsonObject({ maxBytes: 16 * 1024, orText: true })
  metadata?: Record<string, unknown> | string;

  /** Your id of the message, at most 64 characters: a retry with the same one stores nothing. */
  @IsOptional()
  @IsString()
  @MinLength(1)
  @MaxLength(64)
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
