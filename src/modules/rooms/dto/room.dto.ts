import { ApiProperty, OmitType } from '@nestjs/swagger';
import { ArrayMaxSize, IsArray, IsIn, IsOptional, IsString, MaxLength, MinLength } from 'class-validator';
import { MAX_METADATA_BYTES, MAX_ROOM_NAME } from '../../../common/limits';
import { PageDto, PageQueryDto } from '../../../platform/http';
import { IsJsonObject, IsNested, IsUserId } from '../../../platform/validation';
import { ServerFrame } from '../../../realtime';
import { ROOM_TYPES } from '../entities/room.entity';
import { ROOM_SETTINGS, type RoomSettings } from '../settings';
import { MeDto } from './me.dto';

/** Most user ids in one call (contract §3). */
export const MAX_USERS_PER_CALL = 1000;

export class CreateRoomDto {
  /**
   * `dm`: exactly two people, unique per pair. `group`: invited members. `channel`: every user of the tenant may
   * read and join.
   * @example group
   */
  @IsIn(ROOM_TYPES, { message: `Invalid room type. Must be one of: ${ROOM_TYPES.join(', ')}` })
  type!: 'dm' | 'group' | 'channel';

  /**
   * User ids, at most 1,000; duplicates are ignored, unknown ids create the user. For a `dm` the other person is
   * enough.
   * @example ["alice","bob"]
   */
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(MAX_USERS_PER_CALL)
  @IsUserId({ each: true })
  members?: string[];

  /**
   * Name for people, 1 to 200 characters.
   * @example Team chat
   */
  @IsOptional()
  @IsString()
  @MinLength(1)
  @MaxLength(MAX_ROOM_NAME)
  name?: string;

  /**
   * Anything of your own, at most 8 KB.
   * @example {"project":"apollo"}
   */
  @IsOptional()
  @IsJsonObject({ maxBytes: MAX_METADATA_BYTES })
  metadata?: Record<string, unknown>;

  /**
   * Who may post in a group or channel. Default members.
   * @example members
   */
  @IsOptional()
  @IsIn(['members', 'admins'])
  posting?: 'members' | 'admins';
}

/** Those that are sent are set, the others stay. */
class UpdateRoomSettingsDto {
  /** Of one person on one message: as many different reactions as they like, one, or none: 403 with `details.feature`. */
  @IsOptional()
  @IsIn(ROOM_SETTINGS.reactions)
  reactions?: RoomSettings['reactions'];

  /** Who may pin messages; in a dm both may. */
  @IsOptional()
  @IsIn(ROOM_SETTINGS.pin)
  pin?: RoomSettings['pin'];
}

class RoomSettingsDto {
  /** Of one person on one message: as many different reactions as they like (default), one, or none. */
  @ApiProperty({ enum: ROOM_SETTINGS.reactions })
  reactions!: string;
  /** Who may pin messages. Default members. */
  @ApiProperty({ enum: ROOM_SETTINGS.pin })
  pin!: string;
}

export class UpdateRoomDto {
  /**
   * Name for people, 1 to 200 characters.
   * @example Team chat
   */
  @IsOptional()
  @IsString()
  @MinLength(1)
  @MaxLength(MAX_ROOM_NAME)
  name?: string;

  /**
   * Merged by top-level key: keys that are sent are set, null removes one, the others stay. At most 8 KB in all.
   * @example {"project":"apollo","phase":2}
   */
  @IsOptional()
  @IsJsonObject({ maxBytes: MAX_METADATA_BYTES })
  metadata?: Record<string, unknown>;

  /**
   * Who may post. Not for a dm.
   * @example members
   */
  @IsOptional()
  @IsIn(['members', 'admins'])
  posting?: 'members' | 'admins';

  /**
   * What members may do beside sending. Merged by key: what is not sent stays.
   * @example {"reactions":"unique"}
   */
  @IsOptional()
  @IsNested(() => UpdateRoomSettingsDto)
  settings?: UpdateRoomSettingsDto;
}

export class ListRoomsQueryDto extends PageQueryDto {
  /** `joinable` lists the channels that the caller may join; without it the caller's own rooms. */
  @IsOptional()
  @IsIn(['joinable'])
  scope?: 'joinable';
}

export class RoomDto {
  /** @example room_019000000000700080000000000000d0 */
  room_id!: string;
  @ApiProperty({ enum: [...ROOM_TYPES, 'ai'] })
  type!: string;
  /** `dm:<user>:<user>` for a dm, else null. */
  @ApiProperty({ type: String, nullable: true })
  unique_key!: string | null;
  @ApiProperty({ type: String, nullable: true })
  name!: string | null;
  @ApiProperty({ type: 'object', additionalProperties: true, nullable: true })
  metadata!: Record<string, unknown> | null;
  @ApiProperty({ enum: ['members', 'admins'] })
  posting!: string;
  /** What members may do beside sending. */
  settings!: RoomSettingsDto;
  /** Sequence number of the oldest message that is kept: those before it are gone. */
  @ApiProperty({ type: 'integer' })
  first_seq!: number;
  /** Sequence number of the newest message; 0 when there is none. */
  @ApiProperty({ type: 'integer' })
  last_seq!: number;
  /** Counts every change of the room. */
  @ApiProperty({ type: 'integer' })
  last_rev!: number;
  @ApiProperty({ type: 'integer' })
  member_count!: number;
  /** @example 2026-01-31T12:00:00.000Z */
  created_at!: string;
  updated_at!: string;
}

/** The newest message of a room, as lists show it. */
export class LastMessageDto {
  message_id!: string;
  @ApiProperty({ type: 'integer' })
  seq!: number;
  sender_id!: string;
  /** Its beginning: at most 280 characters as people count them. */
  content!: string;
  /** There is more of the content: GET the message. */
  truncated!: boolean;
  @ApiProperty({ type: 'object', additionalProperties: true, nullable: true })
  meta!: Record<string, unknown> | null;
  created_at!: string;
  @ApiProperty({ type: String, nullable: true })
  edited_at!: string | null;
  @ApiProperty({ type: String, nullable: true })
  deleted_at!: string | null;
}

/** A room with the caller's position in it. The last five are missing with `scope=joinable`. */
export class ListedRoomDto extends RoomDto {
  /** The caller has everything up to here. */
  @ApiProperty({ type: 'integer', required: false })
  last_acked_seq?: number;
  /** The caller has read everything up to here. */
  @ApiProperty({ type: 'integer', required: false })
  last_read_seq?: number;
  /**
   * Messages after last_read_seq, or from the mark of an unread room on (`me.unread_seq`), not the caller's own and not deleted, among the room's newest 10,000; exact up to
   * 1,000, which means 1,000 or more.
   */
  @ApiProperty({ type: 'integer', required: false })
  unread_count?: number;
  @ApiProperty({ type: LastMessageDto, nullable: true, required: false })
  last_message?: LastMessageDto | null;
  /** What the caller has set for themselves. */
  @ApiProperty({ type: MeDto, required: false })
  me?: MeDto;
}

export class RoomPageDto extends PageDto {
  rooms!: ListedRoomDto[];
}

/** The frame's `type` stands where the room's would. */
@ServerFrame(
  'room.updated',
  'Name, metadata, posting or settings of a room changed: the whole room as it is now, its type as `room_type`.',
)
export class RoomUpdatedFrameDto extends OmitType(RoomDto, ['type'] as const) {
  /** The room's `type`; it never changes. */
  @ApiProperty({ enum: ['dm', 'group', 'channel', 'ai'] })
  room_type!: string;
  /** The room's revision of this change. */
  @ApiProperty({ type: 'integer' })
  rev!: number;
}

@ServerFrame(
  'room.trimmed',
  'Old messages of a room are gone: those before first_seq. Drop them; your position is first_seq - 1 at least.',
)
export class RoomTrimmedFrameDto {
  room_id!: string;
  /** The room's revision of this change. */
  @ApiProperty({ type: 'integer' })
  rev!: number;
  /** The oldest message that is kept; one more than the room's last_seq where none is. */
  @ApiProperty({ type: 'integer' })
  first_seq!: number;
}

@ServerFrame('room.deleted', 'A room was deleted; nothing follows for it.')
export class RoomDeletedFrameDto {
  room_id!: string;
  /** The room's revision of this change. */
  @ApiProperty({ type: 'integer' })
  rev!: number;
  /** Who deleted it. */
  by?: string;
}

class MembershipFrameDto {
  room_id!: string;
  /** The room's revision of this change. */
  @ApiProperty({ type: 'integer' })
  rev!: number;
  /** @example carol */
  user_id!: string;
  @ApiProperty({ enum: ['admin', 'member', 'agent'] })
  role!: string;
  /** Who did it; the user themselves when they joined or left. */
  by!: string;
}

@ServerFrame('member.joined', 'Somebody is a member from here on; to them too: their messages of the room begin here.')
export class MemberJoinedFrameDto extends MembershipFrameDto {}

@ServerFrame('member.left', 'Somebody left or was removed; the last frame of the room that they get.')
export class MemberLeftFrameDto extends MembershipFrameDto {}

@ServerFrame('member.updated', 'A member has another role.')
export class MemberUpdatedFrameDto extends MembershipFrameDto {}
