import { Injectable } from '@nestjs/common';
import type { PageRequest } from '../../../common/limits';
import { Database } from '../../../platform/database';
import type { LoggedMessage, MessageDraft, Stored } from '../../messages';
import type { FaultReason } from '../../models';
import { metadataOf } from '../../rooms';
import type { Chat, ChatFilter, ChatMessage, MessageStatus, RunFailure, TokenUsage } from '../contract';

/** A chat as a query or chat_json gives it. */
export interface ChatRow {
  readonly room_id: string;
  readonly user_id: string;
  readonly group_id: string | null;
  readonly preset: string;
  readonly external_id: string | null;
  readonly name: string | null;
  readonly metadata: Record<string, unknown> | null;
  /** The same as text where it comes by chat_json, which is jsonb and sorts keys. */
  readonly metadata_text?: string | null;
  readonly created_at: string | Date;
  readonly updated_at: string | Date;
  readonly last_message_at: string | Date | null;
  readonly message_count: number;
  readonly last_seq: number;
}

const COLUMNS = `c.room_id, c.user_id, c.group_id, c.preset, c.external_id, c.created_at, r.name, r.metadata,
  r.updated_at, r.last_message_at, r.message_count, r.last_seq`;

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

  /** By what the user's own client calls it. */
  async findExternal(tenantId: string, userId: string, externalId: string): Promise<ChatRow | undefined> {
    const [row] = await this.database.query<ChatRow>(
      'chat by external id',
      tenantId,
      `SELECT ${COLUMNS} FROM chats c CROSS JOIN LATERAL chat_room(c.tenant_id, c.room_id) r
       WHERE c.tenant_id = $1 AND c.user_id = $2 AND c.external_id = $3 AND c.deleted_at IS NULL`,
      [tenantId, userId, externalId],
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

  /** Answers without a token that each of these chats keeps; those without any are missing. */
  silent(tenantId: string, chatIds: readonly string[]): Promise<{ room_id: string; n: number }[]> {
    return this.database.query<{ room_id: string; n: number }>(
      'silent answers',
      tenantId,
      `SELECT q.room_id, count(*)::int AS n FROM runs q WHERE q.tenant_id = $1 AND q.room_id = ANY ($2::uuid[])
         AND q.token_count = 0 AND q.answer_seq IS NOT NULL
         AND q.answer_seq >= (SELECT k.first_seq FROM room_keeps($1, q.room_id) k) GROUP BY 1`,
      [tenantId, chatIds],
    );
  }

  /** Messages of the log with what models thought, where that was kept; it is read only where one says so. */
  async messagesOf(tenantId: string, rows: readonly LoggedMessage[]): Promise<ChatMessage[]> {
    const ids = rows.filter((row) => answerMeta(row).reasoning === true).map((row) => row.message_id);
    const kept = ids.length === 0 ? new Map<string, string>() : await this.reasoningOf(tenantId, ids);
    return rows.map((row) => {
      const reasoning = kept.get(row.message_id);
      return reasoning === undefined ? messageOf(row) : { ...messageOf(row), reasoning };
    });
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

  private async reasoningOf(tenantId: string, runIds: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const rows = await this.database.query<{ run_id: string; reasoning: string }>(
      'reasoning of answers',
      tenantId,
      `SELECT run_id, reasoning FROM runs WHERE tenant_id = $1 AND run_id = ANY ($2::uuid[]) AND reasoning IS NOT NULL`,
      [tenantId, runIds],
    );
    return new Map(rows.map(({ run_id, reasoning }) => [run_id, reasoning]));
  }
}

export function chatOf(tenantId: string, row: ChatRow): Chat {
  return {
    tenantId,
    chatId: row.room_id,
    userId: row.user_id,
    groupId: row.group_id,
    preset: row.preset,
    externalId: row.external_id,
    title: row.name ?? '',
    metadata: metadataOf(row) ?? {},
    createdAt: new Date(row.created_at),
    updatedAt: new Date(row.updated_at),
    lastMessageAt: row.last_message_at === null ? null : new Date(row.last_message_at),
    messageCount: row.message_count,
    lastSeq: row.last_seq,
  };
}

/** What the log keeps with an answer, as its `meta`. */
export interface AnswerMeta {
  /** Which channel and model answered; missing where none did. */
  readonly channel?: string;
  readonly model?: string;
  /** How many images of the question the model was told the names of, and not shown. */
  readonly images_left_out?: number;
  readonly finish_reason: NonNullable<ChatMessage['finishReason']>;
  readonly usage?: {
    readonly prompt_tokens: number;
    readonly cached_prompt_tokens?: number;
    readonly completion_tokens: number;
    readonly total_tokens: number;
    readonly estimated?: true;
  };
  /** What the model thought is kept with its run. */
  readonly reasoning?: true;
  /** Why it ended badly; what a provider said of it is not kept here. */
  readonly error?: {
    readonly code: RunFailure['code'];
    readonly message: string;
    readonly reason?: FaultReason;
    /** Seconds from the end on. */
    readonly retry_after?: number;
  };
}

export function failureMeta({
  code,
  message,
  reason,
  retryAfterSeconds,
}: RunFailure): NonNullable<AnswerMeta['error']> {
  return {
    code,
    message,
    ...(reason === undefined ? {} : { reason }),
    ...(retryAfterSeconds === undefined ? {} : { retry_after: retryAfterSeconds }),
  };
}

export function usageMeta(usage: TokenUsage): NonNullable<AnswerMeta['usage']> {
  return {
    prompt_tokens: usage.promptTokens,
    ...(usage.cachedPromptTokens === undefined ? {} : { cached_prompt_tokens: usage.cachedPromptTokens }),
    completion_tokens: usage.completionTokens,
    total_tokens: usage.totalTokens,
    ...(usage.estimated ? { estimated: true } : {}),
  };
}

export function messageOf(row: LoggedMessage): ChatMessage {
  const base = {
    messageId: row.message_id,
    seq: row.seq,
    role: row.kind,
    senderId: row.sender_id,
    content: row.content,
    replyToSeq: row.reply_to_seq,
    createdAt: row.created_at,
    deletedAt: row.deleted_at,
  };
  if (row.kind !== 'assistant')
    return { ...base, metadata: row.meta, status: 'completed', usage: null, finishReason: null };
  const { usage, finish_reason, reasoning: _isKept, ...metadata } = answerMeta(row);
  return {
    ...base,
    metadata,
    status: (row.status ?? 'completed') as MessageStatus,
    usage: usage === undefined ? null : usageOf(usage),
    finishReason: finish_reason ?? null,
  };
}

/** The log's `meta` of an answer; tombstones have none. */
function answerMeta({ meta }: LoggedMessage): Partial<AnswerMeta> {
  return meta ?? {};
}

/** Why a stored answer ended badly. */
export function failureOf(row: LoggedMessage): RunFailure | undefined {
  const { error } = answerMeta(row);
  if (error === undefined) return undefined;
  const { retry_after: retryAfterSeconds, ...failure } = error;
  return { ...failure, retryAfterSeconds };
}

/** How a run ended. */
export interface RunEnd {
  readonly answer: ChatMessage;
  readonly failure?: RunFailure | undefined;
}

/** The end of a run that no answer could be stored for: there is no message, so its seq is that of none. */
export function givenUp(runId: string, replyToSeq: number, at: Date): RunEnd & { readonly failure: RunFailure } {
  const failure = { code: 'INTERNAL_ERROR', message: 'The answer could not be stored' } as const;
  const answer: ChatMessage = {
    messageId: runId,
    seq: 0,
    role: 'assistant',
    senderId: '',
    content: '',
    metadata: { error: failureMeta(failure) },
    status: 'failed',
    replyToSeq,
    usage: null,
    finishReason: 'error',
    createdAt: at,
    deletedAt: null,
  };
  return { answer, failure };
}

function usageOf(usage: NonNullable<AnswerMeta['usage']>): TokenUsage {
  return {
    promptTokens: usage.prompt_tokens,
    cachedPromptTokens: usage.cached_prompt_tokens,
    completionTokens: usage.completion_tokens,
    totalTokens: usage.total_tokens,
    estimated: usage.estimated ?? false,
  };
}

/** A user's message as it was stored a moment ago. */
export function messageStart(draft: MessageDraft, { messageId, seq, createdAt }: Stored): ChatMessage {
  return {
    messageId,
    seq,
    role: 'user',
    senderId: draft.senderId,
    content: draft.content,
    metadata: draft.metaText === null ? null : (JSON.parse(draft.metaText) as Record<string, unknown>),
    status: 'completed',
    replyToSeq: null,
    usage: null,
    finishReason: null,
    createdAt,
    deletedAt: null,
  };
}
