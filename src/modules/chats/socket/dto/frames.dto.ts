import { ApiProperty } from '@nestjs/swagger';
import { IsInt, IsOptional, IsString, Max, MaxLength, Min, MinLength } from 'class-validator';
import { ERROR_CATALOGUE } from '../../../../common/errors';
import { MAX_CLIENT_MESSAGE_ID, MAX_CONTENT, MAX_META_BYTES } from '../../../../common/limits';
import { IsJsonObject, IsNotBlank } from '../../../../platform/validation';
import { ServerFrame } from '../../../../realtime';
import { AnswerOptionsDto } from '../../dto/answer-options.dto';
import { CHAT_SOCKET_PATH } from '../endpoint';

/** Declares an event of `/ws/chat`. */
const ServerEvent = (name: string, summary: string): ((dto: new () => object) => void) =>
  ServerFrame(name, summary, CHAT_SOCKET_PATH);

@ServerEvent('connection_established', 'The first event of every connection.')
export class ConnectionEstablishedEventDto {
  /** @example alice */
  user_id!: string;
  @ApiProperty({ format: 'uuid', example: '01900000-0000-7000-8000-0000000000f0' })
  chat_id!: string;
  /** @example tenant_019000000000700080000000000000a0 */
  tenant_id!: string;
}

@ServerEvent('user_created', 'After connection_established, on the first socket that this user ever opens.')
export class UserCreatedEventDto {
  /** @example alice */
  user_id!: string;
}

class OfMessageDto {
  /** @example msg_019000000000700080000000000000e0 */
  message_id!: string;
  @ApiProperty({ format: 'uuid', example: '01900000-0000-7000-8000-0000000000f0' })
  chat_id!: string;
}

@ServerEvent('message_received', 'A message of the user is committed; to all connections of the chat.')
export class MessageReceivedEventDto extends OfMessageDto {
  @ApiProperty({ type: 'integer', example: 1 })
  seq!: number;
  /** @example "Hello, I need help with my account" */
  content!: string;
  client_message_id?: string;
  /** On the connection that sent it, where the frame had one. */
  request_id?: string;
}

@ServerEvent('message_stream_started', 'An answer begins, or is taken up again.')
export class MessageStreamStartedEventDto extends OfMessageDto {
  /** Tokens that follow are those after this index; −1: from the beginning. */
  @ApiProperty({ type: 'integer', example: -1 })
  after_index!: number;
}

@ServerEvent('message_stream_token', 'More text of an answer.')
export class MessageStreamTokenEventDto extends OfMessageDto {
  /**
   * One or several tokens, to be appended.
   * @example "Hello"
   */
  token!: string;
  /** Of the last token in `token`. */
  @ApiProperty({ type: 'integer', example: 0 })
  index!: number;
}

export class UsageDto {
  @ApiProperty({ type: 'integer', example: 12 })
  prompt_tokens!: number;
  /** Of these, the ones that the provider had in its cache. Only where it says so. */
  @ApiProperty({ type: 'integer', required: false, example: 8 })
  cached_prompt_tokens?: number;
  @ApiProperty({ type: 'integer', example: 30 })
  completion_tokens!: number;
  @ApiProperty({ type: 'integer', example: 42 })
  total_tokens!: number;
  /** Only where it is true: the model reported nothing, the tokens were counted here. */
  estimated?: boolean;
}

@ServerEvent('message_stream_reasoning', 'What the model thinks before it answers, or between: no part of the answer.')
export class MessageStreamReasoningEventDto extends OfMessageDto {
  /**
   * A piece, to be appended. Only what is thought from now on: who joins later does not get what was thought before.
   * @example "The user greets me."
   */
  reasoning!: string;
}

@ServerEvent('message_stream_ended', 'An answer is over and stored; this is the truth.')
export class MessageStreamEndedEventDto extends OfMessageDto {
  @ApiProperty({ type: 'integer', example: 2 })
  seq!: number;
  /**
   * The whole text.
   * @example "Hello! How can I help?"
   */
  content!: string;
  @ApiProperty({ enum: ['completed', 'cancelled', 'interrupted', 'failed', 'superseded'], example: 'completed' })
  status!: string;
  @ApiProperty({ type: UsageDto, nullable: true })
  usage!: UsageDto | null;
  /** Why the answer ended, as the model said, or `budget`, `stopped`, `error`. */
  @ApiProperty({ type: 'string', nullable: true, example: 'stop' })
  finish_reason!: string | null;
}

@ServerEvent('error', 'A frame was refused, an answer failed, or the connection is about to be closed.')
export class ErrorEventDto {
  /** For programs; docs/errors.md says what each means. */
  @ApiProperty({ enum: Object.keys(ERROR_CATALOGUE), example: 'VALIDATION_ERROR' })
  error_code!: string;
  /** For people; may change. */
  error_message!: string;
  /** Context: `hint` says what to do, `field` names the first bad field, `retryable` and `retry_after_ms` whether and when a retry makes sense; of a failed answer its `message_id`, `chat_id` and `status`. */
  @ApiProperty({ type: 'object', additionalProperties: true })
  details!: Record<string, unknown>;
  /** That of the refused frame. */
  request_id?: string;
}

@ServerEvent('server_shutdown', 'The server stops; the socket is closed with 1012 right after it.')
export class ServerShutdownEventDto {
  /** Milliseconds to wait before connecting again; spread over the clients. */
  @ApiProperty({ type: 'integer', example: 1500 })
  reconnect_after_ms!: number;
}

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
