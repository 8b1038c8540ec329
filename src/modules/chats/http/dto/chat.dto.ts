import { ApiProperty } from '@nestjs/swagger';
import { IsIn, IsOptional, IsString, MaxLength, MinLength } from 'class-validator';
import { MAX_METADATA_BYTES, MAX_PRESET_NAME, MAX_ROOM_NAME } from '../../../../common/limits';
import { PageDto, PageQueryDto } from '../../../../platform/http';
import { IsJsonObject, IsNotBlank, IsUserId } from '../../../../platform/validation';

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
  /** Null while nothing was said. */
  @ApiProperty({ type: String, nullable: true })
  last_message_at!: string | null;
}

export class ChatPageDto extends PageDto {
  chats!: ChatDto[];
}
