import { answer, rows, schemaFunction, systemFunction, value } from '../../platform/database';
import type { MessageRow } from '../messages';

/** Where the feed of a tenant stands. */
export interface FeedStart {
  readonly last_no: number;
  readonly begins: boolean;
}

/** A change: the message as it is now, or what happened else, `room.reset` among it. `room_id` is a UUID. */
export interface FeedItem {
  readonly room_id: string;
  readonly rev: number;
  readonly type: string;
  readonly message?: MessageRow;
  readonly payload?: Record<string, unknown>;
}

/** What feed_page says; of `gone` and `off` no more than `no`, which `off` has not. */
export interface FeedPage {
  readonly status: string;
  readonly no: number;
  readonly rev: number;
  readonly items: readonly FeedItem[];
  readonly more: boolean;
  readonly stale: boolean;
}

/** null: the feed is of a later epoch. */
export const feedAsked = schemaFunction('feed_asked', { p_epoch: 'bigint' }, value<FeedStart | null>('jsonb'));

export const feedPage = schemaFunction(
  'feed_page',
  { p_epoch: 'bigint', p_no: 'bigint?', p_rev: 'bigint?', p_limit: 'integer' },
  answer<FeedPage>({}, ['ok', 'gone', 'off']),
);

/** Of how many of these rooms there was something new. */
export const feedCollect = schemaFunction('feed_collect', { p_rooms: 'uuid[]' }, value<number>('integer'));

/** The room to go on behind; null: all were looked at. */
export const feedSweep = schemaFunction(
  'feed_sweep',
  { p_after: 'uuid?', p_limit: 'integer' },
  value<string | null>('uuid'),
);

/** How many rows went; fewer than `p_limit`: nothing is left to do. */
export const feedTrim = schemaFunction('feed_trim', { p_limit: 'integer' }, value<number>('integer'));

/** Whether it made a job: none waited. */
export const feedSweepDue = schemaFunction('feed_sweep_due', {}, value<boolean>('boolean'));

export const feedsCollected = systemFunction(
  'feeds_collected',
  {},
  rows<{ readonly tenant_id: string; readonly is_due: boolean }>(),
);
