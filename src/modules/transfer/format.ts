/**
 * The format of an export, version 1: gzip over NDJSON, one JSON object a line, in UTF-8, each line ended by one LF.
 *
 * A tenant's export, in this order:
 *
 *     chatapi.export                            the run's own ids and time: the one line that another run has otherwise
 *     tenant
 *     channel* preset* user*                    by channel_id, by name, by user_id
 *     (room member* event* message* chat? run*)*   by room_id; members by user_id, events by rev, messages by seq,
 *                                               runs by (reply_to_seq, created_at, run_id)
 *     subscription*                             by subscription_id
 *     end
 *
 * Each line has the keys of its kind, all of them, in the order of LINE_KEYS; `kind` is the first. What there is none of is
 * null. Ids are those of the API (`room_` and 32 hex digits; a chat's room is `room_…` too, the same digits as its `conv_…`),
 * a run's is a UUID; `seq` and `rev` are whole numbers from 1; times are ISO 8601 in UTC with milliseconds. Texts are
 * sorted by their bytes.
 *
 * What the file holds is one moment of the tenant: `last_rev` of a room says which.
 *
 * Not in it: rooms and chats that are deleted, what lies before a room's `first_seq` and `first_rev`, runs that have not
 * ended, cursors (an import puts them at the end), notifications, usage, audit, and every secret: keys, their hashes,
 * the webhook's, those of model channels. A column that is not named here is in no file.
 */
import type { TenantLine } from '../../platform/tenant-data';

export const FORMAT_VERSION = 1;

/** Any JSON value that a client or this server has stored, as it was stored. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };
export type JsonObject = { readonly [key: string]: Json };

/** ISO 8601, UTC, milliseconds: `2026-01-31T12:00:00.000Z`. */
export type Time = string;

/** First line of a tenant's export; nothing of it is imported. */
export interface TenantHeader {
  readonly kind: 'chatapi.export';
  readonly format: typeof FORMAT_VERSION;
  /** `exp_…` */
  readonly export_id: string;
  /** `tenant_…` */
  readonly tenant_id: string;
  /** When the moment was that the file shows. */
  readonly made_at: Time;
}

/** First line of the export of one user's data. */
export interface UserHeader extends Omit<TenantHeader, 'kind'> {
  readonly kind: 'chatapi.user_export';
  readonly user_id: string;
}

/** Last line: a file without it was cut off. */
export interface End {
  readonly kind: 'end';
  /** Lines of each kind, all kinds of the export in their order, header and end left out. */
  readonly counts: Readonly<Record<string, number>>;
  /** Hex SHA-256 of the bytes between the header and this line, each with its LF. */
  readonly sha256: string;
}

/** The tenant's own settings. An import shows them and changes none: they are the operator's, of each installation. */
export interface TenantFields {
  readonly name: string;
  /** Those that were set; a setting that is missing has its default. */
  readonly settings: JsonObject;
  readonly limits: JsonObject;
  /** Where events are posted to, never the secret. */
  readonly webhook: { readonly url: string; readonly events: readonly string[] } | null;
}

/** A model channel, without its key. */
export interface ChannelFields {
  /** `chan_…` */
  readonly channel_id: string;
  readonly name: string;
  readonly provider: string;
  readonly base_url: string;
  readonly model: string;
  readonly priority: number;
  readonly weight: number;
  readonly enabled: boolean;
  readonly max_tokens: number | null;
  readonly temperature: number | null;
  readonly timeout_ms: number;
  readonly options: JsonObject;
  readonly created_at: Time;
  readonly updated_at: Time;
}

export interface PresetFields {
  readonly name: string;
  readonly system_prompt: string;
  readonly model: string | null;
  readonly temperature: number | null;
  readonly max_tokens: number | null;
  readonly context_messages: number;
  readonly options: JsonObject;
  readonly created_at: Time;
  readonly updated_at: Time;
}

/** A user, or an agent that speaks for a model. */
export interface UserFields {
  /** An agent's begins with `agent_`. */
  readonly user_id: string;
  readonly profile: JsonObject;
  readonly created_at: Time;
  readonly last_seen_at: Time | null;
  readonly first_socket_at: Time | null;
  readonly legal_hold: boolean;
}

/** A room and where its log stands. `member_count` is not in it: it is the number of its `member` lines. */
export interface RoomFields {
  /** `room_…` */
  readonly room_id: string;
  readonly type: 'dm' | 'group' | 'channel' | 'ai';
  /** Names the one dm of two users; null in all other rooms. */
  readonly unique_key: string | null;
  readonly name: string | null;
  readonly metadata: JsonObject | null;
  readonly posting: 'members' | 'admins';
  /** The first message that is kept, last_seq + 1 where none is. */
  readonly first_seq: number;
  /** 0: nothing was ever sent. */
  readonly last_seq: number;
  /** Changes after it are all kept; 0: all. */
  readonly first_rev: number;
  /** The moment of the file, for this room. */
  readonly last_rev: number;
  /** Numbers of members that were given out; the next one gets one more. */
  readonly members_added: number;
  /** 1 to 3,650; null: as the tenant says. */
  readonly retention_days: number | null;
  readonly legal_hold: boolean;
  readonly last_message_at: Time | null;
  readonly created_at: Time;
  readonly updated_at: Time;
}

export interface MemberFields {
  readonly room_id: string;
  readonly user_id: string;
  readonly role: 'admin' | 'member' | 'agent';
  /** Order of joining. */
  readonly member_no: number;
  /** `last_seq` of the room at that time. */
  readonly joined_seq: number;
  readonly joined_at: Time;
}

/** A change of a room that is no message. Revisions have gaps: an edit leaves the one that its message had before. */
export interface EventFields {
  readonly room_id: string;
  readonly rev: number;
  /** `member.joined`, `member.left`, `member.updated`, `room.updated`, `room.trimmed`. */
  readonly type: string;
  /** As it is stored; `room_id` inside is the room's UUID with dashes. */
  readonly payload: JsonObject;
  readonly created_at: Time;
}

/** A message. A deleted one has content "" and meta null: it keeps its seq. */
export interface MessageFields {
  readonly room_id: string;
  readonly seq: number;
  /** Of its last change. */
  readonly rev: number;
  /** `msg_…` */
  readonly message_id: string;
  readonly sender_id: string;
  /** `user`, or who wrote it in a chat. */
  readonly role: 'user' | 'assistant' | 'system';
  readonly content: string;
  readonly meta: JsonObject | null;
  /** Unique by sender and room; null for an answer of a model. */
  readonly client_message_id: string | null;
  /** Of an answer: how it ended. */
  readonly status: string | null;
  /** Of an answer: the question. */
  readonly reply_to_seq: number | null;
  readonly created_at: Time;
  readonly edited_at: Time | null;
  readonly deleted_at: Time | null;
}

/** What makes a room of type `ai` a chat. Its name and metadata are the room's. */
export interface ChatFields {
  readonly room_id: string;
  readonly user_id: string;
  readonly group_id: string | null;
  readonly preset: string;
  readonly auto_title: boolean;
  /** At most one by user, group and preset. */
  readonly is_active: boolean;
  /** Messages up to here are no context; 0: all are. */
  readonly cleared_seq: number;
  readonly created_at: Time;
  readonly active_at: Time;
  /** What the user's own client calls it, unique by user; missing in files of earlier releases. */
  readonly external_id: string | null;
}

/** A try to answer a message of a chat, which has ended. */
export interface RunFields {
  readonly room_id: string;
  /** A UUID with dashes. */
  readonly run_id: string;
  readonly user_id: string;
  /** The question. */
  readonly reply_to_seq: number;
  readonly state: 'completed' | 'cancelled' | 'interrupted' | 'failed';
  /** null: it ended without one. */
  readonly answer_seq: number | null;
  readonly token_count: number | null;
  /** Name of the channel that answered. */
  readonly channel: string | null;
  readonly model: string | null;
  readonly finish_reason: string | null;
  readonly prompt_tokens: number | null;
  readonly completion_tokens: number | null;
  readonly total_tokens: number | null;
  /** Whether the server counted the tokens because the provider did not. */
  readonly estimated: boolean | null;
  readonly error_code: string | null;
  readonly error_message: string | null;
  readonly options: JsonObject | null;
  readonly created_at: Time;
  readonly started_at: Time | null;
  readonly ended_at: Time;
  /** What the model thought, where that was kept; missing in files of earlier releases. */
  readonly reasoning: string | null;
}

export interface SubscriptionFields {
  /** `sub_…` */
  readonly subscription_id: string;
  readonly user_id: string;
  readonly topic: string;
  readonly created_at: Time;
}

/** What the lines of a tenant's export hold, by kind. */
export interface TenantFieldsOf {
  readonly tenant: TenantFields;
  readonly channel: ChannelFields;
  readonly preset: PresetFields;
  readonly user: UserFields;
  readonly room: RoomFields;
  readonly member: MemberFields;
  readonly event: EventFields;
  readonly message: MessageFields;
  readonly chat: ChatFields;
  readonly run: RunFields;
  readonly subscription: SubscriptionFields;
}

type LineOf<Fields> = { [K in keyof Fields]: { readonly kind: K } & Fields[K] }[keyof Fields];

/** A line of a tenant's export between its header and its end. */
export type TenantExportLine = LineOf<TenantFieldsOf>;

/** A list of all keys of T, checked to be complete by the compiler; the order is that of the file. */
type KeysOf<T> = Readonly<Record<keyof T, true>>;

const TENANT: KeysOf<TenantFields> = { name: true, settings: true, limits: true, webhook: true };

const CHANNEL: KeysOf<ChannelFields> = {
  channel_id: true,
  name: true,
  provider: true,
  base_url: true,
  model: true,
  priority: true,
  weight: true,
  enabled: true,
  max_tokens: true,
  temperature: true,
  timeout_ms: true,
  options: true,
  created_at: true,
  updated_at: true,
};

const PRESET: KeysOf<PresetFields> = {
  name: true,
  system_prompt: true,
  model: true,
  temperature: true,
  max_tokens: true,
  context_messages: true,
  options: true,
  created_at: true,
  updated_at: true,
};

const USER: KeysOf<UserFields> = {
  user_id: true,
  profile: true,
  created_at: true,
  last_seen_at: true,
  first_socket_at: true,
  legal_hold: true,
};

const ROOM: KeysOf<RoomFields> = {
  room_id: true,
  type: true,
  unique_key: true,
  name: true,
  metadata: true,
  posting: true,
  first_seq: true,
  last_seq: true,
  first_rev: true,
  last_rev: true,
  members_added: true,
  retention_days: true,
  legal_hold: true,
  last_message_at: true,
  created_at: true,
  updated_at: true,
};

const MEMBER: KeysOf<MemberFields> = {
  room_id: true,
  user_id: true,
  role: true,
  member_no: true,
  joined_seq: true,
  joined_at: true,
};

const EVENT: KeysOf<EventFields> = { room_id: true, rev: true, type: true, payload: true, created_at: true };

const MESSAGE: KeysOf<MessageFields> = {
  room_id: true,
  seq: true,
  rev: true,
  message_id: true,
  sender_id: true,
  role: true,
  content: true,
  meta: true,
  client_message_id: true,
  status: true,
  reply_to_seq: true,
  created_at: true,
  edited_at: true,
  deleted_at: true,
};

const CHAT: KeysOf<ChatFields> = {
  room_id: true,
  user_id: true,
  group_id: true,
  preset: true,
  auto_title: true,
  is_active: true,
  cleared_seq: true,
  created_at: true,
  active_at: true,
  external_id: true,
};

const RUN: KeysOf<RunFields> = {
  room_id: true,
  run_id: true,
  user_id: true,
  reply_to_seq: true,
  state: true,
  answer_seq: true,
  token_count: true,
  channel: true,
  model: true,
  finish_reason: true,
  prompt_tokens: true,
  completion_tokens: true,
  total_tokens: true,
  estimated: true,
  error_code: true,
  error_message: true,
  options: true,
  created_at: true,
  started_at: true,
  ended_at: true,
  reasoning: true,
};

const SUBSCRIPTION: KeysOf<SubscriptionFields> = {
  subscription_id: true,
  user_id: true,
  topic: true,
  created_at: true,
};

const KEYS: { readonly [K in keyof TenantFieldsOf]: KeysOf<TenantFieldsOf[K]> } = {
  tenant: TENANT,
  channel: CHANNEL,
  preset: PRESET,
  user: USER,
  room: ROOM,
  member: MEMBER,
  event: EVENT,
  message: MESSAGE,
  chat: CHAT,
  run: RUN,
  subscription: SUBSCRIPTION,
};

/** The keys of each kind of line of a tenant's export, in the order of the file, without `kind`, which comes first. */
export const LINE_KEYS: Readonly<Record<TenantLine, readonly string[]>> = {
  tenant: Object.keys(KEYS.tenant),
  channel: Object.keys(KEYS.channel),
  preset: Object.keys(KEYS.preset),
  user: Object.keys(KEYS.user),
  room: Object.keys(KEYS.room),
  member: Object.keys(KEYS.member),
  event: Object.keys(KEYS.event),
  message: Object.keys(KEYS.message),
  chat: Object.keys(KEYS.chat),
  run: Object.keys(KEYS.run),
  subscription: Object.keys(KEYS.subscription),
};
