import { Injectable } from '@nestjs/common';
import { Database } from '../../platform/database';
import { cursorPositions, type PositionRow } from './delivery.functions';

/** A member's stored position; it may be older than the membership, whose joined_seq then counts. */
export interface CursorRow extends PositionRow {
  readonly read_seq: number;
}

@Injectable()
export class DeliveryRepository {
  constructor(private readonly database: Database) {}

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

  /** The stored cursors of a user in these rooms; rooms without one are missing. */
  cursors(tenantId: string, userId: string, roomIds: readonly string[]): Promise<CursorRow[]> {
    return this.database.query<CursorRow>(
      'cursors',
      tenantId,
      `SELECT room_id, acked_seq, read_seq FROM cursors
       WHERE tenant_id = $1 AND user_id = $2 AND room_id = ANY ($3::uuid[])`,
      [tenantId, userId, roomIds],
    );
  }
}
