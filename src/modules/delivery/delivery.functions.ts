import { Injectable } from '@nestjs/common';
import { invalid, notAMember, notFound } from '../../common/errors';
import { answer, rows, schemaFunction, systemFunction, value } from '../../platform/database';
import { eraseFunction, EraseStep, type EraseWork } from '../../platform/tenant-data';

/** How far a member has acknowledged a room. */
export interface PositionRow {
  readonly room_id: string;
  readonly acked_seq: number;
}

export interface LetterRow {
  readonly id: string;
  readonly message_id: string;
  readonly user_id: string;
  readonly room_id: string;
  readonly attempts: number;
  readonly last_attempt_at: Date;
  readonly error: string;
}

/** Messages to be sent again. */
export interface DeadLetterRunRow {
  readonly room_id: string;
  readonly user_id: string;
  readonly from_seq: number;
  readonly to_seq: number;
}

/** What a member has set for themselves in the room, as clients get it. */
export type MemberMe = Readonly<Record<string, unknown>>;

/** Moves the acked cursor forward, and the read one with `p_read`. `acked`: where it stands now; `me`: a mark of an unread room was cleared. */
export const cursorAdvance = schemaFunction(
  'cursor_advance',
  { p_room: 'uuid', p_user: 'text', p_seq: 'bigint', p_read: 'boolean' },
  answer<{ readonly advanced: boolean; readonly acked: number | null; readonly me?: MemberMe | null }>({
    no_room: () => notFound('Room'),
    not_member: notAMember,
    beyond: ({ last_seq }: { readonly last_seq: number }) =>
      invalid('seq', `seq is beyond the room's last_seq ${last_seq}`),
  }),
);

/** What `cursor_advance` says, or `busy`: another transaction holds the cursor or a letter, and nothing was decided. */
export interface Tried {
  readonly status: string;
}

/** The same, without waiting for what others hold. */
export const cursorTryAdvance = schemaFunction(
  'cursor_try_advance',
  { p_room: 'uuid', p_user: 'text', p_seq: 'bigint', p_read: 'boolean' },
  value<Tried>('jsonb'),
);

/** The same for many items, as if one came after the other: a row of each, `item` from 1, in no order. */
export const cursorsAdvance = schemaFunction(
  'cursors_advance',
  { p_rooms: 'uuid[]', p_users: 'text[]', p_seqs: 'bigint[]', p_reads: 'boolean[]' },
  rows<Tried & { readonly item: number }>(),
);

/** How far a user has acknowledged these rooms; those of which they are no member are missing. */
export const cursorPositions = schemaFunction(
  'cursor_positions',
  { p_user: 'text', p_rooms: 'uuid[]' },
  rows<PositionRow>(),
);

/** How far a member has got, seen from one message. */
export interface ReceiptRow {
  /** Place in the order of joining. */
  readonly member_no: number;
  readonly user_id: string;
  readonly has_it: boolean;
  readonly has_read: boolean;
}

export const messageReceipts = schemaFunction(
  'message_receipts',
  { p_room: 'uuid', p_seq: 'bigint', p_sender: 'text', p_after: 'bigint', p_limit: 'integer' },
  rows<ReceiptRow>(),
);

/** Leaves out what is acknowledged by now, and everything where the membership or the room has ended. */
export const deadLettersAdd = schemaFunction(
  'dead_letters_add',
  { p_room: 'uuid', p_user: 'text', p_from: 'bigint', p_to: 'bigint', p_attempts: 'integer', p_error: 'text' },
  answer({}, ['ok', 'no_room', 'not_member']),
);

/** The last attempted first. */
export const deadLettersPage = schemaFunction('dead_letters_page', { p_limit: 'integer' }, rows<LetterRow>());

/** Counts an attempt of what fits: runs in the order of their key, after the given one. */
export const deadLettersReplay = schemaFunction(
  'dead_letters_replay',
  {
    p_ids: 'uuid[]?',
    p_room: 'uuid?',
    p_user: 'text?',
    p_before: 'timestamptz?',
    p_after_room: 'uuid?',
    p_after_user: 'text?',
    p_after_seq: 'bigint?',
    p_limit: 'integer',
  },
  answer<{ readonly letters: DeadLetterRunRow[] }>(),
);

/** Whether the statistics of the cursors were renewed. */
export const cursorsAnalyze = systemFunction('cursors_analyze', {}, value<boolean>('boolean'));

export const deadLettersDrop = schemaFunction('dead_letters_drop', { p_id: 'uuid' }, answer({}, ['ok', 'not_found']));

/** Ends letters of messages behind where their room begins, of some members; of how many. */
export const deadLettersTrimmed = schemaFunction(
  'dead_letters_trimmed',
  { p_room: 'uuid', p_limit: 'integer' },
  value<number>('bigint'),
);

/** Takes the cursors of a user out. */
@Injectable()
@EraseStep('delivery')
export class CursorsErase implements EraseWork {
  readonly batch = eraseFunction('cursors_erase');
}
