import { Injectable } from '@nestjs/common';
import { notFound } from '../../common/errors';
import { decodeId } from '../../common/ids';
import type { Caller } from '../../platform/auth';
import { Effects } from '../../platform/idempotency';
import { Redelivery } from '../../realtime';
import { cursorAdvance } from './delivery.functions';
import { DeliveryRepository } from './delivery.repository';
import type { PositionDto } from './dto/position.dto';
import { ReadUpdates } from './read-updates';

/** How far a member has got in a room. */
export interface MemberPosition {
  readonly ackedSeq: number;
  readonly readSeq: number;
}

/** Acks and reads: a member's two cursors per room, which only move forward. */
@Injectable()
export class DeliveryService {
  constructor(
    private readonly repository: DeliveryRepository,
    private readonly effects: Effects,
    private readonly readUpdates: ReadUpdates,
    private readonly redelivery: Redelivery,
  ) {}

  /** Everything up to `seq` has been delivered to the caller. Throws 400 beyond the room's last_seq. */
  ack(caller: Caller, position: PositionDto): Promise<void> {
    return this.advance(caller, position, false);
  }

  /** Everything up to `seq` has been read, and so delivered. */
  read(caller: Caller, position: PositionDto): Promise<void> {
    return this.advance(caller, position, true);
  }

  /** The caller's position in each of the rooms, which begins at the seq at which they joined. */
  async positions(
    tenantId: string,
    userId: string,
    rooms: readonly { roomId: string; joinedSeq: number }[],
  ): Promise<Map<string, MemberPosition>> {
    const rows = await this.repository.cursors(
      tenantId,
      userId,
      rooms.map((room) => room.roomId),
    );
    const stored = new Map(rows.map((row) => [row.room_id, row]));
    return new Map(
      rooms.map(({ roomId, joinedSeq }) => {
        const row = stored.get(roomId);
        return [
          roomId,
          { ackedSeq: Math.max(row?.acked_seq ?? 0, joinedSeq), readSeq: Math.max(row?.read_seq ?? 0, joinedSeq) },
        ];
      }),
    );
  }

  /** How far these users have acknowledged a room; those without a stored cursor are missing. @param roomId UUID */
  async ackedBy(tenantId: string, roomId: string, userIds: readonly string[]): Promise<ReadonlyMap<string, number>> {
    const rows = await this.repository.ackedBy(tenantId, roomId, userIds);
    return new Map(rows.map((row) => [row.user_id, row.acked_seq]));
  }

  private async advance(caller: Caller, { room_id, seq }: PositionDto, isRead: boolean): Promise<void> {
    const roomId = decodeId('room', room_id);
    if (roomId === undefined) throw notFound('Room');
    const { tenantId, userId } = caller;
    const args = { p_room: roomId, p_user: userId, p_seq: seq, p_read: isRead };
    const { advanced, acked } = await this.effects.call(caller, cursorAdvance, args);
    if (!advanced) return;
    this.redelivery.moved({ tenantId, roomId, userId, seq: acked ?? seq });
    if (isRead) this.readUpdates.note(tenantId, roomId, userId, seq);
  }
}
