import { ApiProperty } from '@nestjs/swagger';
import { IsBoolean, IsIn, IsOptional, IsString, MaxLength, MinLength } from 'class-validator';
import { MAX_ROOM_NAME } from '../../../common/limits';
import { CursorPageDto, CursorQueryDto } from '../../../platform/http';
import { IsUserId } from '../../../platform/validation';
import { MessageDto } from '../../messages';
import { LISTED_TYPES, type ListedType } from '../../rooms';

const STATUSES = ['online', 'offline'] as const;

export class AdminRoomsQueryDto extends CursorQueryDto {
  /** The tenant. A key means its own; the master key has to say which. */
  @IsOptional()
  @IsString()
  tenant_id?: string;

  /** Only rooms whose names begin so, in capitals or not, in the order of their names. */
  @IsOptional()
  @IsString()
  @MinLength(1)
  @MaxLength(MAX_ROOM_NAME)
  prefix?: string;

  /** Only rooms of this type; `ai` are chats. */
  @IsOptional()
  @IsIn(LISTED_TYPES)
  type?: ListedType;
}

export class AdminUsersQueryDto extends CursorQueryDto {
  /** The tenant. A key means its own; the master key has to say which. */
  @IsOptional()
  @IsString()
  tenant_id?: string;

  /** Only users whose ids begin so, letter by letter. */
  @IsOptional()
  @IsUserId()
  prefix?: string;
}

/** Of a room the cursor goes through its members, of a user through their rooms. */
export class LookQueryDto extends CursorQueryDto {
  /** The tenant. A key means its own; the master key has to say which. */
  @IsOptional()
  @IsString()
  tenant_id?: string;

  /** Whether messages are shown, too: that somebody looked is written to the audit log. Default false. */
  @IsOptional()
  @IsBoolean()
  content?: boolean;
}

export class AdminRoomDto {
  /** @example room_019aa1c2d3e4f5061728394a5b6c7d8e */
  room_id!: string;
  @ApiProperty({ enum: LISTED_TYPES })
  type!: string;
  @ApiProperty({ type: 'string', nullable: true })
  name!: string | null;
  @ApiProperty({ enum: ['members', 'admins'] })
  posting!: string;
  @ApiProperty({ type: 'integer' })
  member_count!: number;
  /** The oldest message that is kept. */
  @ApiProperty({ type: 'integer' })
  first_seq!: number;
  @ApiProperty({ type: 'integer' })
  last_seq!: number;
  @ApiProperty({ type: 'integer' })
  last_rev!: number;
  /** When the newest message came; of a room without one when it was made. */
  last_activity_at!: string;
  created_at!: string;
  updated_at!: string;
  /** null: it was not. */
  @ApiProperty({ type: 'string', nullable: true })
  deleted_at!: string | null;
  /** How long it keeps messages; null: as the tenant says. */
  @ApiProperty({ type: 'integer', nullable: true })
  retention_days!: number | null;
  legal_hold!: boolean;
}

export class AdminRoomsDto extends CursorPageDto {
  items!: AdminRoomDto[];
}

/** How far a user has got in a room. */
class AdminPositionDto {
  @ApiProperty({ enum: ['admin', 'member', 'agent'] })
  role!: string;
  joined_at!: string;
  /** The room's last_seq when they joined. */
  @ApiProperty({ type: 'integer' })
  joined_seq!: number;
  /** They have acknowledged everything up to here. */
  @ApiProperty({ type: 'integer' })
  last_acked_seq!: number;
  /** They have read everything up to here. */
  @ApiProperty({ type: 'integer' })
  last_read_seq!: number;
}

export class AdminMemberDto extends AdminPositionDto {
  /** @example alice */
  user_id!: string;
  /** When one of the two positions was moved last; null: neither was. */
  @ApiProperty({ type: 'string', nullable: true })
  moved_at!: string | null;
  /** Whether they have a connection on `/ws`, to any room. */
  @ApiProperty({ enum: STATUSES })
  status!: string;
  @ApiProperty({ type: 'string', nullable: true })
  last_seen_at!: string | null;
}

export class AdminRoomDetailDto extends AdminRoomDto {
  @ApiProperty({ type: 'object', additionalProperties: true, nullable: true })
  metadata!: Record<string, unknown> | null;
  /** Connections of members that hear of the room now. */
  @ApiProperty({ type: 'integer' })
  live_connections!: number;
  /** In the order of joining. */
  members!: AdminMemberDto[];
  /** The `cursor` of the members after these; null: these are the last ones. */
  @ApiProperty({ type: 'string', nullable: true })
  next!: string | null;
  /** Only where content was asked for: the newest 50 that are kept, ascending by seq, deleted ones as tombstones. */
  messages?: MessageDto[];
}

export class AdminUserDto {
  /** @example alice */
  user_id!: string;
  created_at!: string;
  /** When they were connected last; null: never, or for the first time now. */
  @ApiProperty({ type: 'string', nullable: true })
  last_seen_at!: string | null;
  @ApiProperty({ enum: STATUSES })
  status!: string;
  legal_hold!: boolean;
}

export class AdminUsersDto extends CursorPageDto {
  items!: AdminUserDto[];
}

export class AdminMembershipDto extends AdminPositionDto {
  room!: AdminRoomDto;
}

export class AdminUserDetailDto extends AdminUserDto {
  /** The newest rooms first, deleted ones too. */
  memberships!: AdminMembershipDto[];
  /** The `cursor` of the memberships after these; null: these are the last ones. */
  @ApiProperty({ type: 'string', nullable: true })
  next!: string | null;
  /**
   * Only where content was asked for: the user's own, the newest first, deleted ones as tombstones. At most 50, of the newest
   * 200 messages of each of those 50 rooms of theirs in which something was said last.
   */
  messages?: MessageDto[];
}
