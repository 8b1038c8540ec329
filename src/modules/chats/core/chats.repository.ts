import { Injectable } from '@nestjs/common';
import type { PageRequest } from '../../../common/limits';
import { Database } from '../../../platform/database';
import type { ChatFilter } from '../contract';
import type { ChatRow } from './chat-row';

const COLUMNS = `c.room_id, c.user_id, c.group_id, c.preset, c.created_at, r.name, r.metadata, r.updated_at,
  r.last_message_at, r.message_count`;

const WHERE = `c.tenant_id = $1 AND c.deleted_at IS NULL AND ($2::text IS NULL OR c.user_id = $2)
  AND ($3::text IS NULL OR c.group_id = $3)`;

/** Reads chats; they are changed by functions of the schema. */
@Injectable()
export class ChatsRepository {
  constructor(private readonly database: Database) {}

  async find(tenantId: string, chatId: string): Promise<ChatRow | undefined> {
    const [row] = await this.database.query<ChatRow>(
      'chat',
      tenantId,
      `SELECT ${COLUMNS} FROM chats c CROSS JOIN LATERAL chat_room(c.tenant_id, c.room_id) r
       WHERE c.tenant_id = $1 AND c.room_id = $2`,
      [tenantId, chatId],
    );
    return row;
  }

  async active(tenantId: string, userId: string, groupId: string | null, preset: string): Promise<ChatRow | undefined> {
    const [row] = await this.database.query<ChatRow>(
      'active chat',
      tenantId,
      `SELECT ${COLUMNS} FROM chats c CROSS JOIN LATERAL chat_room(c.tenant_id, c.room_id) r
       WHERE c.tenant_id = $1 AND c.user_id = $2 AND COALESCE(c.group_id, '') = COALESCE($3, '') AND c.preset = $4
         AND c.is_active`,
      [tenantId, userId, groupId, preset],
    );
    return row;
  }

  /** Answers without a token of each of these chats; those without any are missing. */
  silent(tenantId: string, chatIds: readonly string[]): Promise<{ room_id: string; n: number }[]> {
    return this.database.query<{ room_id: string; n: number }>(
      'silent answers',
      tenantId,
      `SELECT q.room_id, count(*)::int AS n FROM runs q WHERE q.tenant_id = $1 AND q.room_id = ANY ($2::uuid[])
         AND q.token_count = 0 AND q.answer_seq IS NOT NULL GROUP BY 1`,
      [tenantId, chatIds],
    );
  }

  async list(
    tenantId: string,
    { userId, groupId, by, order }: ChatFilter,
    page: PageRequest,
  ): Promise<{ rows: ChatRow[]; total: number }> {
    const column = by === 'created' ? 'created_at' : 'active_at';
    const direction = order === 'asc' ? 'ASC' : 'DESC';
    const chosen = [tenantId, userId ?? null, groupId ?? null];
    const sorted = (alias: string): string => `${alias}.${column} ${direction}, ${alias}.room_id ${direction}`;
    return this.database.transaction('list chats', tenantId, async (sql) => {
      const [rows, [count]] = await Promise.all([
        sql.query<ChatRow>(
          `SELECT ${COLUMNS} FROM (SELECT c.* FROM chats c WHERE ${WHERE} ORDER BY ${sorted('c')} LIMIT $4 OFFSET $5) c
           CROSS JOIN LATERAL chat_room(c.tenant_id, c.room_id) r ORDER BY ${sorted('c')}`,
          [...chosen, page.limit, page.offset],
        ),
        sql.query<{ n: number }>(`SELECT count(*)::int AS n FROM chats c WHERE ${WHERE}`, chosen),
      ]);
      return { rows, total: count?.n ?? 0 };
    });
  }
}
