/**
 * The format of the export of one user's data: as format.ts says, but with a header of its own, and these lines in this order:
 * profile, membership*, message*, version*, reaction*, cursor*, notification*, subscription*, chat*, answer*, usage*. It is made to
 * be read, and not imported.
 *
 * A membership is that of a room that is there; messages are those that the user sent, in rooms that they have left or that
 * were deleted too, as long as these keep them. An answer is what a model said in a chat of the user. A legal hold on
 * the user is not told.
 */
import type { UserLine } from '../../platform/tenant-data';
import {
  type ChatFields,
  type JsonObject,
  LINE_KEYS,
  type MessageFields,
  type RunFields,
  type SubscriptionFields,
  type Time,
  type UserFields,
} from './format';

export interface MembershipFields {
  readonly room_id: string;
  readonly type: 'dm' | 'group' | 'channel' | 'ai';
  readonly name: string | null;
  readonly role: 'admin' | 'member' | 'agent';
  readonly joined_seq: number;
  readonly joined_at: Time;
  readonly muted_until: Time | null;
  readonly hidden: boolean;
  readonly favourite: boolean;
  readonly notify: 'all' | 'mentions' | 'none';
}

/** What a message of the user said before it was edited. */
export interface VersionFields {
  readonly room_id: string;
  readonly seq: number;
  readonly rev: number;
  readonly content: string;
  readonly meta: JsonObject | null;
  readonly said_at: Time;
}

/** A key that the user has given a message; of rooms and messages as those that they sent. */
export interface ReactionFields {
  readonly room_id: string;
  readonly seq: number;
  readonly key: string;
  readonly created_at: Time;
}

/** How far the user has got in a room; none: up to where they joined. */
export interface CursorFields {
  readonly room_id: string;
  readonly acked_seq: number;
  readonly read_seq: number;
  /** Marked unread from here on. */
  readonly unread_seq: number | null;
  readonly updated_at: Time;
}

export interface NotificationFields {
  /** `notif_…` */
  readonly notification_id: string;
  readonly topic: string;
  readonly room_id: string | null;
  readonly payload: JsonObject;
  readonly created_at: Time;
  readonly delivered_at: Time | null;
  readonly read_at: Time | null;
}

/** An answer of a model. */
export interface AnswerFields extends Omit<RunFields, 'user_id'> {
  /** null: it has none, or the room keeps it no more. */
  readonly content: string | null;
}

/** Figures of one UTC day. */
export interface UsageFields {
  /** YYYY-MM-DD */
  readonly day: string;
  readonly messages_sent: number;
  readonly runs: number;
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly estimated_tokens: number;
}

/** What the lines hold, by kind. */
export interface UserFieldsOf {
  readonly profile: Omit<UserFields, 'legal_hold'>;
  readonly membership: MembershipFields;
  readonly message: MessageFields;
  readonly reaction: ReactionFields;
  readonly version: VersionFields;
  readonly cursor: CursorFields;
  readonly notification: NotificationFields;
  readonly subscription: SubscriptionFields;
  readonly chat: ChatFields;
  readonly answer: AnswerFields;
  readonly usage: UsageFields;
}

/** As LINE_KEYS of format.ts. */
export const USER_LINE_KEYS: Readonly<Record<UserLine, readonly string[]>> = {
  profile: keys<UserFieldsOf['profile']>({
    user_id: true,
    profile: true,
    created_at: true,
    last_seen_at: true,
    first_socket_at: true,
  }),
  membership: keys<MembershipFields>({
    room_id: true,
    type: true,
    name: true,
    role: true,
    joined_seq: true,
    joined_at: true,
    muted_until: true,
    hidden: true,
    favourite: true,
    notify: true,
  }),
  message: LINE_KEYS.message,
  reaction: keys<ReactionFields>({ room_id: true, seq: true, key: true, created_at: true }),
  version: keys<VersionFields>({ room_id: true, seq: true, rev: true, content: true, meta: true, said_at: true }),
  cursor: keys<CursorFields>({ room_id: true, acked_seq: true, read_seq: true, unread_seq: true, updated_at: true }),
  notification: keys<NotificationFields>({
    notification_id: true,
    topic: true,
    room_id: true,
    payload: true,
    created_at: true,
    delivered_at: true,
    read_at: true,
  }),
  subscription: LINE_KEYS.subscription,
  chat: LINE_KEYS.chat,
  answer: [...LINE_KEYS.run.filter((key) => key !== 'user_id'), 'content' satisfies keyof AnswerFields],
  usage: keys<UsageFields>({
    day: true,
    messages_sent: true,
    runs: true,
    prompt_tokens: true,
    completion_tokens: true,
    estimated_tokens: true,
  }),
};

/** All keys of T, checked to be complete by the compiler, in the order of the file. */
function keys<T>(all: Readonly<Record<keyof T, true>>): readonly string[] {
  return Object.keys(all);
}
