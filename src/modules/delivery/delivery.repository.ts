import { Injectable } from '@nestjs/common';
import { Database, SystemDatabase } from '../../platform/database';
import {
  cursorAdvance,
  cursorPositions,
  cursorsAnalyze,
  cursorsAdvance,
  cursorTryAdvance,
  type MemberMe,
  messageReceipts,
  type PositionRow,
  type ReceiptRow,
  type Tried,
} from './delivery.functions';

/** A sample of a large table may take a while on a busy disk. */
const ANALYZE_MS = 60_000;

/** How far a member says to have got. */
export interface Move {
  /** UUID. */
  readonly roomId: string;
  readonly userId: string;
  readonly seq: number;
  /** Whether it has been read, too. */
  readonly isRead: boolean;
}

/** What has become of a move. */
export interface MoveResult {
  /** false: the cursor was there already. */
  readonly advanced: boolean;
  /** Where the acked cursor stands; null where it has not moved. */
  readonly acked: number | null;
  /** A mark of an unread room was cleared: what the member has set now. */
  readonly me?: MemberMe | null;
}

/** A member's stored position; it may be older than the membership, whose joined_seq then counts. */
export interface CursorRow extends PositionRow {
  readonly read_seq: number;
  /** Where the member has marked the room unread from. */
  readonly unread_seq: number | null;
}

/** A member's stored position in one room. */
export interface MemberCursorRow {
  readonly user_id: string;
  readonly acked_seq: number;
  readonly read_seq: number;
  /** When one of the two was moved last. */
  readonly updated_at: Date;
}

interface MoveArgs {
  readonly p_room: string;
  readonly p_user: string;
  readonly p_seq: number;
  readonly p_read: boolean;
}

/** A move, as the functions of the schema take it. */
export function argsOf({ roomId, userId, seq, isRead }: Move): MoveArgs {
  return { p_room: roomId, p_user: userId, p_seq: seq, p_read: isRead };
}

@Injectable()
export class DeliveryRepository {
  constructor(
    private readonly database: Database,
    private readonly system: SystemDatabase,
  ) {}

  /** Looks whether the planner knows how many cursors there are, and sees to it. */
  async renewStatistics(): Promise<void> {
    await this.system.transaction(cursorsAnalyze.name, (sql) => cursorsAnalyze.callIn(sql, {}), ANALYZE_MS);
  }

  /** Moves one cursor. Throws 404 and 403 where there is no room or no member, 400 beyond the room's last_seq. */
  advance(tenantId: string, move: Move): Promise<MoveResult> {
    return cursorAdvance.call(this.database, tenantId, argsOf(move));
  }

  /**
   * Moves cursors, as if one came after the other, and waits for none that another transaction holds. Returns of each move,
   * in their order, what `cursorAdvance` reads, or `busy`.
   */
  async tryAdvance(tenantId: string, moves: readonly Move[]): Promise<Tried[]> {
    const [first] = moves;
    if (first === undefined) return [];
    if (moves.length === 1) return [await cursorTryAdvance.call(this.database, tenantId, argsOf(first))];
    const rows = await cursorsAdvance.call(this.database, tenantId, {
      p_rooms: moves.map(({ roomId }) => roomId),
      p_users: moves.map(({ userId }) => userId),
      p_seqs: moves.map(({ seq }) => seq),
      p_reads: moves.map(({ isRead }) => isRead),
    });
    return rows.sort((a, b) => a.item - b.item);
  }

  /** How far a user has acknowledged these rooms; those of which they are no member are missing. */
  positions(tenantId: string, userId: string, roomIds: readonly string[]): Promise<PositionRow[]> {
    return cursorPositions.call(this.database, tenantId, { p_user: userId, p_rooms: roomIds });
  }

  /** How far these users have acknowledged a room; those without a stored cursor are missing. */
  ackedBy(
    tenantId: string,
    roomId: string,
    userIds: readonly string[],
  ): Promise<{ user_id: string; acked_seq: number }[]> {
    return this.database.query<{ user_id: string; acked_seq: number }>(
      'positions in a room',
      tenantId,
      `SELECT c.user_id, c.acked_seq FROM unnest($3::text[]) u(user_id), LATERAL (SELECT x.user_id, x.acked_seq
         FROM cursors x WHERE x.tenant_id = $1 AND x.room_id = $2 AND x.user_id = u.user_id OFFSET 0) c`,
      [tenantId, roomId, userIds],
    );
  }

  /** The stored cursors of these users in a room; those without one are missing. */
  cursorsIn(tenantId: string, roomId: string, userIds: readonly string[]): Promise<MemberCursorRow[]> {
    return this.database.query<MemberCursorRow>(
      'cursors in a room',
      tenantId,
      `SELECT c.user_id, c.acked_seq, c.read_seq, c.updated_at FROM unnest($3::text[]) u(user_id), LATERAL (
         SELECT x.* FROM cursors x WHERE x.tenant_id = $1 AND x.room_id = $2 AND x.user_id = u.user_id OFFSET 0) c`,
      [tenantId, roomId, userIds],
    );
  }

  /** Members whom a message was for, after a place in the order of joining, with how far they have got. */
  receipts(
    tenantId: string,
    { roomId, seq, senderId }: { readonly roomId: string; readonly seq: number; readonly senderId: string },
    after: number,
    limit: number,
  ): Promise<ReceiptRow[]> {
    const of = { p_room: roomId, p_seq: seq, p_sender: senderId };
    return messageReceipts.call(this.database, tenantId, { ...of, p_after: after, p_limit: limit });
  }

  /** The stored cursors of a user in these rooms; rooms without one are missing. */
  cursors(tenantId: string, userId: string, roomIds: readonly string[]): Promise<CursorRow[]> {
    return this.database.query<CursorRow>(
      'cursors',
      tenantId,
      `SELECT room_id, acked_seq, read_seq, unread_seq FROM cursors
       WHERE tenant_id = $1 AND user_id = $2 AND room_id = ANY ($3::uuid[])`,
      [tenantId, userId, roomIds],
    );
  }
}
