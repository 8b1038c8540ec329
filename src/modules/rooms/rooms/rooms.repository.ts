import { Injectable } from '@nestjs/common';
import type { PageRequest } from '../../../common/limits';
import { Database } from '../../../platform/database';
import type { RoomDto } from '../dto/room.dto';
import type { MemberSettingsEntity, RoomEntity } from '../entities/room.entity';
import { type RoomJson, roomView } from '../views';

/** Whether and how a user sees a room. */
export type RoomAccessRow = Readonly<Pick<RoomEntity, 'type' | 'first_seq' | 'last_seq' | 'last_rev'>> & {
  readonly role: string | null;
  readonly allowed: boolean;
};

/** A room of a user, with what they have set in it: null are the defaults. */
export interface MyRoomRow
  extends RoomJson, Nullable<Pick<MemberSettingsEntity, 'muted_until' | 'is_hidden' | 'is_favourite' | 'notify'>> {
  readonly joined_seq: number;
}

type Nullable<T> = { readonly [K in keyof T]: T[K] | null };

export interface MemberRow {
  readonly user_id: string;
  readonly role: string;
  readonly joined_at: string | Date;
}

const ROOM_COLUMNS = `r.room_id, r.type, r.unique_key, r.name, r.metadata, r.posting, r.settings, r.first_seq, r.last_seq,
  r.last_rev, r.member_count, r.created_at, r.updated_at`;

/**
 * One narrow pass over all rooms of the user (their order is not known before), then whole rows for the page alone. The
 * rooms are looked up as an array, which the planner cannot turn into reading all rooms of the tenant; OFFSET 0 makes it
 * look up the page's rows one by one instead of joining lists whose length it guesses.
 */
const MINE = `
WITH mine AS MATERIALIZED (
  SELECT r.room_id, COALESCE(r.last_message_at, r.created_at) AS active_at FROM rooms r
  WHERE r.tenant_id = $1 AND r.deleted_at IS NULL AND r.room_id = ANY (ARRAY(
    SELECT m.room_id FROM room_members m WHERE m.tenant_id = $1 AND m.user_id = $2))
), page AS (SELECT * FROM mine ORDER BY active_at DESC, room_id DESC LIMIT $3 OFFSET $4)
SELECT n.total, r.*, m.joined_seq, s.muted_until, s.is_hidden, s.is_favourite, s.notify
FROM (SELECT count(*) AS total FROM mine) n
LEFT JOIN page p ON true
LEFT JOIN LATERAL (SELECT ${ROOM_COLUMNS} FROM rooms r WHERE r.tenant_id = $1 AND r.room_id = p.room_id OFFSET 0) r ON true
LEFT JOIN LATERAL (SELECT m.joined_seq FROM room_members m
  WHERE m.tenant_id = $1 AND m.room_id = p.room_id AND m.user_id = $2 OFFSET 0) m ON true
LEFT JOIN LATERAL (SELECT s.* FROM member_settings s
  WHERE s.tenant_id = $1 AND s.room_id = p.room_id AND s.user_id = $2 OFFSET 0) s ON true
ORDER BY p.active_at DESC, p.room_id DESC`;

/**
 * Where no member has left, a member's number is their place; else an offset walks the index of the order of joining to the
 * page's first member. OFFSET 0: under row-level security only a plain column is an index condition.
 */
const MEMBERS = `
SELECT a.allowed, r.member_count AS total, m.user_id, m.role, m.joined_at
FROM room_access($1, $2, $3) a JOIN rooms r ON r.tenant_id = $1 AND r.room_id = $2
CROSS JOIN LATERAL (SELECT CASE WHEN r.member_count = r.members_added THEN $5::bigint + 1 ELSE (
  SELECT m.member_no FROM room_members m WHERE m.tenant_id = $1 AND m.room_id = $2 AND m.member_no > 0 AND a.allowed
  ORDER BY m.member_no LIMIT 1 OFFSET $5) END AS member_no OFFSET 0) p
LEFT JOIN LATERAL (SELECT m.member_no, m.user_id, m.role, m.joined_at FROM room_members m
  WHERE m.tenant_id = $1 AND m.room_id = $2 AND a.allowed AND m.member_no > 0 AND m.member_no >= p.member_no
  ORDER BY m.member_no LIMIT $4) m ON true
ORDER BY m.member_no`;

const JOINABLE = `FROM rooms r WHERE r.tenant_id = $1 AND r.type = 'channel' AND r.deleted_at IS NULL
  AND NOT EXISTS (SELECT 1 FROM room_members m
    WHERE m.tenant_id = r.tenant_id AND m.room_id = r.room_id AND m.user_id = $2)`;

/** Reads of rooms and members; their changes are functions of the schema. */
@Injectable()
export class RoomsRepository {
  constructor(private readonly database: Database) {}

  async access(tenantId: string, roomId: string, userId: string): Promise<RoomAccessRow | undefined> {
    const rows = await this.database.query<RoomAccessRow>(
      'room access',
      tenantId,
      'SELECT * FROM room_access($1, $2, $3)',
      [tenantId, roomId, userId],
    );
    return rows[0];
  }

  async find(tenantId: string, roomId: string, userId: string): Promise<(RoomJson & { allowed: boolean }) | undefined> {
    const rows = await this.database.query<RoomJson & { allowed: boolean }>(
      'get room',
      tenantId,
      `SELECT ${ROOM_COLUMNS}, a.allowed FROM room_access($1, $2, $3) a
       JOIN rooms r ON r.tenant_id = $1 AND r.room_id = $2`,
      [tenantId, roomId, userId],
    );
    return rows[0];
  }

  /** The user's rooms, newest activity first. */
  async mine(tenantId: string, userId: string, page: PageRequest): Promise<{ rows: MyRoomRow[]; total: number }> {
    const rows = await this.database.query<MyRoomRow & { total: number }>('list rooms', tenantId, MINE, [
      tenantId,
      userId,
      page.limit,
      page.offset,
    ]);
    // The outer join gives one empty row where the page has none.
    return { rows: rows.filter((row) => (row.room_id as string | null) !== null), total: rows[0]?.total ?? 0 };
  }

  /** Channels that the user is no member of, newest first. */
  async joinable(tenantId: string, userId: string, page: PageRequest): Promise<{ rows: RoomJson[]; total: number }> {
    const [rows, counted] = await Promise.all([
      this.database.query<RoomJson>(
        'list joinable rooms',
        tenantId,
        `SELECT ${ROOM_COLUMNS} ${JOINABLE} ORDER BY r.created_at DESC, r.room_id DESC LIMIT $3 OFFSET $4`,
        [tenantId, userId, page.limit, page.offset],
      ),
      this.database.query<{ n: number }>('count joinable rooms', tenantId, `SELECT count(*) AS n ${JOINABLE}`, [
        tenantId,
        userId,
      ]),
    ]);
    return { rows, total: counted[0]?.n ?? 0 };
  }

  /** Members in the order of joining, with the room's count; undefined: no such room. */
  async members(
    tenantId: string,
    roomId: string,
    userId: string,
    page: PageRequest,
  ): Promise<{ rows: MemberRow[]; total: number; allowed: boolean } | undefined> {
    const rows = await this.database.query<MemberRow & { total: number; allowed: boolean }>(
      'list members',
      tenantId,
      MEMBERS,
      [tenantId, roomId, userId, page.limit, page.offset],
    );
    const first = rows[0];
    if (!first) return undefined;
    // The outer join gives one empty row where the page has none.
    const found = rows.filter((row) => (row.user_id as string | null) !== null);
    return { rows: found, total: first.total, allowed: first.allowed };
  }
}

/** A member that is no agent. */
export interface RoomMember {
  readonly user_id: string;
  /** Place in the order of joining. */
  readonly member_no: number;
  /** The room's last_seq when they joined. */
  readonly joined_seq: number;
  /** Which messages they are told of while they are away; none while they have muted the room. */
  readonly notify: 'all' | 'mentions' | 'none';
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
      `SELECT m.*, CASE WHEN s.muted_until > clock_timestamp() THEN 'none' ELSE COALESCE(s.notify, 'all') END AS notify
       FROM (SELECT user_id, member_no, joined_seq FROM room_members
         WHERE tenant_id = $1 AND room_id = $2 AND member_no > 0 AND member_no > $3 AND role <> 'agent'
         ORDER BY member_no LIMIT $4) m
       LEFT JOIN LATERAL (SELECT x.muted_until, x.notify FROM member_settings x
         WHERE x.tenant_id = $1 AND x.room_id = $2 AND x.user_id = m.user_id OFFSET 0) s ON true
       ORDER BY m.member_no`,
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
