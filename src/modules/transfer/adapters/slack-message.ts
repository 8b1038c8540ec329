/** One message of a Slack export. */
import { createHash } from 'node:crypto';
import { isBlank } from '../../../common/text';
import type { Json, JsonObject } from '../format';
import { asList, asObject, asText, filled, type Place, type Unknown } from './adapter';
import type { ForeignMessage } from './room-lines';
import { type MentionNames, plainText } from './slack-text';

/** `1355517523.000005`: seconds, and what tells messages of one second apart. It names a message within its channel. */
const TS = /^(\d{1,11})\.(\d{1,6})$/;

/** Microseconds since 1970: the order of messages. undefined where it is no timestamp. */
export function microseconds(ts: unknown): number | undefined {
  const [, seconds, rest = ''] = typeof ts === 'string' ? (TS.exec(ts) ?? []) : [];
  return seconds === undefined ? undefined : Number(seconds) * 1e6 + Number(rest.padEnd(6, '0'));
}

function milliseconds(ts: unknown): number | undefined {
  const us = microseconds(ts);
  return us === undefined ? undefined : Math.floor(us / 1000);
}

/** What people write; all other subtypes are what Slack says of something that somebody did. */
const WRITTEN = new Set([
  'bot_message',
  'channel_canvas_updated',
  'file_comment',
  'file_mention',
  'file_share',
  'me_message',
  'reply_broadcast',
  'slackbot_response',
  'thread_broadcast',
  'tombstone',
]);

/** Not messages: what they tell stands in the message itself, or is gone with it. */
const LOGGED = new Set(['message_changed', 'message_deleted', 'message_replied']);

/** Whether an entry of a day is no message but tells of one. */
export function isLogEntry(entry: Unknown): boolean {
  return LOGGED.has(String(entry['subtype']));
}

/** A sender that users.json does not have. */
export interface UnlistedSender {
  readonly id: string;
  readonly name: string | undefined;
  readonly isBot: boolean;
}

/** Who wrote a message; undefined where nothing says it. */
export function senderOf(entry: Unknown): UnlistedSender | undefined {
  const profile = asObject(entry['user_profile']);
  const user = asText(entry['user']) ?? asText(asObject(entry['comment'])?.['user']);
  if (user !== undefined) {
    const name = asText(profile?.['display_name']) ?? asText(profile?.['real_name']) ?? asText(profile?.['name']);
    return { id: user, name, isBot: entry['bot_id'] !== undefined };
  }
  const username = asText(entry['username']);
  const name = asText(asObject(entry['bot_profile'])?.['name']) ?? username;
  const bot = asText(entry['bot_id']);
  if (bot !== undefined) return { id: bot, name, isBot: true };
  if (username === undefined) return undefined;
  // A webhook of Slack's first years: it has a name and nothing else.
  const id = `bot_${createHash('sha256').update(username).digest('hex').slice(0, 16)}`;
  return { id, name, isBot: true };
}

/** The message of an entry, or a sentence that says what is wrong with it. */
export function slackMessage(
  entry: Unknown,
  names: MentionNames,
  place: Place,
  bytes: number,
): ForeignMessage | string {
  if (entry['type'] !== undefined && entry['type'] !== 'message') return 'the entry is no message';
  const ts = asText(entry['ts']);
  const timeMs = milliseconds(ts);
  if (ts === undefined || timeMs === undefined) return 'a message has no ts such as 1355517523.000005';
  const sender = senderOf(entry);
  if (sender === undefined) return `message ${ts} has no user and no bot`;
  const subtype = asText(entry['subtype']);
  const threadTs = asText(entry['thread_ts']);
  const { text, mentions } = plainText(textOf(entry), names);
  const edited = asObject(entry['edited']);
  return {
    place,
    bytes,
    id: ts,
    sender: sender.id,
    role: subtype === undefined || WRITTEN.has(subtype) ? 'user' : 'system',
    timeMs,
    content: subtype === 'tombstone' ? '' : text,
    meta: { slack: detailsOf(entry, ts), ...(mentions.length > 0 ? { mentions } : {}) },
    parentId: threadTs === ts ? undefined : threadTs,
    isParent: threadTs === ts,
    editedMs: milliseconds(edited?.['ts']),
    // Slack keeps a place for a deleted message that others have answered; it does not say when it went.
    deletedMs: subtype === 'tombstone' ? timeMs : undefined,
  };
}

const NO_TEXT = '(no text)';

/** The text; where there is none, what was shown instead of it. */
function textOf(entry: Unknown): string {
  const comment = asText(asObject(entry['comment'])?.['comment']);
  const attached = asList(entry['attachments']).map(asObject);
  const texts = [
    entry['subtype'] === 'file_comment' ? comment : asText(entry['text']),
    attached
      .map((each) => attachmentText(each))
      .filter(isShown)
      .join('\n\n'),
    blockTexts(entry['blocks']).join('\n'),
    filesOf(entry).map(nameOfFile).filter(isShown).join('\n'),
  ];
  return texts.find(isShown) ?? NO_TEXT;
}

function isShown(text: string | undefined): text is string {
  return text !== undefined && !isBlank(text);
}

function attachmentText(attachment: Unknown | undefined): string | undefined {
  const shown = ['pretext', 'title', 'text'].map((field) => asText(attachment?.[field])).filter(isShown);
  return shown.length > 0 ? shown.join('\n') : asText(attachment?.['fallback']);
}

/** Texts anywhere in Slack's blocks, in their order. */
function blockTexts(value: unknown, depth = 0): string[] {
  const MAX_DEPTH = 16;
  if (depth > MAX_DEPTH) return [];
  if (Array.isArray(value)) return value.flatMap((each) => blockTexts(each, depth + 1));
  const object = asObject(value);
  if (object === undefined) return [];
  const own = asText(object['text']) ?? asText(object['url']);
  const inside = ['text', 'elements', 'fields', 'blocks'].flatMap((field) => blockTexts(object[field], depth + 1));
  return isShown(own) ? [own, ...inside] : inside;
}

function filesOf(entry: Unknown): readonly Unknown[] {
  const files = [...asList(entry['files']), entry['file']].map(asObject);
  return files.filter((file) => file !== undefined);
}

function nameOfFile(file: Unknown): string | undefined {
  return asText(file['title']) ?? asText(file['name']) ?? asText(file['id']);
}

/** What a message of ours has no place for, so that nothing is lost. */
function detailsOf(entry: Unknown, ts: string): JsonObject {
  const fields: Record<string, Json | undefined> = { ts };
  for (const field of ['subtype', 'thread_ts', 'bot_id', 'username', 'topic', 'purpose', 'old_name', 'inviter'])
    fields[field] = asText(entry[field]);
  fields['edited_by'] = asText(asObject(entry['edited'])?.['user']);
  fields['files'] = filesOf(entry).map(fileOf).filter(isKnown);
  fields['attachments'] = asList(entry['attachments']).map(attachmentOf).filter(isKnown);
  fields['reactions'] = asList(entry['reactions']).map(reactionOf).filter(isKnown);
  return filled(fields) ?? {};
}

function isKnown(value: JsonObject | undefined): value is JsonObject {
  return value !== undefined;
}

function fileOf(file: Unknown): JsonObject | undefined {
  const size = file['size'];
  return filled({
    id: asText(file['id']),
    name: asText(file['name']) ?? asText(file['title']),
    mimetype: asText(file['mimetype']),
    size: typeof size === 'number' && Number.isFinite(size) ? size : undefined,
    // Slack puts a token into the query, which opens the file to whoever has it.
    url: asText(file['url_private'])?.replace(/[?#].*$/s, ''),
  });
}

function attachmentOf(value: unknown): JsonObject | undefined {
  const attachment = asObject(value) ?? {};
  const fields = ['pretext', 'author_name', 'title', 'title_link', 'text', 'fallback', 'from_url', 'footer'];
  return filled(Object.fromEntries(fields.map((field) => [field, asText(attachment[field])])));
}

function reactionOf(value: unknown): JsonObject | undefined {
  const reaction = asObject(value) ?? {};
  const users = asList(reaction['users'])
    .map(asText)
    .filter((user) => user !== undefined);
  return filled({ name: asText(reaction['name']), users });
}
