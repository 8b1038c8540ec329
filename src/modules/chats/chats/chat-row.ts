import type { LoggedMessage, Said, Stored } from '../../messages';
import type { FaultReason } from '../../models';
import { metadataOf } from '../../rooms';
import type { Chat, ChatMessage, MessageStatus, RunFailure, TokenUsage } from '../contract';

/** A chat as a query or chat_json gives it. */
export interface ChatRow {
  readonly room_id: string;
  readonly user_id: string;
  readonly group_id: string | null;
  readonly preset: string;
  readonly name: string | null;
  readonly metadata: Record<string, unknown> | null;
  /** The same as text where it comes by chat_json, which is jsonb and sorts keys. */
  readonly metadata_text?: string | null;
  readonly created_at: string | Date;
  readonly updated_at: string | Date;
  readonly last_message_at: string | Date | null;
  readonly message_count: number;
}

export function chatOf(tenantId: string, row: ChatRow): Chat {
  return {
    tenantId,
    chatId: row.room_id,
    userId: row.user_id,
    groupId: row.group_id,
    preset: row.preset,
    title: row.name ?? '',
    metadata: metadataOf(row) ?? {},
    createdAt: new Date(row.created_at),
    updatedAt: new Date(row.updated_at),
    lastMessageAt: row.last_message_at === null ? null : new Date(row.last_message_at),
    messageCount: row.message_count,
  };
}

/** What the log keeps with an answer, as its `meta`. */
export interface AnswerMeta {
  /** Which channel and model answered; missing where none did. */
  readonly channel?: string;
  readonly model?: string;
  readonly finish_reason: NonNullable<ChatMessage['finishReason']>;
  readonly usage?: {
    readonly prompt_tokens: number;
    readonly completion_tokens: number;
    readonly total_tokens: number;
    readonly estimated?: true;
  };
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
  const { usage, finish_reason, ...metadata } = answerMeta(row);
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

function usageOf(usage: NonNullable<AnswerMeta['usage']>): TokenUsage {
  return {
    promptTokens: usage.prompt_tokens,
    completionTokens: usage.completion_tokens,
    totalTokens: usage.total_tokens,
    estimated: usage.estimated ?? false,
  };
}

/** A user's message as it was stored a moment ago. */
export function messageSaid(said: Said, { messageId, seq, createdAt }: Stored): ChatMessage {
  return {
    messageId,
    seq,
    role: 'user',
    senderId: said.senderId,
    content: said.content,
    metadata: said.metaText === null ? null : (JSON.parse(said.metaText) as Record<string, unknown>),
    status: 'completed',
    replyToSeq: null,
    usage: null,
    finishReason: null,
    createdAt,
    deletedAt: null,
  };
}
