import { encodeId } from '../../../common/ids';
import type { MemberCursor } from '../../delivery';
import type { ListedMember, ListedRoom } from '../../rooms';
import type { AdminMembershipDto, AdminRoomDto } from '../dto/console.dto';

/** Messages that are shown where content is asked for. */
export const NEWEST = 50;

export function adminRoomView(room: ListedRoom): AdminRoomDto {
  return {
    room_id: encodeId('room', room.room_id),
    type: room.type,
    name: room.name,
    posting: room.posting,
    member_count: room.member_count,
    first_seq: room.first_seq,
    last_seq: room.last_seq,
    last_rev: room.last_rev,
    last_activity_at: (room.last_message_at ?? room.created_at).toISOString(),
    created_at: room.created_at.toISOString(),
    updated_at: room.updated_at.toISOString(),
    deleted_at: room.deleted_at?.toISOString() ?? null,
    retention_days: room.retention_days,
    legal_hold: room.legal_hold,
  };
}

/** Where a member stands. @param cursor undefined: they have acknowledged nothing since they joined */
export function placeView(
  { role, joined_at, joined_seq }: Pick<ListedMember, 'role' | 'joined_at' | 'joined_seq'>,
  cursor: Pick<MemberCursor, 'ackedSeq' | 'readSeq'> | undefined,
): Omit<AdminMembershipDto, 'room'> {
  return {
    role,
    joined_at: joined_at.toISOString(),
    joined_seq,
    last_acked_seq: Math.max(joined_seq, cursor?.ackedSeq ?? 0),
    last_read_seq: Math.max(joined_seq, cursor?.readSeq ?? 0),
  };
}
