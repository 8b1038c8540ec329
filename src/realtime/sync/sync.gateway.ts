import { WebSocketGateway } from '@nestjs/websockets';
import { invalid } from '../../common/errors';
import { type FrameContext, SocketOperation } from '../protocol';
import { SOCKET_PATH } from '../transport';
import { SyncFrameDto, type SyncRoomDto } from './dto/sync-frames.dto';
import { SyncService } from './sync-service';

@WebSocketGateway({ path: SOCKET_PATH })
export class SyncGateway {
  constructor(private readonly service: SyncService) {}

  @SocketOperation({
    name: 'sync',
    dto: SyncFrameDto,
    waitsForSends: true,
    summary:
      'Send what was missed in a room, or in several, after the positions that you have: messages, then `sync.complete`. ' +
      'A position that the log never had (it was restored from a backup), or whose later changes it keeps no more, is answered ' +
      'with `sync.reset` first. ' +
      'Of several rooms each that you may not see gets an `error` with its `room_id`.',
    errors: ['AUTHORIZATION_ERROR', 'NOT_FOUND'],
  })
  sync({ connection, requestId }: FrameContext, frame: SyncFrameDto): Promise<void> {
    return frame.rooms === undefined
      ? this.service.one(connection, onlyRoom(frame), requestId)
      : this.service.many(connection, severalRooms(frame, frame.rooms), requestId);
  }
}

function onlyRoom({ room_id, after_seq, after_id, after_rev }: SyncFrameDto): SyncRoomDto {
  if (room_id === undefined) throw invalid('room_id', 'Send room_id with after_seq, or rooms');
  if (after_seq === undefined) throw invalid('after_seq', 'after_seq is required');
  return {
    room_id,
    after_seq,
    ...(after_id === undefined ? {} : { after_id }),
    ...(after_rev === undefined ? {} : { after_rev }),
  };
}

function severalRooms({ room_id, after_seq, after_id, after_rev }: SyncFrameDto, rooms: SyncRoomDto[]): SyncRoomDto[] {
  for (const [field, value] of Object.entries({ room_id, after_seq, after_id, after_rev }))
    if (value !== undefined) throw invalid(field, `${field} cannot be sent beside rooms: each room has its own`);
  return rooms;
}
