import { Injectable } from '@nestjs/common';
import { Database } from '../../../platform/database';
import type { RoomDto } from '../dto/room.dto';
import { type RoomJson, roomView } from '../views';

/** A member who is no agent. */
export interface RoomMember {
  readonly user_id: string;
  /** Place in the order of joining. */
  readonly member_no: number;
  /** The room's last_seq when they joined. */
  readonly joined_seq: number;
}

/** What happened to a membership. */
export interface MemberEvent {
  readonly rev: number;
  readonly user_id: string;
  readonly role: string;
  readonly by: string;
  readonly created_at: Date;
}

/** Rooms as the server's own work sees them: no caller, no access rule, one tenant. Ids are UUIDs. */
@Injectable()
export class RoomFacts {
  constructor(private readonly database: Database) {}

  /** undefined where the room does not exist or was deleted. */
  async room(tenantId: string, roomId: string): Promise<RoomDto | undefined> {
    const rows = await this.database.query<{ room: RoomJson }>(
      'room',
      tenantId,
      'SELECT room_json(r) AS room FROM rooms r WHERE tenant_id = $1 AND room_id = $2 AND deleted_at IS NULL',
      [tenantId, roomId],
    );
    return rows[0] && roomView(rows[0].room);
  }

  /** Members in the order of joining, after a place in it. */
  membersAfter(tenantId: string, roomId: string, memberNo: number, limit: number): Promise<RoomMember[]> {
    return this.database.query<RoomMember>(
      'room members',
      tenantId,
      `SELECT user_id, member_no, joined_seq FROM room_members
       WHERE tenant_id = $1 AND room_id = $2 AND member_no > 0 AND member_no > $3 AND role <> 'agent'
       ORDER BY member_no LIMIT $4`,
      [tenantId, roomId, memberNo, limit],
    );
  }

  /** What these revisions did to memberships. */
  memberEvents(tenantId: string, roomId: string, revs: readonly number[]): Promise<MemberEvent[]> {
    return this.database.query<MemberEvent>(
      'member events',
      tenantId,
      `SELECT rev, payload->>'user_id' AS user_id, payload->>'role' AS role, payload->>'by' AS by, created_at
       FROM room_events WHERE tenant_id = $1 AND room_id = $2 AND rev = ANY ($3::bigint[]) ORDER BY rev`,
      [tenantId, roomId, revs],
    );
  }
}
