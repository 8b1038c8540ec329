import { Injectable } from '@nestjs/common';
import { DeliveryService } from '../delivery';
import { type PreviewRequest, type RoomPreview, RoomPreviews } from '../rooms';
import { MessagesRepository, type PreviewRow } from './messages.repository';
import { messageView } from './views';

/** Unread counts are exact up to here (contract §3). */
const UNREAD_CAP = 1000;

/** What the list of rooms shows of the log: positions, unread counts and newest messages, in two trips for a page. */
@Injectable()
export class MessagePreviews extends RoomPreviews {
  constructor(
    private readonly repository: MessagesRepository,
    private readonly delivery: DeliveryService,
  ) {
    super();
  }

  async previews(
    tenantId: string,
    userId: string,
    rooms: readonly PreviewRequest[],
  ): Promise<ReadonlyMap<string, RoomPreview>> {
    if (rooms.length === 0) return new Map();
    const positions = await this.delivery.positions(tenantId, userId, rooms);
    const wanted = rooms.map((room) => ({ ...room, readSeq: positions.get(room.roomId)?.readSeq ?? room.joinedSeq }));
    const rows = await this.repository.previews(tenantId, userId, wanted, UNREAD_CAP);
    return new Map(
      rows.map((row) => {
        const position = positions.get(row.room_id);
        return [
          row.room_id,
          {
            last_acked_seq: position?.ackedSeq ?? 0,
            last_read_seq: position?.readSeq ?? 0,
            unread_count: row.unread,
            last_message: lastMessage(row),
          },
        ];
      }),
    );
  }
}

function lastMessage({ last }: PreviewRow): RoomPreview['last_message'] {
  if (last === null) return null;
  const { room_id: _room, rev: _rev, client_message_id: _client, ...shown } = messageView(last);
  return shown;
}
