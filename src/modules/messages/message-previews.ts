import { Injectable } from '@nestjs/common';
import { DeliveryService, type MemberPosition } from '../delivery';
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
    const wanted = rooms.map((room) => ({ ...room, ...within(room, positions.get(room.roomId)) }));
    const rows = new Map(
      (await this.repository.previews(tenantId, userId, wanted, UNREAD_CAP)).map((row) => [row.room_id, row]),
    );
    return new Map(
      wanted.map(({ roomId, ackedSeq, readSeq }) => {
        const row = rows.get(roomId);
        return [
          roomId,
          {
            last_acked_seq: ackedSeq,
            last_read_seq: readSeq,
            unread_count: row?.unread ?? 0,
            last_message: row ? lastMessage(row) : null,
          },
        ];
      }),
    );
  }
}

/** The rooms were read a moment before the positions: what was sent and read in between is not part of this list. */
function within(room: PreviewRequest, position: MemberPosition | undefined): MemberPosition {
  const upTo = (seq: number): number => Math.min(seq, room.lastSeq);
  return { ackedSeq: upTo(position?.ackedSeq ?? room.joinedSeq), readSeq: upTo(position?.readSeq ?? room.joinedSeq) };
}

function lastMessage({ last }: PreviewRow): RoomPreview['last_message'] {
  if (last === null) return null;
  const { room_id: _room, rev: _rev, client_message_id: _client, ...shown } = messageView(last);
  return shown;
}
