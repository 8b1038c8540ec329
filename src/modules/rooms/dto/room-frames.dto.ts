import { ApiProperty, OmitType } from '@nestjs/swagger';
import { ServerFrame } from '../../../realtime';
import { RoomDto } from './room.dto';

/** The frame's `type` stands where the room's would. */
@ServerFrame(
  'room.updated',
  'Name, metadata or posting of a room changed: the whole room as it is now, its type as `room_type`.',
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
