import { Injectable } from '@nestjs/common';
import { Database } from '../../../platform/database';

interface ReactionRow {
  readonly key: string;
  readonly rev: number;
  readonly user_id: string;
  readonly created_at: Date;
}

/** Reads of who reacted with what; what is shown of it stands with the messages. */
@Injectable()
export class ReactionsRepository {
  constructor(private readonly database: Database) {}

  /** What a user has given of these messages, by seq. */
  async own(
    tenantId: string,
    userId: string,
    roomId: string,
    seqs: readonly number[],
  ): Promise<ReadonlyMap<number, ReadonlySet<string>>> {
    const rows = await this.database.query<{ seq: number; key: string }>(
      'own reactions',
      tenantId,
      `SELECT x.seq, x.key FROM message_reactions x
       WHERE x.tenant_id = $1 AND x.user_id = $2 AND x.room_id = $3 AND x.seq = ANY ($4::bigint[])`,
      [tenantId, userId, roomId, seqs],
    );
    const own = new Map<number, Set<string>>();
    for (const { seq, key } of rows) own.set(seq, (own.get(seq) ?? new Set()).add(key));
    return own;
  }

  /** Of one message, by key and in the order of giving, after one of them. @param key of this one alone; null: of all */
  async of(
    tenantId: string,
    room: { readonly roomId: string; readonly messageId: string | null; readonly userId: string },
    page: {
      readonly key: string | null;
      readonly after: readonly [string, number] | undefined;
      readonly limit: number;
    },
  ): Promise<{ readonly allowed: boolean; readonly exists: boolean; readonly rows: ReactionRow[] } | undefined> {
    const rows = await this.database.query<ReactionRow & { allowed: boolean; seq: number | null }>(
      'reactions of a message',
      tenantId,
      `SELECT a.allowed, m.seq, x.key, x.rev, x.user_id, x.created_at FROM room_access($1, $2, $3) a
       LEFT JOIN messages m ON m.tenant_id = $1 AND m.room_id = $2 AND m.message_id = $4 AND a.allowed
         AND m.seq >= a.first_seq
       LEFT JOIN LATERAL (SELECT * FROM message_reactions r WHERE r.tenant_id = $1 AND r.room_id = $2 AND r.seq = m.seq
         AND ($5::text IS NULL OR r.key = $5) AND ($6::text IS NULL OR (r.key, r.rev) > ($6, $7::bigint))
         ORDER BY r.key, r.rev LIMIT $8) x ON true
       ORDER BY x.key, x.rev`,
      [tenantId, room.roomId, room.userId, room.messageId, page.key, page.after?.[0], page.after?.[1], page.limit],
    );
    const first = rows[0];
    if (!first) return undefined;
    const found = rows.filter((row) => (row.key as string | null) !== null);
    return { allowed: first.allowed, exists: first.seq !== null, rows: found };
  }
}
