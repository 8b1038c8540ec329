import { invalid } from '../../../common/errors';
import { MAX_CLIENT_MESSAGE_ID, MAX_CONTENT } from '../../../common/limits';
import { codePoints, isBlank, isObject, isStorableText } from '../../../common/text';
import { scalar } from '../../../platform/http';
import { imageOfUrl, imagePlace, MAX_IMAGES, type ModelImage } from '../../models';
import type { UiChatDto } from './dto/ui.dto';

/**
 * What a client of the UI stream sends, and what counts of it. The whole history comes with every message; the log is the truth,
 * so of `messages` the last one is kept and nothing before it is looked at, whatever it holds.
 */

/** The last of a client's messages, as far as it matters. */
interface LastMessage {
  /** Its place in what was sent. */
  readonly at: number;
  readonly id: unknown;
  readonly role: unknown;
  /** Undefined: it has no list of parts. */
  readonly parts: readonly LastPart[] | undefined;
}

interface LastPart {
  readonly type: unknown;
  readonly text: unknown;
  /** Of a `file`, in the next two. */
  readonly url?: unknown;
  readonly filename?: unknown;
}

/** Of a message; further ones are an error, not left out. */
const MAX_PARTS = 100;
/** Top-level fields that are named where they are unknown. */
const MAX_FIELDS = 50;

/** Keeps the body's own fields without what they hold beyond their kind, and the last message; see `KeepOfBody`. */
export function keepLast(body: unknown): unknown {
  if (!isObject(body)) return body === undefined || typeof body !== 'object' ? body : [];
  const fields = Object.entries(body).slice(0, MAX_FIELDS);
  // fromEntries defines: a field of the name __proto__ is one like any other.
  return Object.fromEntries(fields.map(([name, value]) => [name, name === 'messages' ? lastOf(value) : scalar(value)]));
}

function lastOf(messages: unknown): unknown {
  if (!Array.isArray(messages)) return scalar(messages);
  const list: readonly unknown[] = messages;
  const at = list.length - 1;
  const last = list[at];
  if (at < 0) return [];
  if (!isObject(last)) return [{ at, id: undefined, role: undefined, parts: undefined } satisfies LastMessage];
  const { id, role, parts } = last;
  const kept = Array.isArray(parts) ? (parts as readonly unknown[]).slice(0, MAX_PARTS + 1).map(partOf) : undefined;
  return [{ at, id: scalar(id), role: scalar(role), parts: kept } satisfies LastMessage];
}

function partOf(part: unknown): LastPart {
  if (!isObject(part)) return { type: undefined, text: undefined };
  const { type, text, url, filename } = part;
  const kept = { type: scalar(type), text: scalar(text) };
  return type === 'file' ? { ...kept, url: scalar(url), filename: scalar(filename) } : kept;
}

interface Said {
  /** Names the images in their places. */
  readonly content: string;
  readonly images: readonly ModelImage[];
}

/** What a client wants of a chat. */
export type UiRequest =
  | ({ readonly kind: 'say'; readonly clientMessageId: string } & Said)
  | ({ readonly kind: 'edit'; readonly named: string } & Said)
  | { readonly kind: 'regenerate'; readonly named: string | undefined };

/** @throws 400 that names what is wrong with the last message */
export function requestOf({ messages, trigger, messageId }: UiChatDto): UiRequest {
  const last = messages[0] as LastMessage | undefined;
  if (trigger === 'regenerate-message') return { kind: 'regenerate', named: messageId ?? (last && questionOf(last)) };
  if (last === undefined) throw invalid('messages', 'messages must have at least 1 item');
  const id = idOf(last);
  if (last.role !== 'user')
    throw invalid(`messages[${last.at}]`, 'The last message must be the user’s: what others say comes from the log');
  const said = saidIn(last);
  if (messageId === undefined) return { kind: 'say', clientMessageId: id, ...said };
  if (messageId !== id) throw invalid('messageId', 'messageId must be the id of the last message, which is edited');
  return { kind: 'edit', named: messageId, ...said };
}

/** What a client that names no answer has kept as the question of the one that it wants anew. */
function questionOf(last: LastMessage): string | undefined {
  return last.role === 'user' ? idOf(last) : undefined;
}

function idOf({ at, id, role, parts }: LastMessage): string {
  const field = `messages[${at}]`;
  if (typeof id !== 'string' || typeof role !== 'string' || parts === undefined)
    throw invalid(field, `${field} must be a message: {"id", "role", "parts"}`);
  if (id === '' || codePoints(id) > MAX_CLIENT_MESSAGE_ID || !isStorableText(id))
    throw invalid(field, `${field}.id must be 1-${MAX_CLIENT_MESSAGE_ID} characters`);
  return id;
}

/** The parts of text, and the places of images, a line each. */
function saidIn({ at, parts = [] }: LastMessage): Said {
  const field = `messages[${at}]`;
  const images: ModelImage[] = [];
  const texts = parts.flatMap((part, i) => {
    const { type, text } = part;
    const path = `${field}.parts[${i}]`;
    if (typeof type !== 'string') throw invalid(path, `${path} must be a part: {"type", …}`);
    if (type === 'file') {
      images.push(imageOf(part, path));
      return [imagePlace(nameOf(part) ?? `image ${images.length}`)];
    }
    if (type !== 'text') return [];
    if (typeof text !== 'string' || !isStorableText(text))
      throw invalid(path, `${path}.text must be a text without NUL and lone surrogates`);
    return [text];
  });
  if (parts.length > MAX_PARTS) throw invalid(field, `${field}.parts must have at most ${MAX_PARTS} items`);
  const content = texts.join('\n');
  if (isBlank(content)) throw invalid(field, `${field} must have a text part that is not blank, or an image`);
  if (codePoints(content) > MAX_CONTENT) throw invalid(field, `${field} must have at most ${MAX_CONTENT} characters`);
  if (images.length > MAX_IMAGES) throw invalid(field, `${field} must have at most ${MAX_IMAGES} images`);
  return { content, images };
}

function imageOf({ url }: LastPart, path: string): ModelImage {
  if (typeof url !== 'string') throw invalid(path, `${path}.url must be a data URL`);
  return imageOfUrl(url, `${path}.url`);
}

function nameOf({ filename }: LastPart): string | undefined {
  return typeof filename === 'string' && filename.trim() !== '' ? filename : undefined;
}
