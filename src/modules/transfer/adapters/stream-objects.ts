/** Users, channels, members and messages as Stream Chat writes them, in exports and in files for its own import. */
import { isBlank } from '../../../common/text';
import type { Json, JsonObject } from '../format';
import { asList, asObject, asText, filled, type Place, storableText, type Unknown } from './adapter';
import type { ForeignMember, ForeignMessage, ForeignRoom } from './room-lines';

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.(\d{1,9}))?(?:Z|[+-]\d\d:\d\d)$/;

/** Microseconds since 1970 of a time such as `2025-01-23T13:05:35.491258Z`; undefined where it is none. */
export function microsecondsOf(value: unknown): number | undefined {
  if (typeof value !== 'string') return undefined;
  const found = TIME.exec(value);
  const ms = found === null ? NaN : Date.parse(value);
  if (Number.isNaN(ms)) return undefined;
  return ms * 1000 + Number((found?.[1] ?? '').padEnd(6, '0').slice(3, 6));
}

export function millisecondsOf(value: unknown): number | undefined {
  const us = microsecondsOf(value);
  return us === undefined ? undefined : Math.floor(us / 1000);
}

const NONE: ReadonlySet<string> = new Set();

/** Deeper than that custom data is left out: meta has a limit of its own. */
const MAX_CUSTOM_DEPTH = 12;

/** The same JSON as PostgreSQL takes it. */
function storableJson(value: unknown, depth = 0): Json | undefined {
  if (typeof value === 'string') return storableText(value);
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined;
  if (typeof value === 'boolean' || value === null) return value;
  if (depth > MAX_CUSTOM_DEPTH) return undefined;
  if (Array.isArray(value)) return value.map((each) => storableJson(each, depth + 1) ?? null);
  const fields = Object.entries(asObject(value) ?? {}).map(([key, child]) => [
    storableText(key),
    storableJson(child, depth + 1),
  ]);
  return Object.fromEntries(fields.filter(([, child]) => child !== undefined)) as JsonObject;
}

/** Fields that are the application's own: all that are not Stream's. */
function customOf(object: Unknown, known: ReadonlySet<string>): JsonObject | undefined {
  const own = Object.entries(object).filter(([key]) => !known.has(key));
  return filled(Object.fromEntries(own.map(([key, value]) => [storableText(key), storableJson(value)])));
}

/** A user is named by an object or by its id. */
export function userIdOf(value: unknown): string | undefined {
  return asText(value) ?? asText(asObject(value)?.['id']);
}

const USER_FIELDS = new Set(
  (
    'id name image role teams created_at updated_at deleted_at deactivated_at last_active last_engaged_at banned online ' +
    'shadow_banned invisible language devices push_notifications privacy_settings channel_mutes user_mutes mutes custom ' +
    'ban_expires blocked_user_ids unread_channels unread_count total_unread_count revoke_tokens_issued_before'
  ).split(' '),
);

/** Profile of a user. */
export function streamProfile(user: Unknown): JsonObject {
  const name = asText(user['name']);
  const stream = filled({
    role: asText(user['role']),
    image: asText(user['image']),
    teams: asList(user['teams']).map(asText).filter(isText),
    language: asText(user['language']),
    deactivated: user['deactivated_at'] || user['deleted_at'] ? true : undefined,
    ...customOf(user, USER_FIELDS),
    ...customOf(asObject(user['custom']) ?? {}, NONE),
  });
  return { ...(name === undefined ? {} : { name }), stream: stream ?? {} };
}

function isText(text: string | undefined): text is string {
  return text !== undefined;
}

/**
 * Names a channel in one file, wherever it is spoken of: its `cid`, its type and id, or its type and its members.
 * undefined where nothing says it.
 */
export function channelKeyOf(object: Unknown, idField: 'id' | 'channel_id'): string | undefined {
  const cid = asText(object['cid']);
  if (cid !== undefined) return cid;
  const type = asText(object[idField === 'id' ? 'type' : 'channel_type']);
  if (type === undefined) return undefined;
  const id = asText(object[idField]);
  if (id !== undefined) return `${type}:${id}`;
  const members = asList(object[idField === 'id' ? 'member_ids' : 'channel_member_ids'])
    .map(asText)
    .filter(isText);
  return members.length === 0 ? undefined : `${type}:!members:${members.sort().join(',')}`;
}

/** Channels that are named by who is in them. */
const BY_MEMBERS = /^[^:]*:!members[-:]/;
/** Stream lets everybody read them. */
const PUBLIC_TYPES = new Set(['livestream']);

const CHANNEL_FIELDS = new Set(
  (
    'id cid type name created_by created_by_id created_at updated_at deleted_at last_message_at frozen disabled team ' +
    'member_count member_ids members config custom own_capabilities auto_translation_language auto_translation_enabled ' +
    'truncated_at truncated_by hidden hide_messages_before muted blocked cooldown banned_users message_count'
  ).split(' '),
);

/** The room of a channel. @param members in any order, each once */
export function streamRoom(
  channel: Unknown,
  about: {
    readonly key: string;
    readonly place: Place;
    readonly members: readonly ForeignMember[];
    readonly isDm: boolean;
  },
): ForeignRoom {
  const creator = userIdOf(channel['created_by']) ?? asText(channel['created_by_id']);
  const custom = asObject(channel['custom']) ?? {};
  const isFrozen = channel['frozen'] === true || channel['disabled'] === true;
  const members = about.members.map((member) => ({ ...member, isAdmin: member.isAdmin || member.userId === creator }));
  return {
    source: 'stream',
    place: about.place,
    id: about.key,
    type: about.isDm ? 'dm' : PUBLIC_TYPES.has(asText(channel['type']) ?? '') ? 'channel' : 'group',
    name: asText(channel['name']) ?? asText(custom['name']),
    metadata: {
      stream:
        filled({
          cid: about.key,
          team: asText(channel['team']),
          frozen: isFrozen ? true : undefined,
          ...customOf(channel, CHANNEL_FIELDS),
          ...customOf(custom, new Set(['name'])),
        }) ?? {},
    },
    isReadOnly: isFrozen,
    members: members.sort((a, b) => (a.joinedMs ?? 0) - (b.joinedMs ?? 0) || (a.userId < b.userId ? -1 : 1)),
    createdMs: millisecondsOf(channel['created_at']),
  };
}

/** Whether a channel is that of two people and no others. */
export function isPair(key: string, members: readonly ForeignMember[]): boolean {
  return BY_MEMBERS.test(key) && members.length === 2;
}

const ADMIN_ROLES = new Set(['owner', 'admin', 'moderator', 'channel_moderator', 'channel_owner']);

/** A member of a channel; undefined for somebody who has not accepted the invitation. */
export function streamMember(member: Unknown): ForeignMember | undefined {
  const userId = asText(member['user_id']) ?? userIdOf(member['user']);
  if (userId === undefined) return undefined;
  const isInvited = member['invited'] === true || member['status'] === 'pending' || member['status'] === 'rejected';
  if (isInvited && !member['invite_accepted_at']) return undefined;
  return {
    userId,
    isAdmin: ADMIN_ROLES.has(asText(member['role']) ?? '') || ADMIN_ROLES.has(asText(member['channel_role']) ?? ''),
    joinedMs: millisecondsOf(member['invite_accepted_at']) ?? millisecondsOf(member['created_at']),
  };
}

/** Only their sender sees them. */
const UNSEEN = new Set(['ephemeral', 'error']);

/** Whether a message of an export was seen by nobody but its sender. */
export function isUnseen(message: Unknown): boolean {
  return UNSEEN.has(String(message['type']));
}

const MESSAGE_FIELDS = new Set(
  (
    'id cid text html type user user_id created_at updated_at deleted_at message_text_updated_at attachments parent_id ' +
    'quoted_message_id quoted_message reply_count deleted_reply_count thread_participants show_in_channel channel_id ' +
    'channel_type channel_member_ids mentioned_users mentioned_users_ids latest_reactions own_reactions reaction_counts ' +
    'reaction_scores reaction_groups shadowed silent pinned pinned_at pinned_by pinned_by_id pin_expires i18n command ' +
    'custom before_message_send_failed moderation moderation_details member mml image_labels restricted_visibility'
  ).split(' '),
);

/**
 * A message of an export, or a sentence that says what is wrong with it.
 * @param parents ids of messages that others answer
 */
export function streamMessage(
  message: Unknown,
  parents: ReadonlySet<string>,
  place: Place,
  bytes: number,
): ForeignMessage | string {
  const id = asText(message['id']);
  if (id === undefined) return 'a message has no id';
  const sender = userIdOf(message['user']) ?? asText(message['user_id']);
  if (sender === undefined) return `message ${id.slice(0, 60)} has no user`;
  const timeMs = millisecondsOf(message['created_at']);
  if (timeMs === undefined) return `message ${id.slice(0, 60)} has no created_at such as 2025-01-23T13:05:35.491258Z`;
  const isDeleted = message['type'] === 'deleted' || Boolean(message['deleted_at']);
  const mentions = [
    ...asList(message['mentioned_users']).map(userIdOf),
    ...asList(message['mentioned_users_ids']).map(asText),
  ].filter(isText);
  return {
    place,
    bytes,
    id,
    sender,
    role: message['type'] === 'system' ? 'system' : 'user',
    timeMs,
    content: isDeleted ? '' : textOf(message),
    meta: { stream: detailsOf(message, id), ...(mentions.length > 0 ? { mentions: [...new Set(mentions)] } : {}) },
    parentId: asText(message['parent_id']),
    isParent: parents.has(id),
    editedMs: millisecondsOf(message['message_text_updated_at']),
    deletedMs: isDeleted ? (millisecondsOf(message['deleted_at']) ?? timeMs) : undefined,
  };
}

const NO_TEXT = '(no text)';

/** The text; where there is none, what stood instead of it. */
function textOf(message: Unknown): string {
  const text = asText(message['text']);
  if (text !== undefined && !isBlank(text)) return text;
  const titles = asList(message['attachments']).map((value) => {
    const attachment = asObject(value) ?? {};
    return ['title', 'text', 'fallback', 'type'].map((field) => asText(attachment[field])).find(isText);
  });
  const shown = titles.filter(isText).join('\n');
  return isBlank(shown) ? NO_TEXT : shown;
}

/** What a message of ours has no place for, so that nothing is lost. */
function detailsOf(message: Unknown, id: string): JsonObject {
  const attachments = asList(message['attachments'])
    .map((each) => storableJson(each))
    .filter((each) => each !== undefined);
  const reactions = asList(message['latest_reactions']).map((value) => {
    const reaction = asObject(value) ?? {};
    return filled({
      type: asText(reaction['type']),
      user_id: asText(reaction['user_id']) ?? userIdOf(reaction['user']),
    });
  });
  return (
    filled({
      id,
      parent_id: asText(message['parent_id']),
      quoted_message_id: asText(message['quoted_message_id']),
      show_in_channel: message['show_in_channel'] === true ? true : undefined,
      pinned_at: asText(message['pinned_at']),
      attachments,
      reactions: reactions.filter((each) => each !== undefined),
      reaction_counts: customOf(asObject(message['reaction_counts']) ?? {}, NONE),
      ...customOf(message, MESSAGE_FIELDS),
      ...customOf(asObject(message['custom']) ?? {}, NONE),
    }) ?? {}
  );
}
