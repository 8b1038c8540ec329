import { encodeId } from '../../common/ids';
import { type RoomJson, roomUpdated } from '../rooms';
import type { ChangeDto } from './dto/message.dto';
import type { ChangeRow } from './messages.repository';
import { messageView } from './views';

/** One change as clients see it: flat, like the frame of the same name. */
export function changeView(roomId: string, row: ChangeRow): ChangeDto {
  const { rev, type, payload } = row;
  if (payload === null) return { ...messageView(row), type };
  if (type === 'room.updated') return roomUpdated(rev, payload as unknown as RoomJson);
  return { ...payload, rev, type, room_id: encodeId('room', roomId) };
}
