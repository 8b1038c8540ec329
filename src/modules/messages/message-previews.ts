import { Injectable } from '@nestjs/common';
import { preview } from '../../common/text';
import { DeliveryService, type MemberPosition } from '../delivery';
import { type PreviewRequest, type RoomPreview, RoomPreviews } from '../rooms';
import { MessagesRepository } from './messages.repository';
import { type MessageRow, messageView } from './views';

/**
 * Unread counts are exact up to `count` (contract §3). What is not counted (the caller's own messages, deleted ones) has
 * to be read all the same: without `reach`, the list of a bot that posts a million messages and reads none of them reads
 * a million rows.
 */
const UNREAD_LIMITS = { count: 1000, reach: 10_000 };

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
    // What is not kept any more is not unread.
    const counted = wanted.map(({ readSeq, unreadSeq = Infinity, ...room }) => ({
      ...room,
      readSeq: Math.max(Math.min(readSeq, unreadSeq - 1), room.firstSeq - 1),
    }));
    const found = await this.repository.previews(tenantId, userId, counted, UNREAD_LIMITS);
    return new Map(
      wanted.map(({ roomId, ackedSeq, readSeq, unreadSeq }) => {
        const preview = found.get(roomId);
        return [
          roomId,
          {
            last_acked_seq: ackedSeq,
            last_read_seq: readSeq,
            unread_count: preview?.unread ?? 0,
            unread_seq: unreadSeq ?? null,
            last_message: preview?.last ? lastMessage(preview.last) : null,
          },
        ];
      }),
    );
  }
}

/** The rooms were read a moment before the positions: what was sent and read in between is not part of this list. */
function within(room: PreviewRequest, position: MemberPosition | undefined): MemberPosition {
  const upTo = (seq: number): number => Math.min(seq, room.lastSeq);
  return {
    ackedSeq: upTo(position?.ackedSeq ?? room.joinedSeq),
    readSeq: upTo(position?.readSeq ?? room.joinedSeq),
    unreadSeq: position?.unreadSeq,
  };
}

function lastMessage(row: MessageRow): RoomPreview['last_message'] {
  const { room_id: _room, rev: _rev, client_message_id: _client, ...shown } = messageView(row);
  const { text: content, truncated } = preview(shown.content);
  return { ...shown, content, truncated };
}
