import { Injectable } from '@nestjs/common';
import { Database, SystemDatabase } from '../../../platform/database';
import { ROOM_TYPES, type RoomEntity, type RoomMemberEntity, type RoomType } from '../entities/room.entity';

/** Every type that a room can have. */
export const LISTED_TYPES = [...ROOM_TYPES, 'ai'] as const satisfies readonly RoomType[];

export type ListedType = (typeof LISTED_TYPES)[number];

/** A room as administrators see it. */
export type ListedRoom = Readonly<
  Omit<RoomEntity, 'tenant_id' | 'unique_key' | 'metadata' | 'members_added' | 'first_rev'>
>;

/** A member of a room as administrators see them. */
export type ListedMember = Readonly<Omit<RoomMemberEntity, 'tenant_id' | 'room_id'>>;

/** A room that a user is a member of, and since when. */
export type Membership = ListedRoom & Pick<ListedMember, 'role' | 'joined_at' | 'joined_seq'>;

/** A room whose name begins as was asked, by the key of the list. */
interface NamedRow {
  /** The name in small letters. */
  readonly key: string;
  readonly room_id: string;
}

/** Above and below every id. */
const [LAST_ID, NO_ID] = ['ffffffff-ffff-ffff-ffff-ffffffffffff', '00000000-0000-0000-0000-000000000000'];
/** Memberships that are looked through for those rooms of a user in which something was said last. */
const MOST_MEMBERSHIPS = 1000;

const COLUMNS = `r.room_id, r.type, r.name, r.posting, r.first_seq, r.last_seq, r.last_rev, r.member_count, r.last_message_at,
  r.created_at, r.updated_at, r.deleted_at, r.retention_days, r.legal_hold`;

/**
 * Rooms and memberships as administrators look at them: no caller, no access rule, one tenant. Each page is read by an index
 * from the key of the page before, so it costs the same in tenants of any size.
 */
@Injectable()
export class RoomLists {
  constructor(
    private readonly database: Database,
    private readonly system: SystemDatabase,
  ) {}

  /**
   * Rooms that were not deleted, the newest first: ids rise with time.
   * @param type undefined: of every type @param after id of the last one before
   */
  page(
    tenantId: string,
    type: ListedType | undefined,
    after: string | undefined,
    limit: number,
  ): Promise<ListedRoom[]> {
    return this.database.query<ListedRoom>(
      'rooms of a tenant',
      tenantId,
      `SELECT r.* FROM unnest($2::text[]) t(type)
       CROSS JOIN LATERAL (SELECT ${COLUMNS} FROM rooms r
         WHERE r.tenant_id = $1 AND r.type = t.type AND r.deleted_at IS NULL AND r.room_id < $3
         ORDER BY r.room_id DESC LIMIT $4) r
       ORDER BY r.room_id DESC LIMIT $4`,
      [tenantId, typesOf(type), after ?? LAST_ID, limit],
    );
  }

  /**
   * Rooms whose names begin so, in capitals or not, in the order of the names; each with the key of the list. One that was
   * deleted in this moment has no `room`.
   *
   * An expression is no condition of an index under row-level security, so the ids are found without it; whatever is shown is
   * read as the tenant.
   * @param after key of the last one before
   */
  async named(
    tenantId: string,
    prefix: string,
    type: ListedType | undefined,
    after: readonly [key: string, roomId: string] | undefined,
    limit: number,
  ): Promise<(NamedRow & { readonly room: ListedRoom | undefined })[]> {
    const found = await this.system.query<NamedRow>(
      'rooms by name',
      `SELECT r.key, r.room_id FROM unnest($2::text[]) t(type)
       CROSS JOIN LATERAL (SELECT lower(x.name) COLLATE "C" AS key, x.room_id FROM rooms x
         WHERE x.tenant_id = $1 AND x.type = t.type AND x.deleted_at IS NULL AND x.name IS NOT NULL
           AND (lower(x.name) COLLATE "C", x.room_id) > (COALESCE($4, lower($3)), $5::uuid)
           AND lower(x.name) COLLATE "C" < lower($3) || chr(1114111)
         ORDER BY lower(x.name) COLLATE "C", x.room_id LIMIT $6) r
       ORDER BY r.key, r.room_id LIMIT $6`,
      [tenantId, typesOf(type), prefix, after?.[0] ?? null, after?.[1] ?? NO_ID, limit],
    );
    const rooms = await this.ofIds(
      tenantId,
      found.map(({ room_id }) => room_id),
    );
    return found.map((row) => ({ ...row, room: rooms.get(row.room_id) }));
  }

  /** Also one that was deleted; undefined: there is none. */
  async find(
    tenantId: string,
    roomId: string,
  ): Promise<(ListedRoom & Readonly<Pick<RoomEntity, 'metadata'>>) | undefined> {
    const rows = await this.database.query<ListedRoom & Readonly<Pick<RoomEntity, 'metadata'>>>(
      'room of a tenant',
      tenantId,
      `SELECT ${COLUMNS}, r.metadata FROM rooms r WHERE r.tenant_id = $1 AND r.room_id = $2`,
      [tenantId, roomId],
    );
    return rows[0];
  }

  /** Members in the order of joining, and so of `joined_seq`, after a place in it; agents too. */
  membersAfter(tenantId: string, roomId: string, memberNo: number, limit: number): Promise<ListedMember[]> {
    return this.database.query<ListedMember>(
      'members of a room',
      tenantId,
      `SELECT m.user_id, m.role, m.joined_at, m.joined_seq, m.member_no FROM room_members m
       WHERE m.tenant_id = $1 AND m.room_id = $2 AND m.member_no > 0 AND m.member_no > $3 ORDER BY m.member_no LIMIT $4`,
      [tenantId, roomId, memberNo, limit],
    );
  }

  /** The rooms of a user, deleted ones too, the newest first. @param after id of the last one before */
  memberships(tenantId: string, userId: string, after: string | undefined, limit: number): Promise<Membership[]> {
    return this.database.query<Membership>(
      'memberships of a user',
      tenantId,
      `SELECT m.role, m.joined_at, m.joined_seq, r.* FROM (SELECT * FROM room_members m
         WHERE m.tenant_id = $1 AND m.user_id = $2 AND m.room_id < $3 ORDER BY m.room_id DESC LIMIT $4) m
       CROSS JOIN LATERAL (SELECT ${COLUMNS} FROM rooms r WHERE r.tenant_id = $1 AND r.room_id = m.room_id OFFSET 0) r
       ORDER BY m.room_id DESC`,
      [tenantId, userId, after ?? LAST_ID, limit],
    );
  }

  /** Ids of those of a user's newest 1,000 rooms in which something was said last, the most recent first. */
  async busiest(tenantId: string, userId: string, limit: number): Promise<string[]> {
    const rows = await this.database.query<{ room_id: string }>(
      'busy rooms of a user',
      tenantId,
      `SELECT r.room_id FROM (SELECT m.room_id FROM room_members m
         WHERE m.tenant_id = $1 AND m.user_id = $2 ORDER BY m.room_id DESC LIMIT $4) m
       CROSS JOIN LATERAL (SELECT r.room_id, r.last_message_at FROM rooms r
         WHERE r.tenant_id = $1 AND r.room_id = m.room_id AND r.deleted_at IS NULL OFFSET 0) r
       WHERE r.last_message_at IS NOT NULL ORDER BY r.last_message_at DESC, r.room_id LIMIT $3`,
      [tenantId, userId, limit, MOST_MEMBERSHIPS],
    );
    return rows.map(({ room_id }) => room_id);
  }

  private async ofIds(tenantId: string, roomIds: readonly string[]): Promise<ReadonlyMap<string, ListedRoom>> {
    if (roomIds.length === 0) return new Map();
    const rows = await this.database.query<ListedRoom>(
      'rooms of a list',
      tenantId,
      `SELECT r.* FROM unnest($2::uuid[]) q(room_id)
       CROSS JOIN LATERAL (SELECT ${COLUMNS} FROM rooms r
         WHERE r.tenant_id = $1 AND r.room_id = q.room_id AND r.deleted_at IS NULL OFFSET 0) r`,
      [tenantId, roomIds],
    );
    return new Map(rows.map((row) => [row.room_id, row]));
  }
}

/** Each is a range of the indexes of its own. */
function typesOf(type: ListedType | undefined): readonly ListedType[] {
  return type === undefined ? LISTED_TYPES : [type];
}
