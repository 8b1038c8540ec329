import { Injectable } from '@nestjs/common';
import { type CursorSeat, type Entrance, type Seat, Seats } from '../../platform/realtime';
import { type SeatRow, SeatsRepository } from './seats.repository';

/** Which rooms the socket brings to a user. */
@Injectable()
export class RoomSeats extends Seats {
  constructor(private readonly repository: SeatsRepository) {
    super();
  }

  async of(tenantId: string, userId: string): Promise<readonly Seat[]> {
    return (await this.repository.of(tenantId, userId)).map(seatOf);
  }

  async withCursors(tenantId: string, userId: string): Promise<readonly CursorSeat[]> {
    const rows = await this.repository.withCursors(tenantId, userId);
    return rows.map((row) => ({ ...seatOf(row), ackedSeq: row.acked_seq }));
  }

  async find(tenantId: string, roomId: string, userId: string): Promise<Seat | 'no_room' | 'not_allowed'> {
    return foundSeat(await this.repository.find(tenantId, roomId, userId));
  }

  async findAll(
    tenantId: string,
    roomIds: readonly string[],
    userId: string,
  ): Promise<readonly (Seat | 'no_room' | 'not_allowed')[]> {
    const rows = await this.repository.findAll(tenantId, [...new Set(roomIds)], userId);
    const found = new Map(rows.map((row) => [row.room_id, row]));
    return roomIds.map((roomId) => foundSeat(found.get(roomId)));
  }

  async entrances(tenantId: string, roomId: string, userIds: readonly string[]): Promise<readonly Entrance[]> {
    return (await this.repository.entrances(tenantId, roomId, userIds)).map((row) => {
      const { user_id: userId, role } = row;
      if (row.rev === null) return { userId, role, position: { rev: 0, seq: 0 }, foundedBy: row.oldest };
      return { userId, role, position: { rev: row.rev - 1, seq: row.joined_seq } };
    });
  }

  async neighbours(tenantId: string, userId: string, largest: number): Promise<readonly string[]> {
    return (await this.repository.neighbours(tenantId, userId, largest)).map((row) => row.user_id);
  }
}

function seatOf(row: SeatRow): Seat {
  return { roomId: row.room_id, lastSeq: row.last_seq, lastRev: row.last_rev, memberCount: row.member_count };
}

function foundSeat(
  row: (SeatRow & { readonly allowed: boolean; readonly role: string | null }) | undefined,
): Seat | 'no_room' | 'not_allowed' {
  if (row === undefined) return 'no_room';
  if (!row.allowed) return 'not_allowed';
  return row.role === null ? { ...seatOf(row), isListener: true } : seatOf(row);
}
