import { invalid } from '../../../common/errors';
import { isBlank, isObject, isStorableText } from '../../../common/text';
import { scalar } from '../../../platform/http';
import { imageOfUrl, imagePlace, MAX_IMAGES, type ModelImage } from '../../models';

/**
 * What clients of OpenAI's API send, and what counts of it. A body is read twice: what is kept of it before it is validated
 * (`KeepOfBody`) has a bound and no surprise, and what it says is made of that.
 */

/** More than any model reads; further ones are an error, not left out. */
const MAX_MESSAGES = 2000;
const MAX_PARTS = 1000;
/** Names what a body asks for that would change the answer and is not supported; set by `keepOf`, seen by no validation. */
const UNSUPPORTED = Symbol('unsupported parameter');

/** A parameter that nobody supports here, with the values of it that ask for nothing. */
export type Harmless = Readonly<Record<string, (value: unknown) => boolean>>;

export const isEmpty = (value: unknown): boolean => typeof value === 'object' && Object.keys(value ?? {}).length === 0;
export const isOneOf =
  (...values: readonly unknown[]) =>
  (value: unknown): boolean =>
    values.includes(value);

/**
 * Keeps the known fields of a body. Unknown ones are left out, as clients expect it: they send what the newest version of
 * the API has.
 * @param keep by field; gets its value, which is not null
 */
export function keepOf(
  body: unknown,
  keep: Readonly<Record<string, (value: unknown) => unknown>>,
  unsupported: Harmless,
): unknown {
  if (!isObject(body)) return body === undefined || typeof body !== 'object' ? body : [];
  const kept: Record<string, unknown> & { [UNSUPPORTED]?: string } = {};
  for (const [name, kind] of Object.entries(keep)) {
    const value = own(body, name);
    if (value !== undefined && value !== null) kept[name] = kind(value);
  }
  for (const [name, isHarmless] of Object.entries(unsupported)) {
    const value = own(body, name);
    if (value !== undefined && value !== null && !isHarmless(value)) kept[UNSUPPORTED] ??= name;
  }
  return kept;
}

function own(body: Readonly<Record<string, unknown>>, name: string): unknown {
  return Object.hasOwn(body, name) ? body[name] : undefined;
}

/** @throws 400 for a parameter that would change the answer and is not supported */
export function refuseUnsupported(body: object): void {
  const name = (body as { [UNSUPPORTED]?: string })[UNSUPPORTED];
  if (name !== undefined) throw invalid(name, `${name} is not supported here: leave it out`);
}

export const whole = (value: unknown): unknown => value;

/** One message of a client, as far as it matters. */
interface KeptMessage {
  readonly role: unknown;
  readonly content: unknown;
  /** A call of a tool, or what came of one. */
  readonly isTool: boolean;
}

/** Keeps of messages who says them and their texts. */
export function keepMessages(value: unknown): unknown {
  if (!Array.isArray(value)) return scalar(value);
  return (value as readonly unknown[]).slice(0, MAX_MESSAGES + 1).map(keptMessage);
}

function keptMessage(message: unknown): KeptMessage {
  if (!isObject(message)) return { role: undefined, content: undefined, isTool: false };
  const { role, content } = message;
  return { role: scalar(role), content: keptContent(content), isTool: isAboutTool(message) };
}

function isAboutTool(message: Readonly<Record<string, unknown>>): boolean {
  const { type = 'message', tool_calls: calls, function_call: called } = message;
  return type !== 'message' || (Array.isArray(calls) && calls.length > 0) || isObject(called);
}

function keptContent(content: unknown): unknown {
  if (!Array.isArray(content)) return scalar(content);
  return (content as readonly unknown[]).slice(0, MAX_PARTS + 1).map((part) => {
    if (!isObject(part)) return {};
    const { type, text, refusal, image_url: image } = part;
    const url = isObject(image) ? image['url'] : image;
    const kept = { type: scalar(type), text: scalar(text ?? refusal) };
    return typeof url === 'string' ? { ...kept, url } : kept;
  });
}

export interface ReadMessage {
  /** Its place in what was sent, as errors name it. */
  readonly field: string;
  readonly role: 'system' | 'user' | 'assistant';
  /** Names the images in their places. */
  readonly content: string;
  /** Of a user's. */
  readonly images: readonly ModelImage[];
}

const ROLES: Readonly<Record<string, ReadMessage['role']>> = {
  system: 'system',
  developer: 'system',
  user: 'user',
  assistant: 'assistant',
};

/**
 * The messages that say something, in order.
 * @param field what the client calls the list
 * @throws 400 that names the message and what is wrong with it
 */
export function readMessages(kept: readonly unknown[], field: string): ReadMessage[] {
  if (kept.length > MAX_MESSAGES) throw invalid(field, `${field} must have at most ${MAX_MESSAGES} items`);
  const messages = (kept as readonly KeptMessage[])
    .map((message, i) => readMessage(message, `${field}[${i}]`))
    .filter(({ content, role }) => role === 'user' || !isBlank(content));
  if (messages.reduce((sum, { images }) => sum + images.length, 0) > MAX_IMAGES)
    throw invalid(field, `${field} must have at most ${MAX_IMAGES} images`);
  return messages;
}

function readMessage({ role: said, content, isTool }: KeptMessage, field: string): ReadMessage {
  if (isTool || said === 'tool' || said === 'function')
    throw invalid(field, `${field} is about a tool: tools are not supported here`);
  const role = typeof said === 'string' && Object.hasOwn(ROLES, said) ? ROLES[said] : undefined;
  if (role === undefined)
    throw invalid(
      field,
      `${field} must be a message: {"role": "system", "developer", "user" or "assistant", "content"}`,
    );
  const images: ModelImage[] = [];
  const text = textOf(content, `${field}.content`, role === 'user' ? images : undefined);
  if (role === 'user' && isBlank(text)) throw invalid(field, `${field}.content must not be blank`);
  return { field, role, content: text, images };
}

/** @param images takes those of a user's message; undefined: there may be none */
function textOf(content: unknown, field: string, images: ModelImage[] | undefined): string {
  const parts = Array.isArray(content) ? (content as readonly Readonly<Record<string, unknown>>[]) : undefined;
  if (parts !== undefined && parts.length > MAX_PARTS)
    throw invalid(field, `${field} must have at most ${MAX_PARTS} items`);
  const text =
    parts === undefined ? content : parts.map((part, i) => textOfPart(part, `${field}[${i}]`, images)).join('\n');
  if (typeof text !== 'string') throw invalid(field, `${field} must be a text or a list of parts`);
  if (!isStorableText(text)) throw invalid(field, `${field} must not hold NUL characters or unpaired surrogates`);
  return text;
}

const TEXTS: readonly unknown[] = ['text', 'input_text', 'output_text', 'refusal'];

function textOfPart(
  { type, text, url }: Readonly<Record<string, unknown>>,
  field: string,
  images: ModelImage[] | undefined,
): string {
  if (type === 'image_url' || type === 'input_image') {
    if (images === undefined) throw invalid(field, `${field} is an image: only users show images`);
    if (typeof url !== 'string') throw invalid(field, `${field} must have an image_url, a data URL`);
    images.push(imageOfUrl(url, field));
    return imagePlace(`image ${images.length}`);
  }
  if (!TEXTS.includes(type)) throw invalid(field, `${field} must be a text or an image: models are sent nothing else`);
  if (typeof text !== 'string') throw invalid(field, `${field}.text must be a text`);
  return text;
}

/** The texts of the system's and the developer's messages, a paragraph each; undefined: there are none. */
export function instructionsOf(messages: readonly ReadMessage[], more?: string): string | undefined {
  const texts = messages.filter(({ role }) => role === 'system').map(({ content }) => content);
  const all = [...(more === undefined || isBlank(more) ? [] : [more]), ...texts];
  return all.length === 0 ? undefined : all.join('\n\n');
}
