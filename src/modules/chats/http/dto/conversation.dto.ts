import { ApiProperty } from '@nestjs/swagger';
import { IsOptional, IsString, Matches, MaxLength, MinLength } from 'class-validator';
import { MAX_CLIENT_MESSAGE_ID, MAX_CONTENT, MAX_PRESET_NAME } from '../../../../common/limits';
import { PageQueryDto } from '../../../../platform/http';
import { IsNotBlank, IsUserId } from '../../../../platform/validation';
import { CamelAnswerOptionsDto } from '../../dto/answer-options.dto';

/** 1–128 printable ASCII characters without spaces and commas, like a user id. */
const GROUP_ID = /^[\x21-\x2b\x2d-\x7e]{1,128}$/;
const GROUP_ID_FAULT = 'groupId must be 1-128 printable ASCII characters without spaces and commas';

export class AskDto extends CamelAnswerOptionsDto {
  /**
   * 1 to 32,768 characters, not only blanks or invisible ones.
   * @example "Hello, how are you?"
   */
  @IsString()
  @MinLength(1)
  @MaxLength(MAX_CONTENT)
  @IsNotBlank()
  message!: string;

  /**
   * Who asks; made when unknown. A caller who acts as a user may name that user only.
   * @example alice
   */
  @IsUserId()
  userId!: string;

  /** The group that the user asks in: each has a conversation of its own. 1–128 printable ASCII characters. */
  @IsOptional()
  @IsString()
  @Matches(GROUP_ID, { message: GROUP_ID_FAULT })
  groupId?: string;

  /**
   * Name of the preset. Default `default`; an unknown one is refused.
   * @example default
   */
  @IsOptional()
  @IsString()
  @MinLength(1)
  @MaxLength(MAX_PRESET_NAME)
  preset?: string;

  /**
   * A conversation of this user, `conv_…` or the bare UUID; groupId and preset, where they are sent, must be its own.
   * Without it the message goes to the active conversation of userId, groupId and preset, which is made when there is
   * none.
   */
  @IsOptional()
  @IsString()
  conversationId?: string;

  /**
   * Your id of the message, at most 64 characters: a repeat with the same one stores nothing again and gets the same
   * answer, or joins it while it is written.
   */
  @IsOptional()
  @IsString()
  @MinLength(1)
  @MaxLength(MAX_CLIENT_MESSAGE_ID)
  clientMessageId?: string;
}

export class ListConversationsQueryDto extends PageQueryDto {
  /** Only conversations of this user. */
  @IsOptional()
  @IsUserId()
  userId?: string;

  /** Only conversations of this group. */
  @IsOptional()
  @IsString()
  @Matches(GROUP_ID, { message: GROUP_ID_FAULT })
  groupId?: string;
}

export class TokenUsageDto {
  @ApiProperty({ type: 'integer' })
  promptTokens!: number;
  /** Of these, the ones that the provider had in its cache. Only where it says so. */
  @ApiProperty({ type: 'integer', required: false })
  cachedPromptTokens?: number;
  @ApiProperty({ type: 'integer' })
  completionTokens!: number;
  @ApiProperty({ type: 'integer' })
  totalTokens!: number;
  /** true where the model reported nothing and the tokens were counted here; else missing. */
  estimated?: boolean;
}

export class AnswerDto {
  /** @example "I'm doing great, thank you for asking!" */
  response!: string;
  /** @example conv_019aa1c2d3e475068728394a5b6c7d8e */
  conversationId!: string;
  /** Null where nothing is known, e.g. of an answer that was stopped before its first token. */
  @ApiProperty({ type: TokenUsageDto, nullable: true })
  usage!: TokenUsageDto | null;
  /**
   * Why the answer ended, as the model said (`stop`, `length`, `content_filter`, …); `stopped` by a user or the server's
   * stop; `error`. Null where nothing is known.
   * @example stop
   */
  @ApiProperty({ type: String, nullable: true })
  finishReason!: string | null;
}

export class ConversationDto {
  /** @example conv_019aa1c2d3e475068728394a5b6c7d8e */
  id!: string;
  userId!: string;
  @ApiProperty({ type: String, nullable: true })
  groupId!: string | null;
  /** Deleted messages count; answers that failed, or were stopped before their first token, do not. */
  @ApiProperty({ type: 'integer' })
  messageCount!: number;
  /** How what was said last begins, by either side: at most 280 characters as people count them; null when nothing was. */
  @ApiProperty({ type: String, nullable: true })
  lastMessage!: string | null;
  /** There is more of lastMessage. */
  lastMessageTruncated!: boolean;
  /** Milliseconds since 1970. */
  @ApiProperty({ type: 'integer' })
  updatedAt!: number;
}

export class ConversationListDto {
  /** Newest activity first. */
  conversations!: ConversationDto[];
  /** Conversations on all pages. */
  @ApiProperty({ type: 'integer' })
  total!: number;
}

export class ConversationMessageDto {
  @ApiProperty({ enum: ['user', 'assistant', 'system'] })
  role!: 'user' | 'assistant' | 'system';
  content!: string;
  /** Of an answer whose preset says `keepReasoning`: what the model thought. */
  reasoning?: string;
  /** Milliseconds since 1970. */
  @ApiProperty({ type: 'integer' })
  timestamp!: number;
  /**
   * Of an answer: why it ended, as in the answer itself.
   * @example stop
   */
  finishReason?: string;
}

export class ConversationHistoryDto {
  id!: string;
  /** The newest `limit` ones (`offset` skips that many of the newest), in order of time. */
  messages!: ConversationMessageDto[];
  /** Messages in all, as `messageCount`. */
  @ApiProperty({ type: 'integer' })
  total!: number;
}

export class ClearedDto {
  /** Always true. */
  success!: boolean;
  @ApiProperty({ enum: ['Context cleared'] })
  message!: string;
}
