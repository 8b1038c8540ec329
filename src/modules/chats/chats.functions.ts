import { AppError, invalid, notFound } from '../../common/errors';
import type { TenantLimits } from '../../platform/auth';
import { answer, rows, schemaFunction, systemFunction, value } from '../../platform/database';
import { answering, type MessageRow } from '../messages';
import type { ChatRow } from './chats/chats.repository';
import type { RunFailure } from './contract';
import type { AgentRefusal } from './entities/run.entity';

/** A budget of which nothing is left. */
export interface Spent {
  /** Its name among the tenant's limits. */
  readonly limit: string;
  /** Until it begins anew. */
  readonly seconds_left: number;
}

/** What a worker learns when it takes a run. */
export type Begun =
  | { readonly status: 'gone' }
  | { readonly status: 'ended' }
  | (BegunRun & {
      /** `lost`: an earlier worker died while it streamed. `cancelled`: before it began, or its question was deleted. */
      readonly status: 'started' | 'lost' | 'cancelled';
    })
  | (BegunRun & {
      /** A budget is spent: it has not begun and is to end. */
      readonly status: 'spent';
    } & Spent);

interface BegunRun {
  readonly fence: number;
  readonly user_id: string;
  readonly preset: string;
  readonly cleared_seq: number;
  readonly auto_title: boolean;
  /** Of an answer in a room of people. */
  readonly agent?: BegunAgent;
}

/** An agent as it stands when the turn of its answer comes. */
export interface BegunAgent {
  readonly agent_id: string;
  readonly name: string | null;
  /** It has been asked too often: this run is a notice. */
  readonly refused: AgentRefusal | null;
  readonly paused_at: string | null;
  /** May be `infinity`. */
  readonly paused_until: string | null;
  /** The tenant's. */
  readonly limits: TenantLimits;
}

/** A run that is to stop: another node has it, or it was cancelled. */
export interface ChunkVerdict {
  readonly run_id: string;
  readonly is_lost: boolean;
}

/** A run or a chat as it stands; of a chat `run_id` is null. */
export interface FollowedRow {
  readonly tenant_id: string;
  /** Null where there is no such run. */
  readonly room_id: string | null;
  readonly run_id: string | null;
  /** Null where there is no such run. */
  readonly state: string | null;
  readonly fence: number | null;
  readonly is_cancelled: boolean | null;
  /** Stored ones of a run that is being written; else 0. */
  readonly tokens: number;
  /** Of a chat; null where it was deleted. */
  readonly last_seq: number | null;
}

const CHAT = { p_room: 'uuid' } as const;
const no_room = (): AppError => notFound('Chat');

/** `p_active`: the newest of this user, group and preset, where there is one. `made` says whether it is new. */
export const chatCreate = schemaFunction(
  'chat_create',
  {
    ...CHAT,
    p_user: 'text',
    p_group: 'text?',
    p_preset: 'text',
    p_agent: 'text',
    p_title: 'text',
    p_metadata: 'json?',
    p_auto_title: 'boolean',
    p_active: 'boolean',
  },
  answer<{ readonly chat: ChatRow; readonly made: boolean }>(),
);

/** The chat that the user's own client calls by this id; `made` says whether it is new. */
export const chatExternal = schemaFunction(
  'chat_external',
  { ...CHAT, p_user: 'text', p_external: 'text', p_preset: 'text', p_agent: 'text', p_title: 'text' },
  answer<{ readonly chat: ChatRow; readonly made: boolean }>(),
);

/**
 * Changes what is given; `p_only_auto`: only of a chat whose title the server chose. Without a chat: there is none
 * ('no_room'), or a user has named it ('kept').
 */
export const chatUpdate = schemaFunction(
  'chat_update',
  { ...CHAT, p_title: 'text?', p_metadata: 'json?', p_max_bytes: 'integer', p_only_auto: 'boolean' },
  answer<{ readonly chat?: ChatRow }>(
    { too_large: () => invalid('metadata', 'metadata must be at most 8 KB after merging') },
    ['ok', 'kept', 'no_room'],
  ),
);

export const chatDelete = schemaFunction('chat_delete', { ...CHAT, p_by: 'text' }, answer({ no_room }));

/** Keeps the messages so far out of later prompts. */
export const chatClear = schemaFunction('chat_clear', CHAT, answer({ no_room }));

/** What an answer that is asked for again came to. */
export interface Again {
  readonly status: string;
  readonly run_id?: string;
  readonly seq?: number;
  /** Answers that are superseded now. */
  readonly changed?: readonly MessageRow[];
}

/**
 * Answers the message at `p_seq`, or the newest, once more. 'kept': that one has an answer, or will have; 'nothing': there
 * is no such message.
 */
export const chatAnswerAgain = schemaFunction(
  'chat_answer_again',
  { ...CHAT, p_run: 'uuid', p_seq: 'bigint?', p_options: 'text?' },
  answer<Again>({ no_room, busy: answering, spent: budgetSpent }, ['ok', 'kept', 'nothing']),
);

/**
 * Answers the newest question once more, with `p_content` after it was changed. `p_message`, `p_client`: what the client
 * names. 'kept': that answer is under way, or was asked for before; 'other': what is named is not the newest.
 */
export const chatRevise = schemaFunction(
  'chat_revise',
  { ...CHAT, p_run: 'uuid', p_message: 'uuid?', p_client: 'text?', p_content: 'text?' },
  answer<Again>({ no_room, busy: answering, spent: budgetSpent }, ['ok', 'kept', 'nothing', 'other']),
);

/** `p_options`: what the model is asked with, as JSON text. */
export const runBegin = schemaFunction('run_begin', { p_run: 'uuid', p_options: 'text?' }, value<Begun>('jsonb'));

/** Which budget of the tenant, the user or the chat is spent, if any. */
export const budgetSpentOf = schemaFunction(
  'budget_spent',
  { p_user: 'text', p_room: 'uuid?' },
  value<Spent | null>('jsonb'),
);

/** How many tokens an answer may have, by our own count; null: it stands under no budget. */
export interface Granted {
  readonly answer_tokens: number | null;
  /** It stands under a budget of money. */
  readonly priced_only?: true;
}

/** Reserves tokens for a call: its context, and `p_answer` for its answer or what is left. */
export const chargeReserve = schemaFunction(
  'charge_reserve',
  { p_charge: 'uuid', p_user: 'text?', p_room: 'uuid?', p_context: 'bigint', p_answer: 'bigint', p_prices: 'jsonb?' },
  answer<Granted>({ spent: budgetSpent }),
);

/** Reserves more for an answer that has used what it may have; where nothing is left it says which budget is spent. */
export const chargeExtend = schemaFunction(
  'charge_extend',
  { p_charge: 'uuid', p_more: 'bigint' },
  value<{ readonly answer_tokens: number } & Partial<Spent>>('jsonb'),
);

/** Ends the charge of a call that is no run's. `p_used`: {tokens, cost}. */
export const chargeEnd = schemaFunction('charge_end', { p_charge: 'uuid', p_used: 'jsonb?' }, value<null>('void'));

/** Folds what has ended on the day of a call: budgets that are nearly spent are told of. */
export const chargeFold = schemaFunction('charge_fold', { p_charge: 'uuid' }, value<null>('void'));

/** Stores tokens of runs of all tenants. `p_ends`: per chunk an array of integers as text. */
export const runChunksWrite = systemFunction(
  'run_chunks_write',
  {
    p_tenants: 'uuid[]',
    p_runs: 'uuid[]',
    p_fences: 'bigint[]',
    p_firsts: 'integer[]',
    p_texts: 'text[]',
    p_ends: 'text[]',
  },
  rows<ChunkVerdict>(),
);

/** How runs and chats of all tenants stand; of each chat the unfinished runs too. */
export const chatsFollowed = systemFunction(
  'chats_followed',
  { p_run_tenants: 'uuid[]', p_runs: 'uuid[]', p_chat_tenants: 'uuid[]', p_chats: 'uuid[]' },
  rows<FollowedRow>(),
);

/** Ends answers of a tenant that wait or are under way; how many. */
export const runsCancel = schemaFunction('runs_cancel', { p_limit: 'integer' }, value<number>('bigint'));

/** Deletes runs of a room whose question and answer lie behind where it begins; how many. */
export const runsTrimmed = schemaFunction('runs_trimmed', { ...CHAT, p_limit: 'integer' }, value<number>('bigint'));

export function budgetSpent({ limit, seconds_left }: Spent): AppError {
  return new AppError('QUOTA_EXCEEDED', budgetMessage(limit), {
    details: { limit },
    retryAfterSeconds: Math.max(1, seconds_left),
  });
}

/** The same of a run that is refused, or ended, when its turn has come. */
export function budgetFailure({ limit, seconds_left: retryAfterSeconds }: Spent): RunFailure {
  return { code: 'QUOTA_EXCEEDED', message: budgetMessage(limit), retryAfterSeconds };
}

function budgetMessage(limit: string): string {
  return `The budget ${limit === 'cost_per_day' ? '' : 'of tokens '}for today is spent (${limit})`;
}
