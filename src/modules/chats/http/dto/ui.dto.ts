import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsArray, IsIn, IsOptional, IsString, Matches, MaxLength, MinLength } from 'class-validator';
import { MAX_CLIENT_MESSAGE_ID, MAX_PRESET_NAME } from '../../../../common/limits';
import { PageDto } from '../../../../platform/http';
import { EXTERNAL_CHAT_ID } from '../../contract';

const TRIGGERS = ['submit-message', 'regenerate-message'] as const;

export class UiPartDto {
  /** `text`, or of an answer `step-start` before what it says, and `reasoning` where the preset keeps it. Of a user also `file`, an image. Other types of a user's parts are left out. */
  @ApiProperty({ type: String, example: 'text' })
  type!: string;
  /** Of `text` and `reasoning`. */
  @ApiProperty({ type: String, required: false, example: 'Hello' })
  text?: string;
  /** Of an answer's parts: always `done` in lists. */
  @ApiProperty({ type: String, required: false })
  state?: string;
  /**
   * Of a user's `file`: a data URL of a PNG, JPEG, GIF or WebP of at most 5 MB and 40 megapixels, 20 in all; any other URL is
   * refused. It is shown to channels with `vision`, and not stored: the message says `[image: name]` in its place.
   */
  @ApiProperty({ type: String, required: false })
  url?: string;
  /** Of a `file`: its name. */
  @ApiProperty({ type: String, required: false })
  filename?: string;
}

export class UiMessageDto {
  /**
   * Of a user's message what its client calls it, else `msg_…`; of an answer `msg_…`.
   * @example Zr4jYlbhXGtQY1Ho
   */
  id!: string;
  @ApiProperty({ enum: ['user', 'assistant', 'system'], example: 'user' })
  role!: string;
  @ApiProperty({ type: [UiPartDto] })
  parts!: UiPartDto[];
  /**
   * Of the server's making: `chatId` (UUID), `seq`, `createdAt` (ISO 8601), and of an answer `status`, `finishReason`, `usage`.
   * What a client sends here is ignored.
   */
  @ApiPropertyOptional({ type: 'object', additionalProperties: true })
  metadata?: Record<string, unknown>;
}

const EXAMPLE = { id: 'Zr4jYlbhXGtQY1Ho', role: 'user', parts: [{ type: 'text', text: 'Hello' }] };

export class UiChatDto {
  /**
   * What your client calls the chat: 1 to 64 of `A-Z a-z 0-9 _ -`, one chat per user and id, made at first use; or the UUID of
   * a chat of this user.
   * @example w1xM8lHqcTzuyBQm
   */
  @IsString()
  @Matches(EXTERNAL_CHAT_ID, { message: 'id must be 1-64 characters of A-Z, a-z, 0-9, _ and -' })
  id!: string;

  /**
   * The client's messages, of which the last one counts: a user's, with an id of 1 to 64 characters and text parts that are
   * together 1 to 32,768 characters. Those before it are not looked at, the log is the truth; send the last one only.
   */
  @IsArray()
  @ApiProperty({ type: [UiMessageDto], example: [EXAMPLE] })
  messages!: readonly unknown[];

  /** `regenerate-message` writes the newest answer anew. Default `submit-message`. */
  @IsOptional()
  @IsIn(TRIGGERS)
  trigger?: (typeof TRIGGERS)[number];

  /**
   * With `submit-message`: the newest question becomes the last message's text, and is answered anew; anything else is
   * refused (409). With `regenerate-message`: the newest answer or its question, which it is without an id, too.
   */
  @IsOptional()
  @IsString()
  @MinLength(1)
  @MaxLength(MAX_CLIENT_MESSAGE_ID)
  messageId?: string;

  /**
   * Name of the preset of a chat that is made. Default `default`; an unknown one is refused, of a chat that exists another one.
   * @example default
   */
  @IsOptional()
  @IsString()
  @MinLength(1)
  @MaxLength(MAX_PRESET_NAME)
  preset?: string;
}

export class UiStoppedDto {
  /** The answers that were stopped, with their text so far; empty when none was being written. */
  answers!: UiMessageDto[];
}

export class UiMessagePageDto extends PageDto {
  /** Without deleted messages, answers that were superseded and those without a word: there may be fewer than `limit`. */
  messages!: UiMessageDto[];
}
