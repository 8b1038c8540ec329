import { Injectable } from '@nestjs/common';
import { Database } from '../../../platform/database';
import type { MissedPart, PageLimits, Position } from '../../../realtime';
import { statesIf } from '../messages.repository';
import { changedRev, FRAME_COLUMNS, type MessageRow, NO_CONTENT } from '../views';

/** A row of the log after a position. */
export interface LogRow {
  /**
   * A message that came after the position, an older one that has changed since, a change that is no message, a state of a
   * message as it is now (of one that came after the position only what is not told with it), or the lowest revision among
   * the messages beyond this page.
   */
  readonly kind: 'new' | 'changed' | 'event' | 'state' | 'beyond';
  readonly rev: number;
  readonly seq: number | null;
  readonly type: string | null;
  readonly payload: Record<string, unknown> | null;
}

/**
 * What lies after revision $3 and message $4, in one snapshot. Of what is kept every seq exists, so the messages beyond a
 * page of $5 are those after its beginning + $5. OFFSET 0 has those that changed looked up by their revision, see MISSED.
 */
const AFTER = `
WITH w AS MATERIALIZED (SELECT GREATEST($4::bigint, f.first_seq - 1) AS seq, COALESCE(f.first_seq, 1) AS first_seq, f.has_states
  FROM (SELECT 1) one LEFT JOIN LATERAL (SELECT first_seq, has_states FROM room_keeps($1, $2)) f ON true)
(SELECT 'new' AS kind, m.rev, m.seq, NULL AS type, message_json(m) AS payload FROM messages m
 WHERE m.tenant_id = $1 AND m.room_id = $2 AND m.seq > (SELECT seq FROM w)
   AND m.seq <= (SELECT seq + $5::bigint FROM w) ORDER BY m.seq)
UNION ALL
(SELECT 'beyond', m.rev, NULL, NULL, NULL FROM messages m
 WHERE m.tenant_id = $1 AND m.room_id = $2 AND m.seq > (SELECT seq + $5::bigint FROM w) AND m.rev > $3
 ORDER BY m.rev LIMIT 1)
UNION ALL
(SELECT 'changed', m.rev, m.seq, NULL, message_json(m.message) FROM (
   SELECT m.rev, m.seq, m AS message FROM messages m
   WHERE m.tenant_id = $1 AND m.room_id = $2 AND m.rev > $3 ORDER BY m.rev OFFSET 0) m
 WHERE m.seq <= $4 AND m.seq >= (SELECT first_seq FROM w) ORDER BY m.rev LIMIT $5::bigint + 1)
UNION ALL
(SELECT 'event', e.rev, NULL, e.type, e.payload FROM room_events_after($1, $2, $3) e
 ORDER BY e.rev LIMIT $5::bigint + 1)
UNION ALL
(SELECT 'state', e.rev, e.seq, e.type, e.payload
 FROM w CROSS JOIN LATERAL message_states_after($1, $2, $3, w.first_seq, $4, $5::bigint + 1) e WHERE w.has_states
 ORDER BY e.rev LIMIT $5::bigint + 1)`;

/** A range of a room's messages, and how many bytes of content of it, at least one message. */
export interface RoomRange {
  readonly roomId: string;
  readonly afterSeq: number;
  readonly throughSeq: number;
  readonly bytes: number;
}

/** What is wanted of a room beside its messages: read marks, and the id of one message. */
export interface RoomOpening {
  readonly roomId: string;
  /** 0: none. */
  readonly mostMarks: number;
  readonly named: number | undefined;
}

interface OpeningRow {
  /** Which of the rooms, from 1. */
  readonly n: number;
  readonly user_id: string | null;
  readonly seq: number | null;
  readonly message_id: string | null;
}

/** Ranges of several rooms in one snapshot, each in order of seq. OFFSET 0 keeps the bounds plain columns, see MISSED. */
const RANGES = `
SELECT w.n, x.*
FROM (SELECT * FROM unnest($2::uuid[], $3::bigint[], $4::bigint[], $5::bigint[])
  WITH ORDINALITY q(room_id, after_seq, through_seq, bytes, n) OFFSET 0) w
CROSS JOIN LATERAL (SELECT * FROM room_keeps($1, w.room_id) OFFSET 0) k
CROSS JOIN LATERAL (SELECT ${FRAME_COLUMNS}, ${statesIf('k.has_states')} FROM (
  SELECT m.*, sum(octet_length(m.content) + COALESCE(octet_length(m.meta::text), 0)) OVER (ORDER BY m.seq
    ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
  FROM (SELECT * FROM messages m WHERE m.tenant_id = $1 AND m.room_id = w.room_id
    AND m.seq > w.after_seq AND m.seq <= w.through_seq AND m.seq >= k.first_seq ORDER BY m.seq LIMIT $6) m) m
  WHERE m.before IS NULL OR m.before < w.bytes ORDER BY m.seq) x
ORDER BY w.n, x.seq`;

const OPENINGS = `
SELECT w.n, x.* FROM (SELECT * FROM unnest($2::uuid[], $3::bigint[], $4::bigint[])
  WITH ORDINALITY q(room_id, most, named, n) OFFSET 0) w
CROSS JOIN LATERAL (
  (SELECT r.user_id, r.read_seq AS seq, NULL::uuid AS message_id FROM read_marks($1, w.room_id, w.most) r)
  UNION ALL
  (SELECT NULL, NULL, l.message_id FROM message_at($1, w.room_id, w.named) l
   WHERE w.named >= (SELECT k.first_seq FROM room_keeps($1, w.room_id) k))
) x`;
/** Messages of a range that one statement reads. */
const RANGE_MESSAGES = 500;

@Injectable()
export class RoomLogRepository {
  constructor(private readonly database: Database) {}

  /** The rows that mergeLog takes. */
  async after(tenantId: string, roomId: string, { rev, seq }: Position, limit: number): Promise<LogRow[]> {
    const rows = await this.database.query<LogRow & { kind: LogRow['kind'] }>('log after', tenantId, AFTER, [
      tenantId,
      roomId,
      rev,
      seq,
      limit,
    ]);
    // A state that is told with its message has changed it, as an edit does.
    return rows.map((row) =>
      row.kind === 'new' ? { ...row, rev: changedRev(row.payload as unknown as MessageRow) } : row,
    );
  }

  /** Rows in the order of the ranges, each in order of seq. */
  ranges(tenantId: string, ranges: readonly RoomRange[]): Promise<(MessageRow & { readonly n: number })[]> {
    return this.database.query<MessageRow & { readonly n: number }>('ranges of rooms', tenantId, RANGES, [
      tenantId,
      ranges.map(({ roomId }) => roomId),
      ranges.map(({ afterSeq }) => afterSeq),
      ranges.map(({ throughSeq }) => throughSeq),
      ranges.map(({ bytes }) => bytes),
      RANGE_MESSAGES,
    ]);
  }

  /** In no order: of each room its marks, and a row of the message that is named. */
  openings(tenantId: string, rooms: readonly RoomOpening[]): Promise<OpeningRow[]> {
    return this.database.query<OpeningRow>('openings of rooms', tenantId, OPENINGS, [
      tenantId,
      rooms.map(({ roomId }) => roomId),
      rooms.map(({ mostMarks }) => mostMarks),
      rooms.map(({ named }) => named ?? null),
    ]);
  }
}

/** What every row says of the part that it belongs to. */
interface PartRow {
  /** Which of the parts, from 1. */
  readonly n: number;
  readonly allowed: boolean | null;
  readonly role: string | null;
  readonly first_seq: number | null;
  readonly first_rev: number | null;
}

interface ChangePart {
  readonly rev: number;
  readonly type: string;
  readonly payload: Record<string, unknown>;
}

/** kind null: the part has nothing. */
export type MissedRow = PartRow &
  (
    | { readonly kind: null }
    | ({ readonly kind: 'new' | 'changed' } & MessageRow)
    | ({ readonly kind: 'event' } & ChangePart)
    | ({ readonly kind: 'state' } & ChangePart)
    | { readonly kind: 'mark'; readonly seq: number; readonly sender_id: string }
    | { readonly kind: 'named'; readonly message_id: string }
  );

const EMPTY = 'NULL::uuid, NULL::uuid';

/**
 * Parts of several rooms in one snapshot, each with how the user sees its room in it. OFFSET 0 keeps the bounds plain
 * columns, which alone are index conditions under row-level security, and has older messages that changed looked up by
 * their revision, not by their seq, of which all that are older would be read. A part's messages end with the one that
 * fills its bytes.
 */
const MISSED = `
SELECT w.n, a.allowed, a.role, a.first_seq, k.first_rev, x.*
FROM (SELECT * FROM unnest($2::uuid[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::boolean[],
    $9::text[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[])
  WITH ORDINALITY q(room_id, after_seq, through_seq, after_rev, through_rev, changed_seq, marks, user_id, messages, changes,
    bytes, named, n) OFFSET 0) w
LEFT JOIN LATERAL (SELECT allowed, role, first_seq, has_states FROM room_access($1, w.room_id, w.user_id) OFFSET 0) a ON true
LEFT JOIN LATERAL (SELECT first_rev FROM room_keeps($1, w.room_id) OFFSET 0) k ON true
LEFT JOIN LATERAL (
  (SELECT 'new' AS kind, NULL::text AS type, NULL::jsonb AS payload, ${FRAME_COLUMNS}, ${statesIf('a.has_states')} FROM (
     SELECT m.*, sum(octet_length(m.content) + COALESCE(octet_length(m.meta::text), 0)) OVER (ORDER BY m.seq
       ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
     FROM (SELECT * FROM messages m WHERE m.tenant_id = $1 AND m.room_id = w.room_id AND a.allowed
       AND m.seq > w.after_seq AND m.seq <= w.through_seq AND m.seq >= a.first_seq ORDER BY m.seq LIMIT w.messages) m) m
   WHERE m.before IS NULL OR m.before < w.bytes)
  UNION ALL
  (SELECT 'changed', NULL, NULL, ${FRAME_COLUMNS}, ${statesIf('a.has_states')} FROM (
     SELECT * FROM messages m WHERE m.tenant_id = $1 AND m.room_id = w.room_id AND a.allowed
       AND m.rev > w.after_rev AND m.rev <= w.through_rev ORDER BY m.rev OFFSET 0) m
   WHERE m.seq <= w.changed_seq AND m.seq >= a.first_seq ORDER BY m.rev LIMIT w.changes)
  UNION ALL
  (SELECT 'event', e.type, e.payload, ${EMPTY}, NULL::bigint, e.rev, NULL::text, ${NO_CONTENT}, NULL::text
   FROM room_events_after($1, w.room_id, w.after_rev) e
   WHERE a.allowed AND e.rev <= w.through_rev ORDER BY e.rev LIMIT w.changes)
  UNION ALL
  (SELECT 'state', e.type, e.payload, ${EMPTY}, e.seq, e.rev, NULL::text, ${NO_CONTENT}, NULL::text
   FROM message_states_after($1, w.room_id, w.after_rev, a.first_seq, w.changed_seq, w.changes) e
   WHERE a.allowed AND a.has_states AND e.rev <= w.through_rev ORDER BY e.rev LIMIT w.changes)
  UNION ALL
  (SELECT 'mark', NULL, NULL, ${EMPTY}, r.read_seq, NULL::bigint, r.user_id, ${NO_CONTENT}, NULL::text
   FROM read_marks($1, w.room_id, CASE WHEN w.marks AND a.allowed THEN $14::bigint ELSE 0 END) r)
  UNION ALL
  (SELECT 'named', NULL, NULL, l.message_id, NULL::uuid, NULL::bigint, NULL::bigint, NULL::text, ${NO_CONTENT}, NULL::text
   FROM message_at($1, w.room_id, w.named) l WHERE a.allowed AND w.named >= a.first_seq)
) x ON true
ORDER BY w.n`;

@Injectable()
export class MissedRepository {
  constructor(private readonly database: Database) {}

  /** Rows in the order of the parts; in no order within one. */
  missed(
    tenantId: string,
    asked: readonly { readonly userId: string; readonly part: MissedPart; readonly limits: PageLimits }[],
    mostMarks: number,
  ): Promise<MissedRow[]> {
    const parts = asked.map(({ part }) => part);
    return this.database.query<MissedRow>('missed of rooms', tenantId, MISSED, [
      tenantId,
      parts.map((part) => part.roomId),
      parts.map((part) => part.afterSeq),
      parts.map((part) => part.throughSeq),
      parts.map((part) => part.afterRev),
      parts.map((part) => part.throughRev),
      parts.map((part) => part.changedThroughSeq),
      parts.map((part) => part.marks),
      asked.map(({ userId }) => userId),
      asked.map(({ limits }) => limits.messages),
      asked.map(({ limits }) => limits.changes),
      asked.map(({ limits }) => limits.bytes),
      parts.map((part) => part.named ?? null),
      mostMarks,
    ]);
  }
}
