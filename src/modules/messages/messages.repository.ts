import { Injectable } from '@nestjs/common';
import { Database } from '../../platform/database';
import type { PreviewRequest } from '../rooms';
import type { MessageDto } from './dto/message.dto';
import type { MessageVersionEntity } from './entities/message-version.entity';
import { FRAME_COLUMNS, MESSAGE_COLUMNS, type MessageRow, messageView, PREVIEW_COLUMNS } from './views';

/** The oldest message that the room $2 of the tenant $1 keeps: rows before it may be there, and are not shown. */
export const FIRST_SEQ = '(SELECT k.first_seq FROM room_keeps($1, $2) k)';

/** The states of the message `m` (docs/adr/0043), where its room has any: others are not asked for. @param hasStates of the room, in SQL */
export const statesIf = (hasStates: string): string =>
  `CASE WHEN ${hasStates} THEN (SELECT s.states FROM message_states(m.tenant_id, m.room_id, m.seq) s) END AS states`;

/** Whether states of messages were ever set in it. */
const HAS_STATES = '(SELECT k.has_states FROM room_keeps($1, $2) k)';

export interface RoomView {
  readonly allowed: boolean;
  readonly first_seq: number;
  readonly last_seq: number;
  readonly last_rev: number;
  /** null: no state of a message was ever set there. */
  readonly has_states: boolean | null;
}

/** A room in which one message was looked for. */
export interface FoundRoom extends Pick<RoomView, 'allowed' | 'first_seq' | 'last_seq'> {
  /** undefined and null: the caller is no member. */
  readonly role: string | null;
}

/** What a message said before. */
export type VersionRow = Readonly<Pick<MessageVersionEntity, 'rev' | 'content' | 'meta' | 'said_at'>>;

export interface ListRequest {
  readonly afterSeq: number | null;
  readonly beforeSeq: number | null;
  readonly limit: number;
  readonly offset: number;
  /** Take the page from the newest end. */
  readonly newest: boolean;
}

/** A change: the message as it is now, or of another kind, with what happened as its payload. */
export type ChangeRow =
  | ({ readonly type: string; readonly payload: null } & MessageRow)
  | { readonly type: string; readonly rev: number; readonly payload: Record<string, unknown> };

export interface RoomPreviewRow {
  readonly unread: number;
  /** The newest message, of its content the beginning; undefined where there is none. */
  readonly last: MessageRow | undefined;
}

/**
 * A window of consecutive seqs: every seq that a room keeps exists, so pages and offsets are arithmetic. OFFSET 0 keeps the
 * window's bounds plain columns: as expressions that could fail they are no index conditions under row-level security,
 * and every page reads the whole room.
 */
const LIST = `
SELECT a.allowed, a.first_seq, a.last_seq AS room_last_seq, a.last_rev, a.has_states, m.*
FROM room_access($1, $2, $3) a
CROSS JOIN LATERAL (SELECT GREATEST(COALESCE($4::bigint, 0), a.first_seq - 1) AS low,
  LEAST(COALESCE($5::bigint, a.last_seq + 1), a.last_seq + 1) AS high) w
CROSS JOIN LATERAL (SELECT
  CASE WHEN $8 THEN GREATEST(w.low, w.high - $7::bigint - $6::bigint - 1) ELSE w.low + $7::bigint END AS low,
  CASE WHEN $8 THEN w.high - $7::bigint ELSE w.high END AS high OFFSET 0) p
LEFT JOIN LATERAL (SELECT ${FRAME_COLUMNS}, ${statesIf('a.has_states')}
  FROM messages m WHERE m.tenant_id = $1 AND m.room_id = $2 AND a.allowed
  AND m.seq > p.low AND m.seq < p.high ORDER BY m.seq LIMIT $6) m ON true
ORDER BY m.seq`;

const CHANGES = `
SELECT a.allowed, a.last_rev AS room_last_rev, k.first_rev, c.*
FROM room_access($1, $2, $3) a CROSS JOIN room_keeps($1, $2) k LEFT JOIN LATERAL (
  (SELECT CASE WHEN m.deleted_at IS NOT NULL THEN 'message.deleted' WHEN m.edited_at IS NOT NULL
    THEN 'message.updated' ELSE 'message' END AS type, NULL::jsonb AS payload, ${MESSAGE_COLUMNS},
    ${statesIf('a.has_states')}
   FROM messages m WHERE m.tenant_id = $1 AND m.room_id = $2 AND a.allowed AND m.rev > $4 AND m.seq >= a.first_seq
   ORDER BY m.rev LIMIT $5)
  UNION ALL
  (SELECT e.type, e.payload, NULL, NULL, NULL, e.rev, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
   FROM room_events_after($1, $2, $4) e WHERE a.allowed ORDER BY e.rev LIMIT $5)
  UNION ALL
  (SELECT e.type, e.payload, NULL, NULL, NULL, e.rev, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
   FROM message_states_after($1, $2, $4, a.first_seq, NULL, $5) e WHERE a.allowed AND a.has_states
   ORDER BY e.rev LIMIT $5)
  ORDER BY rev LIMIT $5) c ON true
ORDER BY c.rev`;

/** Newest first, so that what lies too far back for the count is the oldest. */
const PREVIEWS = `
SELECT q.room_id AS asked_room, u.n AS unread, l.*
FROM unnest($2::uuid[], $3::bigint[], $4::bigint[], $8::bigint[]) q(room_id, read_seq, last_seq, first_seq)
CROSS JOIN LATERAL (SELECT count(*) AS n FROM (
  SELECT 1 FROM (SELECT m.sender_id, m.deleted_at FROM messages m WHERE m.tenant_id = $1 AND m.room_id = q.room_id
    AND m.seq > q.read_seq AND m.seq <= q.last_seq ORDER BY m.seq DESC LIMIT $7) x
  WHERE x.sender_id <> $5 AND x.deleted_at IS NULL LIMIT $6) y) u
LEFT JOIN LATERAL (SELECT ${PREVIEW_COLUMNS} FROM messages m WHERE m.tenant_id = $1 AND m.room_id = q.room_id
  AND m.seq = q.last_seq AND q.last_seq >= q.first_seq) l ON true`;

/** Reads of the log; it is written by the appender and by functions of the schema. */
@Injectable()
export class MessagesRepository {
  constructor(private readonly database: Database) {}

  /** A page in order of seq with the room it is from, of one snapshot; `meta` as text. undefined: no such room. */
  async list(
    tenantId: string,
    roomId: string,
    userId: string,
    page: ListRequest,
  ): Promise<(RoomView & { rows: MessageRow[] }) | undefined> {
    const rows = await this.database.query<MessageRow & Omit<RoomView, 'last_seq'> & { room_last_seq: number }>(
      'list messages',
      tenantId,
      LIST,
      [tenantId, roomId, userId, page.afterSeq, page.beforeSeq, page.limit, page.offset, page.newest],
    );
    const first = rows[0];
    if (!first) return undefined;
    return {
      allowed: first.allowed,
      first_seq: first.first_seq,
      last_seq: first.room_last_seq,
      last_rev: first.last_rev,
      has_states: first.has_states,
      rows: rows.filter((row) => (row.seq as number | null) !== null),
    };
  }

  /** Messages after one seq and up to another, the oldest `limit` of them; the caller knows that they may be seen. */
  between(
    tenantId: string,
    roomId: string,
    afterSeq: number,
    throughSeq: number,
    limit: number,
  ): Promise<MessageRow[]> {
    return this.database.query<MessageRow>(
      'messages between',
      tenantId,
      `SELECT ${MESSAGE_COLUMNS}, ${statesIf(HAS_STATES)}
       FROM messages m WHERE m.tenant_id = $1 AND m.room_id = $2 AND m.seq > $3 AND m.seq <= $4
         AND m.seq >= ${FIRST_SEQ} ORDER BY m.seq LIMIT $5`,
      [tenantId, roomId, afterSeq, throughSeq, limit],
    );
  }

  /** One message; `row` is undefined where the room has none of that id. */
  async find(
    tenantId: string,
    roomId: string,
    userId: string,
    messageId: string | null,
  ): Promise<(FoundRoom & { row: MessageRow | undefined }) | undefined> {
    const rows = await this.database.query<MessageRow & FoundRoom>(
      'get message',
      tenantId,
      `SELECT a.allowed, a.role, a.first_seq, a.last_seq, ${MESSAGE_COLUMNS}, ${statesIf('a.has_states')}
       FROM room_access($1, $2, $3) a
       LEFT JOIN messages m ON m.tenant_id = $1 AND m.room_id = $2 AND m.message_id = $4 AND a.allowed
         AND m.seq >= a.first_seq`,
      [tenantId, roomId, userId, messageId],
    );
    const first = rows[0];
    if (first === undefined) return undefined;
    const { allowed, role, first_seq, last_seq } = first;
    return { allowed, role, first_seq, last_seq, row: (first.seq as number | null) === null ? undefined : first };
  }

  /** What a message said before it was edited, after a revision, the oldest first. @param roomId UUID */
  versions(tenantId: string, roomId: string, seq: number, afterRev: number, limit: number): Promise<VersionRow[]> {
    return this.database.query<VersionRow>(
      'versions of a message',
      tenantId,
      `SELECT v.rev, v.content, v.meta, v.said_at FROM message_versions v
       WHERE v.tenant_id = $1 AND v.room_id = $2 AND v.seq = $3 AND v.rev > $4 ORDER BY v.rev LIMIT $5`,
      [tenantId, roomId, seq, afterRev, limit],
    );
  }

  /** At most `limit` changes after a revision, in order. */
  async changes(
    tenantId: string,
    roomId: string,
    userId: string,
    afterRev: number,
    limit: number,
  ): Promise<{ allowed: boolean; firstRev: number; lastRev: number; rows: ChangeRow[] } | undefined> {
    const rows = await this.database.query<ChangeRow & { allowed: boolean; first_rev: number; room_last_rev: number }>(
      'list changes',
      tenantId,
      CHANGES,
      [tenantId, roomId, userId, afterRev, limit],
    );
    const first = rows[0];
    if (!first) return undefined;
    return {
      allowed: first.allowed,
      firstRev: first.first_rev,
      lastRev: first.room_last_rev,
      rows: rows.filter((row) => (row.rev as number | null) !== null),
    };
  }

  /**
   * Unread counts and newest messages of several rooms, by room id. A count ends at `limits.count`, and looks at no more
   * than the newest `limits.reach` messages of a room.
   */
  async previews(
    tenantId: string,
    userId: string,
    rooms: readonly (PreviewRequest & { readSeq: number })[],
    limits: { readonly count: number; readonly reach: number },
  ): Promise<ReadonlyMap<string, RoomPreviewRow>> {
    const rows = await this.database.query<MessageRow & { asked_room: string; unread: number }>(
      'room previews',
      tenantId,
      PREVIEWS,
      [
        tenantId,
        rooms.map((room) => room.roomId),
        rooms.map((room) => room.readSeq),
        rooms.map((room) => room.lastSeq),
        userId,
        limits.count,
        limits.reach,
        rooms.map((room) => room.firstSeq),
      ],
    );
    return new Map(
      rows.map(({ asked_room, unread, ...last }) => [
        asked_room,
        { unread, last: (last.seq as number | null) === null ? undefined : last },
      ]),
    );
  }
}

/** What is stored of a message's way. */
export type StoredMessage = Omit<MessageRow, 'content' | 'meta' | 'client_message_id' | 'created_at'> & {
  readonly kind: string;
  readonly created_at: Date;
};

/** Messages as the server's own work sees them: no caller, no access rule, one tenant. */
@Injectable()
export class MessageFacts {
  constructor(private readonly database: Database) {}

  /** The newest messages of a room that are kept, tombstones too, in order of seq. @param roomId UUID */
  async newest(tenantId: string, roomId: string, limit: number): Promise<MessageDto[]> {
    const rows = await this.database.query<MessageRow>(
      'newest messages',
      tenantId,
      `SELECT * FROM (SELECT ${MESSAGE_COLUMNS} FROM messages m WHERE m.tenant_id = $1 AND m.room_id = $2
         AND m.seq >= ${FIRST_SEQ} ORDER BY m.seq DESC LIMIT $3) n ORDER BY n.seq`,
      [tenantId, roomId, limit],
    );
    return rows.map(messageView);
  }

  /**
   * The newest messages of a sender in these rooms, tombstones too, the newest first. No index knows them by their sender: of
   * each room the newest `reach` messages are read.
   * @param roomIds UUIDs
   */
  async newestBy(
    tenantId: string,
    userId: string,
    roomIds: readonly string[],
    { reach, limit }: { readonly reach: number; readonly limit: number },
  ): Promise<MessageDto[]> {
    if (roomIds.length === 0) return [];
    const rows = await this.database.query<MessageRow>(
      'newest messages of a sender',
      tenantId,
      `SELECT ${MESSAGE_COLUMNS} FROM unnest($2::uuid[]) q(room_id)
       CROSS JOIN LATERAL (SELECT k.first_seq FROM room_keeps($1, q.room_id) k OFFSET 0) k
       CROSS JOIN LATERAL (SELECT * FROM messages x WHERE x.tenant_id = $1 AND x.room_id = q.room_id
         AND x.seq >= k.first_seq ORDER BY x.seq DESC LIMIT $4) m
       WHERE m.sender_id = $3 ORDER BY m.created_at DESC, m.message_id DESC LIMIT $5`,
      [tenantId, roomIds, userId, reach, limit],
    );
    return rows.map(messageView);
  }

  /** undefined where the room has none of that id, or keeps it no more. Ids are UUIDs. */
  async find(tenantId: string, roomId: string, messageId: string): Promise<StoredMessage | undefined> {
    const rows = await this.database.query<StoredMessage>(
      'message by id',
      tenantId,
      `SELECT m.message_id, m.room_id, m.seq, m.rev, m.sender_id, m.kind, m.created_at, m.edited_at, m.deleted_at
       FROM messages m WHERE m.tenant_id = $1 AND m.message_id = $3 AND m.room_id = $2 AND m.seq >= ${FIRST_SEQ}`,
      [tenantId, roomId, messageId],
    );
    return rows[0];
  }

  /** Those of these messages that are kept and not deleted, in order of seq. @param roomId UUID */
  async ofSeqs(tenantId: string, roomId: string, seqs: readonly number[]): Promise<MessageDto[]> {
    const rows = await this.database.query<MessageRow>(
      'messages by seq',
      tenantId,
      `SELECT ${MESSAGE_COLUMNS} FROM messages m
       WHERE m.tenant_id = $1 AND m.room_id = $2 AND m.seq = ANY ($3::bigint[])
         AND m.seq >= ${FIRST_SEQ} AND m.deleted_at IS NULL ORDER BY m.seq`,
      [tenantId, roomId, seqs],
    );
    return rows.map(messageView);
  }
}
