import { Injectable } from '@nestjs/common';
import { Database } from '../../../platform/database';
import type { Claim } from '../../../realtime';
import type { RoomEntity } from '../entities/room.entity';

export type MemberPositionRow = Readonly<
  Pick<RoomEntity, 'room_id' | 'first_seq' | 'last_seq' | 'last_rev' | 'member_count'>
>;

/** How a user sees a room that was asked for. */
export type FoundPositionRow = MemberPositionRow & { readonly allowed: boolean; readonly role: string | null };

/** The same with its place `n` among those asked for, from 1. */
export type ClaimedPositionRow = FoundPositionRow & {
  readonly n: number;
  readonly first_rev: number;
  readonly message_id: string | null;
};

export interface EntranceRow {
  readonly user_id: string;
  readonly role: string;
  readonly joined_seq: number;
  /** Of the user's latest member.joined, or what stands for it where that is kept no more; null for founding members. */
  readonly rev: number | null;
  /** Where the log ended that was imported; null: the room was made here. */
  readonly imported_rev: number | null;
  readonly imported_seq: number | null;
  readonly oldest: string;
}

/** A room of users asked about. User ids have no comma. */
export interface NeighboursRow {
  /** So many of the users, from the first, have all their rooms among the rows; the same in each row. */
  readonly answered: number;
  /** Places of those users, from 1, among those asked about, joined by commas; null: there is no room. */
  readonly seats: string | null;
  /** Ids of the room's members that are no agents, joined by commas. */
  readonly people: string | null;
}

const POSITION = 'r.room_id, r.first_seq, r.last_seq, r.last_rev, r.member_count';

/** The positions of users in their rooms, for the socket. */
@Injectable()
export class PositionsRepository {
  constructor(private readonly database: Database) {}

  /**
   * The rooms of each of these users, with its place `n` among them, from 1, and their cursors, the most recently active
   * room first. Cursors are looked up one by one: joined, the plan depends on how many rooms the users of its first calls
   * had. OFFSET 0 keeps the user a plain column, an index condition.
   */
  withCursors(
    tenantId: string,
    userIds: readonly string[],
  ): Promise<(MemberPositionRow & { readonly n: number; readonly acked_seq: number })[]> {
    return this.database.query<MemberPositionRow & { readonly n: number; readonly acked_seq: number }>(
      'positions and cursors of users',
      tenantId,
      `SELECT u.n, ${POSITION}, LEAST(r.last_seq, GREATEST(m.joined_seq, COALESCE(c.acked_seq, 0))) AS acked_seq
       FROM (SELECT * FROM unnest($2::text[]) WITH ORDINALITY q(user_id, n) OFFSET 0) u
       CROSS JOIN LATERAL (SELECT room_id, joined_seq FROM room_members
         WHERE tenant_id = $1 AND user_id = u.user_id OFFSET 0) m
       CROSS JOIN LATERAL (SELECT * FROM rooms WHERE tenant_id = $1 AND room_id = m.room_id AND deleted_at IS NULL
         OFFSET 0) r
       LEFT JOIN LATERAL (SELECT acked_seq FROM cursor_of($1, m.room_id, u.user_id) OFFSET 0) c ON true
       ORDER BY u.n, COALESCE(r.last_message_at, r.created_at) DESC, r.room_id DESC`,
      [tenantId, userIds],
    );
  }

  /** The ids of each user's rooms, joined by commas, with its place `n` among the users, from 1; no row where it has none. */
  roomIds(tenantId: string, userIds: readonly string[]): Promise<{ readonly n: number; readonly room_ids: string }[]> {
    return this.database.query<{ readonly n: number; readonly room_ids: string }>(
      'rooms of users',
      tenantId,
      `SELECT u.n, string_agg(m.room_id::text, ',') AS room_ids
       FROM (SELECT * FROM unnest($2::text[]) WITH ORDINALITY q(user_id, n) OFFSET 0) u
       CROSS JOIN LATERAL (SELECT room_id FROM room_members WHERE tenant_id = $1 AND user_id = u.user_id OFFSET 0) m
       CROSS JOIN LATERAL (SELECT FROM rooms WHERE tenant_id = $1 AND room_id = m.room_id AND deleted_at IS NULL
         OFFSET 0) r
       GROUP BY u.n`,
      [tenantId, userIds],
    );
  }

  /**
   * Several rooms, each with its place `n` among those asked for, from 1, and the message that its claim names; those
   * that do not exist are missing. Where no message is named its seq is null, and the log is not looked at.
   */
  findAll(tenantId: string, claims: readonly Claim[], userId: string): Promise<ClaimedPositionRow[]> {
    return this.database.query<ClaimedPositionRow>(
      'positions in rooms',
      tenantId,
      `SELECT q.n, r.*, a.allowed, a.role, m.message_id
       FROM (SELECT * FROM unnest($2::uuid[], $4::bigint[]) WITH ORDINALITY q(room_id, seq, n) OFFSET 0) q
       CROSS JOIN LATERAL (SELECT allowed, role FROM room_access($1, q.room_id, $3) OFFSET 0) a
       CROSS JOIN LATERAL (SELECT ${POSITION}, r.first_rev FROM rooms r
         WHERE r.tenant_id = $1 AND r.room_id = q.room_id OFFSET 0) r
       LEFT JOIN LATERAL (SELECT message_id FROM message_at($1, q.room_id, q.seq) OFFSET 0) m ON true`,
      [tenantId, claims.map(({ roomId }) => roomId), userId, claims.map(({ seq }) => seq ?? null)],
    );
  }

  async find(tenantId: string, roomId: string, userId: string): Promise<FoundPositionRow | undefined> {
    const rows = await this.database.query<FoundPositionRow>(
      'position in a room',
      tenantId,
      `SELECT ${POSITION}, a.allowed, a.role FROM room_access($1, $2, $3) a
       JOIN rooms r ON r.tenant_id = $1 AND r.room_id = $2`,
      [tenantId, roomId, userId],
    );
    return rows[0];
  }

  entrances(tenantId: string, roomId: string, userIds: readonly string[]): Promise<EntranceRow[]> {
    return this.database.query<EntranceRow>(
      'entrances',
      tenantId,
      `SELECT m.user_id, m.role, m.joined_seq,
         COALESCE(j.rev, CASE WHEN r.first_rev > 0 THEN r.first_rev + 1 END) AS rev, i.last_rev AS imported_rev,
         i.last_seq AS imported_seq, (SELECT o.user_id FROM room_members o
         WHERE o.tenant_id = $1 AND o.room_id = $2 AND o.member_no > 0 ORDER BY o.member_no LIMIT 1) AS oldest
       FROM room_members m JOIN rooms r ON r.tenant_id = m.tenant_id AND r.room_id = m.room_id
       LEFT JOIN LATERAL (SELECT e.rev FROM room_events e WHERE e.tenant_id = $1 AND e.room_id = $2
         AND e.type = 'member.joined' AND e.payload->>'user_id' = m.user_id ORDER BY e.rev DESC LIMIT 1) j ON true
       LEFT JOIN import_rooms i ON i.tenant_id = $1 AND i.room_id = $2
       WHERE m.tenant_id = $1 AND m.room_id = $2 AND m.user_id = ANY ($3::text[]) AND r.deleted_at IS NULL`,
      [tenantId, roomId, userIds],
    );
  }

  /**
   * Rooms of 2 to `largest` members of these users, each room once, while all of them have at most `memberships` members;
   * a row without a room where there is none. OFFSET 0 keeps each step a loop of look-ups by index, however many users
   * those had for whom it was planned.
   */
  neighbours(
    tenantId: string,
    userIds: readonly string[],
    largest: number,
    memberships: number,
  ): Promise<NeighboursRow[]> {
    return this.database.query<NeighboursRow>(
      'neighbours',
      tenantId,
      `WITH room AS MATERIALIZED (
         SELECT s.room_id, s.first, s.seats, r.member_count,
           sum(r.member_count) OVER (ORDER BY s.first, r.member_count, s.room_id ROWS UNBOUNDED PRECEDING) AS total
         FROM (SELECT m.room_id, min(u.n) AS first, string_agg(u.n::text, ',') AS seats
           FROM (SELECT * FROM unnest($2::text[]) WITH ORDINALITY q(user_id, n) OFFSET 0) u
           CROSS JOIN LATERAL (SELECT m.room_id FROM room_members m
             WHERE m.tenant_id = $1 AND m.user_id = u.user_id OFFSET 0) m
           GROUP BY m.room_id OFFSET 0) s
         CROSS JOIN LATERAL (SELECT r.member_count FROM rooms r WHERE r.tenant_id = $1 AND r.room_id = s.room_id
           AND r.member_count BETWEEN 2 AND $3 AND r.deleted_at IS NULL OFFSET 0) r)
       SELECT a.answered, r.seats, p.people
       FROM (SELECT GREATEST(1, COALESCE(min(first) - 1, cardinality($2)))::integer AS answered
         FROM room WHERE total > $4::integer) a
       LEFT JOIN room r ON r.first <= a.answered AND r.total <= $4
       LEFT JOIN LATERAL (SELECT string_agg(o.user_id, ',') AS people FROM room_members o
         WHERE o.tenant_id = $1 AND o.room_id = r.room_id AND o.role <> 'agent') p ON true`,
      [tenantId, userIds, largest, memberships],
    );
  }
}
