import { ApiProperty } from '@nestjs/swagger';
import { IsBoolean, IsIn, IsOptional, IsString, MaxLength, MinLength } from 'class-validator';
import {
  MAX_CLIENT_MESSAGE_ID,
  MAX_CONTENT,
  MAX_META_BYTES,
  MAX_METADATA_BYTES,
  MAX_PRESET_NAME,
  MAX_ROOM_NAME,
} from '../../../../common/limits';
import { PageDto, PageQueryDto } from '../../../../platform/http';
import { IsJsonObject, IsNotBlank, IsUserId } from '../../../../platform/validation';
import { AnswerOptionsDto } from '../../dto/answer-options.dto';

export class CreateChatDto {
  /**
   * Who talks with the model; made when unknown. A user token may name its own user only.
   * @example alice
   */
  @IsUserId()
  user_id!: string;

  /**
   * 1 to 200 characters, not only blanks. Without one a title is made, and after the first exchange it becomes a short form of the first
   * message.
   * @example Support Session
   */
  @IsOptional()
  @IsString()
  @MinLength(1)
  @MaxLength(MAX_ROOM_NAME)
  @IsNotBlank()
  title?: string;

  /**
   * Anything of your own, at most 8 KB; comes back as `config.metadata`.
   * @example {"department":"technical","priority":"high"}
   */
  @IsOptional()
  @IsJsonObject({ maxBytes: MAX_METADATA_BYTES })
  metadata?: Record<string, unknown>;

  /** Name of the preset that says how the assistant behaves. Default `default`; an unknown one is refused. */
  @IsOptional()
  @IsString()
  @MinLength(1)
  @MaxLength(MAX_PRESET_NAME)
  preset?: string;
}

export class UpdateChatDto {
  /**
   * 1 to 200 characters, not only blanks.
   * @example Billing question
   */
  @IsOptional()
  @IsString()
  @MinLength(1)
  @MaxLength(MAX_ROOM_NAME)
  @IsNotBlank()
  title?: string;

  /**
   * Merged by top-level key: keys that are sent are set, null removes one, the others stay. At most 8 KB in all.
   * @example {"priority":"low"}
   */
  @IsOptional()
  @IsJsonObject({ maxBytes: MAX_METADATA_BYTES })
  metadata?: Record<string, unknown>;
}

export class ListChatsQueryDto extends PageQueryDto {
  /** By creation: `desc` newest first, `asc` oldest first. Default desc. */
  @IsOptional()
  @IsIn(['asc', 'desc'])
  order?: 'asc' | 'desc';
}

export class ChatConfigDto {
  /** `{}` when there is none. */
  @ApiProperty({ type: 'object', additionalProperties: true })
  metadata!: Record<string, unknown>;
  /** @example default */
  preset!: string;
  /** true where the preset was deleted since: answers are those of `default` then; else missing. */
  preset_deleted?: boolean;
}

export class ChatDto {
  /**
   * A UUID. The same chat is the room `room_<hex>` and the conversation `conv_<hex>`.
   * @example 01900000-0000-7000-8000-0000000000c0
   */
  id!: string;
  user_id!: string;
  tenant_id!: string;
  title!: string;
  config!: ChatConfigDto;
  /** @example 2026-01-31T12:00:00.000Z */
  created_at!: string;
  updated_at!: string;
  /** What the user's own client calls it on the UI stream; else missing. */
  external_id?: string;
  /** Null while nothing was said. */
  @ApiProperty({ type: String, nullable: true })
  last_message_at!: string | null;
}

export class ChatPageDto extends PageDto {
  chats!: ChatDto[];
}

const MESSAGE_STATUSES = ['completed', 'cancelled', 'interrupted', 'failed', 'superseded'] as const;

export class RegenerateDto {
  /** true: the answer comes as server-sent events. Default: as `Accept` asks for. */
  @IsOptional()
  @IsBoolean()
  stream?: boolean;
}

export class SendChatMessageDto extends AnswerOptionsDto {
  /** true: the answer comes as server-sent events. Default: as `Accept` asks for. */
  @IsOptional()
  @IsBoolean()
  stream?: boolean;

  /**
   * 1 to 32,768 characters, not only blanks or invisible ones.
   * @example "Hello, I need help with my account"
   */
  @IsString()
  @MinLength(1)
  @MaxLength(MAX_CONTENT)
  @IsNotBlank()
  content!: string;

  /**
   * An object of your own, at most 16 KB.
   * @example {"source":"web"}
   */
  @IsOptional()
  @IsJsonObject({ maxBytes: MAX_META_BYTES })
  metadata?: Record<string, unknown>;

  /**
   * Your id of the message, at most 64 characters: a repeat with the same one stores nothing again and gets the same
   * answer, or joins it while it is written.
   */
  @IsOptional()
  @IsString()
  @MinLength(1)
  @MaxLength(MAX_CLIENT_MESSAGE_ID)
  client_message_id?: string;
}

export class ListChatMessagesQueryDto extends PageQueryDto {
  /** In order of seq: `asc` oldest first, `desc` newest first. Default asc. */
  @IsOptional()
  @IsIn(['asc', 'desc'])
  order?: 'asc' | 'desc';

  /** `ui`: as messages of the Vercel AI SDK, for `useChat`; the chat may then be named as your client calls it, too. */
  @IsOptional()
  @IsIn(['ui'])
  format?: 'ui';
}

class UsageDto {
  @ApiProperty({ type: 'integer' })
  prompt_tokens!: number;
  /** Of these, the ones that the provider had in its cache. Only where it says so. */
  @ApiProperty({ type: 'integer', required: false })
  cached_prompt_tokens?: number;
  @ApiProperty({ type: 'integer' })
  completion_tokens!: number;
  @ApiProperty({ type: 'integer' })
  total_tokens!: number;
  /** true where the model reported nothing and the tokens were counted here; else missing. */
  estimated?: boolean;
}

export class ChatMessageDto {
  /** @example msg_019aa1c2d3e4f5061728394a5b6c7d8e */
  id!: string;
  chat_id!: string;
  /** Empty when the message is deleted. */
  content!: string;
  /** Of an answer whose preset says `keepReasoning`: what the model thought. */
  reasoning?: string;
  @ApiProperty({ enum: ['user', 'assistant', 'system'] })
  sender_role!: 'user' | 'assistant' | 'system';
  /** Position in the chat: 1, 2, 3 … without a gap. An answer gets its own when it ends. */
  @ApiProperty({ type: 'integer' })
  seq!: number;
  /** Of an answer: the seq of the message that it answers. */
  @ApiProperty({ type: 'integer', required: false })
  reply_to_seq?: number;
  @ApiProperty({ type: 'object', additionalProperties: true, nullable: true })
  metadata!: Record<string, unknown> | null;
  /**
   * How an answer ended: `completed`; `cancelled` by stop; `interrupted`: cut, with the text so far; `failed` before the
   * first token; `superseded` by another one. `completed` for what users say.
   */
  @ApiProperty({ enum: MESSAGE_STATUSES })
  status!: (typeof MESSAGE_STATUSES)[number];
  /** Of an answer: the tokens that it took. */
  @ApiProperty({ type: UsageDto, required: false })
  usage?: UsageDto;
  /**
   * Of an answer: why it ended, as the model said (`stop`, `length`, `content_filter`, …); `budget`: nothing was left
   * of one; `stopped` by a user or the server's stop; `error`.
   * @example stop
   */
  @ApiProperty({ type: String, required: false })
  finish_reason?: string;
  /** @example 2026-01-31T12:00:00.000Z */
  created_at!: string;
  /** Only where the message is deleted. */
  deleted_at?: string;
}

export class ChatMessagePageDto extends PageDto {
  messages!: ChatMessageDto[];
}

export class TurnDto {
  /** What the user said. */
  message!: ChatMessageDto;
  /** What the model answered. */
  answer!: ChatMessageDto;
}

export class StoppedDto {
  /** The answers that were stopped, with their text so far; empty when none was being written. */
  answers!: ChatMessageDto[];
}

export class ResumeQueryDto {
  /** The same as the header `Last-Event-ID`, for those who cannot set it; the header wins. */
  @IsOptional()
  @IsString()
  last_event_id?: string;
}
