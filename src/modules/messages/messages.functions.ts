import { Injectable } from '@nestjs/common';
import { AppError, forbidden, notAMember, notFound } from '../../common/errors';
import { answer, rows, schemaFunction, systemFunction, value } from '../../platform/database';
import { eraseFunction, EraseStep, type EraseWork } from '../../platform/tenant-data';
import type { ChangedState, NewMessage, Refused, StateOutcome } from './appender/item';
import type { MessageRow } from './views';

/** How one message of a batch fared. */
export interface AppendRow {
  /** 1-based position of the message in the batch. */
  readonly item: number;
  readonly status: 'new' | 'duplicate' | Refused['status'] | 'locked' | StateOutcome['outcome'];
  readonly message_id: string;
  readonly seq: number;
  readonly rev: number;
  readonly created_at: Date;
  /** Of a change of a state. */
  readonly state?: ChangedState | null;
}

export type LookupRow = Pick<AppendRow, 'item' | 'seq' | 'rev' | 'created_at'>;

const BATCH = {
  p_lock_ms: 'integer',
  p_tenants: 'uuid[]',
  p_rooms: 'uuid[]',
  p_ids: 'uuid[]',
  p_senders: 'text[]',
  p_client_ids: 'text[]',
  p_hashes: 'bytea[]',
  p_contents: 'text[]',
  p_metas: 'text[]',
  p_job_items: 'integer[]',
  p_job_kinds: 'text[]',
  p_job_keys: 'text[]',
  p_job_payloads: 'text[]',
  p_reject_items: 'integer[]',
  p_answer_items: 'integer[]',
  p_answer_statuses: 'text[]',
  p_answer_replies: 'bigint[]',
  p_answer_runs: 'text[]',
} as const;

/** The one way into the log. */
export const appendMessages = systemFunction('append_messages', BATCH, rows<AppendRow>());

/**
 * A batch as the append takes it: an array for each of its columns.
 * @param lockMs how long it waits for a room that another transaction holds; 0: not at all
 */
export function batchArgs(batch: readonly NewMessage[], lockMs: number): Parameters<typeof appendMessages.call>[1] {
  const jobs = batch.flatMap((m, i) => (m.jobs ?? []).map((job) => ({ item: i + 1, job })));
  const answers = batch.flatMap(({ answer }, i) => (answer === undefined ? [] : [{ item: i + 1, answer }]));
  return {
    p_lock_ms: lockMs,
    p_tenants: batch.map((m) => m.tenantId),
    p_rooms: batch.map((m) => m.roomId),
    p_ids: batch.map((m) => m.messageId),
    p_senders: batch.map((m) => m.senderId),
    p_client_ids: batch.map((m) => m.clientMessageId),
    p_hashes: batch.map((m) => m.bodyHash),
    p_contents: batch.map((m) => m.content),
    p_metas: batch.map((m) => m.metaText),
    p_job_items: jobs.map(({ item }) => item),
    p_job_kinds: jobs.map(({ job }) => job.kind),
    p_job_keys: jobs.map(({ job }) => job.key),
    p_job_payloads: jobs.map(({ job }) => JSON.stringify(job.payload)),
    p_reject_items: batch.flatMap(({ onlyIfFree }, i) => (onlyIfFree === true ? [i + 1] : [])),
    p_answer_items: answers.map(({ item }) => item),
    p_answer_statuses: answers.map(({ answer }) => answer.status),
    p_answer_replies: answers.map(({ answer }) => answer.replyToSeq),
    p_answer_runs: answers.map(({ answer }) => JSON.stringify(answer.run)),
  };
}

const HOOKED_BATCH = {
  ...BATCH,
  p_hook_tenants: 'uuid[]',
  p_hook_kinds: 'text[]',
  p_hook_payloads: 'text[]',
  p_hook_delays: 'bigint[]',
} as const;

/** The same with a job for each room of a tenant that has a hook. */
export const appendMessagesHooked = systemFunction('append_messages_hooked', HOOKED_BATCH, rows<AppendRow>());

/** Messages and changes of states, numbered through: the messages first. */
export const appendBatch = systemFunction(
  'append_batch',
  {
    ...HOOKED_BATCH,
    p_state_tenants: 'uuid[]',
    p_state_rooms: 'uuid[]',
    p_state_kinds: 'text[]',
    p_state_messages: 'uuid[]',
    p_state_users: 'text[]',
    p_state_keys: 'text[]',
    p_state_ons: 'boolean[]',
    p_state_hook_tenants: 'uuid[]',
    p_state_hook_states: 'text[]',
    p_state_hook_kinds: 'text[]',
    p_state_hook_payloads: 'text[]',
  },
  rows<AppendRow>(),
);

/** Which messages are in the log. */
export const appendLookup = systemFunction(
  'append_lookup',
  { p_tenants: 'uuid[]', p_rooms: 'uuid[]', p_ids: 'uuid[]' },
  rows<LookupRow>(),
);

/**
 * Why a message was not stored, as the error that its sender gets.
 * @param byKey its client_message_id is the request's Idempotency-Key
 */
export function refusal(status: string, byKey: boolean): AppError {
  if (status === 'no_room') return notFound('Room');
  if (status === 'not_member') return notAMember();
  if (status === 'posting') return forbidden('Only admins may post in this room');
  if (status === 'busy') return answering();
  if (status !== 'mismatch') throw new Error(`unknown status ${status}`);
  const field = byKey ? 'Idempotency-Key' : 'client_message_id';
  return new AppError('IDEMPOTENCY_MISMATCH', `This ${field} was used before with another body`, { field });
}

/** 409 of a chat whose answer is still being written. */
export function answering(): AppError {
  return new AppError('CONFLICT', 'An answer is being written in this chat: wait for its end, or stop it');
}

/** Renews the planner's statistics when the log has more than twice the rows that they know of; true where it did. */
export const logAnalyze = systemFunction('log_analyze', { p_rows: 'bigint' }, value<boolean>('boolean'));

/** A changed message. */
export interface MessageChange {
  readonly status: string;
  readonly message: MessageRow;
  /** Of a question to a model that was deleted: the runs that were to answer it. */
  readonly runs?: readonly string[];
}

/** `p_message` is left out for an id that cannot exist: the room and the caller's right are looked at first. */
const TARGET = { p_room: 'uuid', p_message: 'uuid?', p_user: 'text' } as const;

const REFUSALS = {
  no_room: () => notFound('Room'),
  no_message: () => notFound('Message'),
  forbidden: () => forbidden('You may not change this message'),
} satisfies Readonly<Record<string, () => AppError>>;

/** What is left out stays as it is; `p_meta` is JSON text. */
export const messageEdit = schemaFunction(
  'message_edit',
  { ...TARGET, p_content: 'text?', p_meta: 'text?' },
  answer<MessageChange>(REFUSALS),
);

/** 'unchanged': it was deleted before. */
export const messageDelete = schemaFunction(
  'message_delete',
  TARGET,
  answer<MessageChange>(REFUSALS, ['ok', 'unchanged']),
);

/** Deletes messages behind where their room begins, after a seq; none is left up to `through`. */
export const messagesTrimmed = schemaFunction(
  'messages_trimmed',
  { p_room: 'uuid', p_after: 'bigint', p_limit: 'integer' },
  value<{ readonly deleted: number; readonly through: number }>('jsonb'),
);

/** Deletes what was kept under holds that have ended; how much. */
export const heldMessagesReleased = schemaFunction(
  'held_messages_released',
  { p_limit: 'integer' },
  value<number>('bigint'),
);

/** Takes back what a user reacted with. */
@Injectable()
@EraseStep('reactions')
export class ReactionsErase implements EraseWork {
  readonly batch = eraseFunction('reactions_erase');
}
/** Deletes what messages said before, in tenants that keep it no more; how much. */
export const messageVersionsReleased = schemaFunction(
  'message_versions_released',
  { p_limit: 'integer' },
  value<number>('bigint'),
);

/** Makes tombstones of what a user wrote. */
@Injectable()
@EraseStep('messages')
export class MessagesErase implements EraseWork {
  readonly batch = eraseFunction('messages_erase');
}
