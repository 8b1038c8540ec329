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

  /**
   * Per user, their rooms of 2 to `largest` members. OFFSET 0 keeps it a loop of look-ups by index, however many users
   * those had for whom it was planned: joined, each call went through all members of the tenant.
   */
  async of(tenantId: string, userIds: readonly string[], largest: number): Promise<Map<string, string[]>> {
    const rows = await this.database.query<{ user_id: string; rooms: string }>(
      'shared rooms',
      tenantId,
      `SELECT u.user_id, string_agg(r.room_id::text, ',') AS rooms
       FROM (SELECT * FROM unnest($2::text[]) q(user_id) OFFSET 0) u
       CROSS JOIN LATERAL (SELECT m.room_id FROM room_members m
         WHERE m.tenant_id = $1 AND m.user_id = u.user_id OFFSET 0) m
       CROSS JOIN LATERAL (SELECT r.room_id FROM rooms r WHERE r.tenant_id = $1 AND r.room_id = m.room_id
         AND r.member_count BETWEEN 2 AND $3 AND r.deleted_at IS NULL OFFSET 0) r
       GROUP BY u.user_id`,
      [tenantId, userIds, largest],
    );
    return new Map(rows.map((row) => [row.user_id, row.rooms.split(',')]));
  }
}
