import { ApiProperty } from '@nestjs/swagger';
import { IsIn, IsInt, IsOptional, IsString, Max, MaxLength, Min, MinLength } from 'class-validator';
import { MAX_CLIENT_MESSAGE_ID, MAX_CONTENT, MAX_LIMIT, MAX_META_BYTES } from '../../../common/limits';
import { PageQueryDto } from '../../../platform/http';
import { IsJsonObject, IsNotBlank } from '../../../platform/validation';
import { ServerFrame } from '../../../realtime';
import { ListedReactionCountDto } from '../states/dto/reaction.dto';

export class SendMessageDto {
  /**
   * 1 to 32,768 characters, not only blanks or invisible ones.
   * @example "Hello, world!"
   */
  @IsString()
  @MinLength(1)
  @MaxLength(MAX_CONTENT)
  @IsNotBlank()
  content!: string;

  /**
   * An object of your own (or a JSON string that holds one), at most 16 KB. It comes back as an object.
   * @example {"type":"text","mentions":["bob"]}
   */
  @IsOptional()
  @IsJsonObject({ maxBytes: MAX_META_BYTES, orText: true })
  meta?: Record<string, unknown> | string;

  /** Your id of the message, at most 64 characters: a retry with the same one is answered as the first time. */
  @IsOptional()
  @IsString()
  @MinLength(1)
  @MaxLength(MAX_CLIENT_MESSAGE_ID)
  client_message_id?: string;
}

export class EditMessageDto {
  /**
   * The new content, 1 to 32,768 characters, not only blanks or invisible ones.
   * @example "Hello, everybody!"
   */
  @IsOptional()
  @IsString()
  @MinLength(1)
  @MaxLength(MAX_CONTENT)
  @IsNotBlank()
  content?: string;

  /** The new meta as a whole, at most 16 KB. */
  @IsOptional()
  @IsJsonObject({ maxBytes: MAX_META_BYTES, orText: true })
  meta?: Record<string, unknown> | string;
}

export class ListMessagesQueryDto extends PageQueryDto {
  /** Only messages after this sequence number. */
  @IsOptional()
  @IsInt()
  @Min(0)
  after_seq?: number;

  /** Only messages before this sequence number; without after_seq the page that ends just before it. */
  @IsOptional()
  @IsInt()
  @Min(0)
  before_seq?: number;

  /** Which end the page is taken from: `asc` the oldest, `desc` the newest. The array ascends by seq either way. */
  @IsOptional()
  @IsIn(['asc', 'desc'])
  order?: 'asc' | 'desc';

  /**
   * A sequence number or a message id: the page that has it in its middle, half of `limit` before it. Alone or with `limit`.
   * @example 42
   */
  @IsOptional()
  @IsString()
  @MinLength(1)
  @MaxLength(64)
  around?: string;
}

export class ListChangesQueryDto {
  /** Only changes after this revision. Default 0. */
  @IsOptional()
  @IsInt()
  @Min(0)
  after_rev?: number;

  /** Most changes to return, 1 to 100. Default 50. */
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(MAX_LIMIT)
  limit?: number;
}

export class MessageAcceptedDto {
  /** @example msg_019aa1c2d3e4f5061728394a5b6c7d8e */
  message_id!: string;
  /** Position in the room: 1, 2, 3 … without a gap. */
  @ApiProperty({ type: 'integer', example: 43 })
  seq!: number;
  /** @example 2026-01-31T12:00:00.000Z */
  created_at!: string;
}

export class MessageDto {
  message_id!: string;
  room_id!: string;
  @ApiProperty({ type: 'integer' })
  seq!: number;
  /** The room's revision of the message's last change. */
  @ApiProperty({ type: 'integer' })
  rev!: number;
  sender_id!: string;
  /** Empty when the message is deleted. */
  content!: string;
  @ApiProperty({ type: 'object', additionalProperties: true, nullable: true })
  meta!: Record<string, unknown> | null;
  @ApiProperty({ type: String, nullable: true })
  client_message_id!: string | null;
  created_at!: string;
  @ApiProperty({ type: String, nullable: true })
  edited_at!: string | null;
  @ApiProperty({ type: String, nullable: true })
  deleted_at!: string | null;
  /** In the order in which the keys came; at most 30. Left out where nobody ever reacted. */
  @ApiProperty({ type: [ListedReactionCountDto], required: false })
  reactions?: readonly ListedReactionCountDto[];
  /** The room's revision of their last change, which is not one of the message; left out with them. */
  @ApiProperty({ type: 'integer', required: false })
  reactions_rev?: number;
}

const CHANGE_TYPES = [
  'message',
  'message.updated',
  'message.deleted',
  'member.joined',
  'member.left',
  'member.updated',
  'room.updated',
  'room.trimmed',
  'room.deleted',
  'reaction.updated',
  'message.pinned',
  'message.unpinned',
] as const;

/**
 * One change. `message`, `message.updated` and `message.deleted` carry the message's fields as they are now;
 * `member.joined`, `member.left` and `member.updated` carry user_id, role and by; `room.updated` the room's fields, its
 * type as `room_type`; `room.trimmed` first_seq; `reaction.updated` message_id, seq and the reactions as they are now;
 * `message.pinned` and `message.unpinned` message_id and seq, the first with pinned_by and pinned_at.
 */
export interface ChangeDto {
  readonly rev: number;
  readonly type: string;
  readonly room_id: string;
}

/** A change, as the reference pages describe it. */
export const CHANGE_SCHEMA = {
  type: 'object' as const,
  description:
    'message, message.updated and message.deleted carry the fields of the message; member.joined, member.left and member.updated carry user_id, role and by; room.updated the fields of the room, its type as room_type; room.trimmed first_seq; reaction.updated message_id, seq and the reactions as they are now; message.pinned and message.unpinned message_id and seq, the first with pinned_by and pinned_at.',
  properties: {
    rev: { type: 'integer' as const },
    type: { type: 'string' as const, enum: [...CHANGE_TYPES] },
    room_id: { type: 'string' as const },
  },
  required: ['rev', 'type', 'room_id'],
  additionalProperties: true,
};

export class ChangesDto {
  /**
   * In order of rev. Apply each over what you have: by `message_id`, by `user_id`, or to the room. A message stands
   * at its last change only, so revisions may be missing.
   */
  @ApiProperty({ type: 'array', items: CHANGE_SCHEMA })
  changes!: ChangeDto[];
  /** Changes after this revision are all kept. */
  @ApiProperty({ type: 'integer' })
  first_rev!: number;
  /** The room's newest revision. */
  @ApiProperty({ type: 'integer' })
  last_rev!: number;
  /** Another one than before: a backup was restored, or a failover of the database has lost something, and what you keep of the room may never have been. */
  @ApiProperty({ type: 'integer', example: 1 })
  epoch!: number;
  /**
   * Only where after_rev lies before first_rev or beyond last_rev: nothing can be said of what changed since. Drop what
   * you keep of the room and read it anew.
   */
  reset?: boolean;
  /** There are more: ask again with after_rev = the last change's rev. */
  has_more!: boolean;
}

/** send_message. */
export class SendMessageFrameDto extends SendMessageDto {
  /**
   * The room; you must be a member.
   * @example room_019000000000700080000000000000d0
   */
  @IsString()
  room_id!: string;
}

/** message.accepted: the message is committed durably. */
export class MessageAcceptedFrameDto extends MessageAcceptedDto {
  /** @example room_019000000000700080000000000000d0 */
  room_id!: string;
  /** true when this is the answer of an earlier send with the same client_message_id; else left out. */
  replayed?: boolean;
}

@ServerFrame('message', 'A new message in one of your rooms; to the sender too, on all connections.')
export class MessageFrameDto extends MessageDto {}

@ServerFrame('message.updated', 'A message was edited: the whole message as it is now.')
export class MessageUpdatedFrameDto extends MessageDto {}

@ServerFrame('message.deleted', 'A message was deleted; its seq stays.')
export class MessageDeletedFrameDto {
  room_id!: string;
  message_id!: string;
  @ApiProperty({ type: 'integer' })
  seq!: number;
  /** The room's revision of the deletion. */
  @ApiProperty({ type: 'integer' })
  rev!: number;
  /** @example 2026-01-31T12:00:00.000Z */
  deleted_at!: string;
}
