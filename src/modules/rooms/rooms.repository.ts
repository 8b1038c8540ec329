import { Injectable } from '@nestjs/common';
import type { PageRequest } from '../../common/pagination';
import { Database } from '../../platform/database';
import type { RoomJson } from './views';

/** Whether and how a user sees a room. */
export interface RoomAccessRow {
  readonly type: string;
  readonly role: string | null;
  readonly allowed: boolean;
  readonly first_seq: number;
  readonly last_seq: number;
  readonly last_rev: number;
}

export interface MyRoomRow extends RoomJson {
  readonly joined_seq: number;
}

export interface MemberRow {
  readonly user_id: string;
  readonly role: string;
  readonly joined_at: string | Date;
}

const ROOM_COLUMNS = `r.room_id, r.type, r.unique_key, r.name, r.metadata, r.posting, r.last_seq, r.last_rev,
  r.member_count, r.created_at, r.updated_at`;
const MINE = `FROM room_members m JOIN rooms r ON r.tenant_id = m.tenant_id AND r.room_id = m.room_id
  WHERE m.tenant_id = $1 AND m.user_id = $2 AND r.deleted_at IS NULL`;
const JOINABLE = `FROM rooms r WHERE r.tenant_id = $1 AND r.type = 'channel' AND r.deleted_at IS NULL
  AND NOT EXISTS (SELECT 1 FROM room_members m
    WHERE m.tenant_id = r.tenant_id AND m.room_id = r.room_id AND m.user_id = $2)`;

/** Reads of rooms and members; their changes are functions of the schema. */
@Injectable()
export class RoomsRepository {
  constructor(private readonly database: Database) {}

  async access(tenantId: string, roomId: string, userId: string): Promise<RoomAccessRow | undefined> {
    const rows = await this.database.read<RoomAccessRow>(
      'room access',
      tenantId,
      'SELECT * FROM room_access($1, $2, $3)',
      [tenantId, roomId, userId],
    );
    return rows[0];
  }

  async find(tenantId: string, roomId: string, userId: string): Promise<(RoomJson & { allowed: boolean }) | undefined> {
    const rows = await this.database.read<RoomJson & { allowed: boolean }>(
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
    return this.page<MyRoomRow>(
      tenantId,
      userId,
      `SELECT ${ROOM_COLUMNS}, m.joined_seq ${MINE}
       ORDER BY COALESCE(r.last_message_at, r.created_at) DESC, r.room_id DESC LIMIT $3 OFFSET $4`,
      `SELECT count(*) AS n ${MINE}`,
      page,
    );
  }

  /** Channels that the user is no member of, newest first. */
  async joinable(tenantId: string, userId: string, page: PageRequest): Promise<{ rows: RoomJson[]; total: number }> {
    return this.page<RoomJson>(
      tenantId,
      userId,
      `SELECT ${ROOM_COLUMNS} ${JOINABLE} ORDER BY r.created_at DESC, r.room_id DESC LIMIT $3 OFFSET $4`,
      `SELECT count(*) AS n ${JOINABLE}`,
      page,
    );
  }

  /** Members in the order of joining, with the room's count; undefined: no such room. */
  async members(
    tenantId: string,
    roomId: string,
    userId: string,
    page: PageRequest,
  ): Promise<{ rows: MemberRow[]; total: number; allowed: boolean } | undefined> {
    const rows = await this.database.read<MemberRow & { total: number; allowed: boolean }>(
      'list members',
      tenantId,
      `SELECT a.allowed, r.member_count AS total, m.user_id, m.role, m.joined_at
       FROM room_access($1, $2, $3) a JOIN rooms r ON r.tenant_id = $1 AND r.room_id = $2
       LEFT JOIN LATERAL (SELECT * FROM room_members m
         WHERE m.tenant_id = $1 AND m.room_id = $2 AND m.member_no > 0 AND a.allowed
         ORDER BY m.member_no LIMIT $4 OFFSET $5) m ON true ORDER BY m.member_no`,
      [tenantId, roomId, userId, page.limit, page.offset],
    );
    const first = rows[0];
    if (!first) return undefined;
    // The outer join gives one empty row where the page has none.
    const found = rows.filter((row) => (row.user_id as string | null) !== null);
    return { rows: found, total: first.total, allowed: first.allowed };
  }

  // eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- the two lists have different rows
  private async page<R extends object>(
    tenantId: string,
    userId: string,
    list: string,
    count: string,
    page: PageRequest,
  ): Promise<{ rows: R[]; total: number }> {
    const [rows, counted] = await Promise.all([
      this.database.read<R>('list rooms', tenantId, list, [tenantId, userId, page.limit, page.offset]),
      this.database.read<{ n: number }>('count rooms', tenantId, count, [tenantId, userId]),
    ]);
    return { rows, total: counted[0]?.n ?? 0 };
  }
}
