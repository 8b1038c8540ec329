import { Injectable } from '@nestjs/common';
import { Database } from '../../../platform/database';
import type { SharedRooms } from '../../../realtime';

export interface MemberPlace {
  readonly user_id: string;
  readonly member_no: number;
}

/** What presence asks of rooms. */
@Injectable()
export class PresenceRepository implements SharedRooms {
  constructor(private readonly database: Database) {}

  /** Members in the order of joining, after a place in it. */
  membersAfter(tenantId: string, roomId: string, memberNo: number, limit: number): Promise<MemberPlace[]> {
    return this.database.query<MemberPlace>(
      'room presence',
      tenantId,
      `SELECT user_id, member_no FROM room_members
       WHERE tenant_id = $1 AND room_id = $2 AND member_no > 0 AND member_no > $3 ORDER BY member_no LIMIT $4`,
      [tenantId, roomId, memberNo, limit],
    );
  }

  /** Per user, their rooms of 2 to `largest` members. */
  async of(tenantId: string, userIds: readonly string[], largest: number): Promise<Map<string, string[]>> {
    const rows = await this.database.query<{ user_id: string; rooms: string }>(
      'shared rooms',
      tenantId,
      `SELECT m.user_id, string_agg(m.room_id::text, ',') AS rooms FROM room_members m
       JOIN rooms r ON r.tenant_id = m.tenant_id AND r.room_id = m.room_id
       WHERE m.tenant_id = $1 AND m.user_id = ANY ($2) AND r.member_count BETWEEN 2 AND $3 AND r.deleted_at IS NULL
       GROUP BY m.user_id`,
      [tenantId, userIds, largest],
    );
    return new Map(rows.map((row) => [row.user_id, row.rooms.split(',')]));
  }
}
