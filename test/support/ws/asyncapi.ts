import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import Ajv, { type ValidateFunction } from 'ajv';

export type Direction = 'client' | 'server';

/** The channels of the document: `/ws` and `/ws/chat`. */
export type Channel = 'socket' | 'chat';

/** Of the socket at this path, with a query or without. */
export function channelOf(path: string): Channel {
  return path.startsWith('/ws/chat') ? 'chat' : 'socket';
}

interface Reference {
  readonly $ref: string;
}

interface Operation {
  /** As the server sees it: it receives what clients send. */
  readonly action: 'send' | 'receive';
  readonly channel: Reference;
  readonly messages: readonly Reference[];
  readonly reply?: { readonly messages: readonly Reference[] };
}

interface Document {
  readonly operations: Readonly<Record<string, Operation>>;
  readonly components: { readonly messages: Readonly<Record<string, { readonly payload: FrameSchema }>> };
}

export const ASYNCAPI_FILE = join(__dirname, '..', '..', '..', 'docs', 'asyncapi.json');
const DOCUMENT = JSON.parse(readFileSync(ASYNCAPI_FILE, 'utf8')) as Document;

const formats: Record<string, RegExp | true> = {
  double: true,
  'date-time': /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/,
  uuid: /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
};
const ajv = new Ajv({ strict: false, allErrors: true, formats });
ajv.addSchema(DOCUMENT, 'asyncapi');
const compiled = new Map<string, ValidateFunction>();

const CHANNELS: Readonly<Record<Channel, Readonly<Record<Direction, ReadonlySet<string>>>>> = {
  socket: framesOf('socket'),
  chat: framesOf('chat'),
};

function framesOf(channel: Channel): Record<Direction, ReadonlySet<string>> {
  const all = Object.values(DOCUMENT.operations).filter((each) => each.channel.$ref === `#/channels/${channel}`);
  const received = all.flatMap(({ action, messages }) => (action === 'receive' ? messages : []));
  const sent = all.flatMap(({ action, messages, reply }) => (action === 'send' ? messages : (reply?.messages ?? [])));
  return { client: new Set(namesOf(received)), server: new Set(namesOf(sent)) };
}

function componentOf(channel: Channel, type: string): string {
  return channel === 'socket' ? type : `${channel}.${type}`;
}

/** What a frame may hold. */
export interface FrameSchema {
  readonly properties: Readonly<Record<string, { readonly type?: unknown }>>;
  readonly required: readonly string[];
}

/** The documented frames of clients of `/ws`, by type. */
export const CLIENT_SCHEMAS: Readonly<Record<string, FrameSchema>> = Object.fromEntries(
  [...CHANNELS.socket.client].flatMap((type) => {
    const message = DOCUMENT.components.messages[type];
    return message ? [[type, message.payload] as const] : [];
  }),
);

/** Types of the documented frames. */
export function documentedFrames(direction: Direction, channel: Channel = 'socket'): readonly string[] {
  return [...CHANNELS[channel][direction]];
}

/**
 * Throws when a frame is not as docs/asyncapi.json says: a type that is not documented for the direction, a field that
 * is not documented, missing or of the wrong kind. A client's frame may be nested; the server's are flat.
 */
export function checkFrame(frame: unknown, direction: Direction, channel: Channel = 'socket'): void {
  const flat = direction === 'client' ? flattened(frame) : frame;
  const type = isObject(flat) ? typeOf(flat, direction, channel) : undefined;
  if (typeof type !== 'string' || !CHANNELS[channel][direction].has(type))
    throw new Error(`no documented frame of the ${direction}: ${JSON.stringify(frame)}`);
  const component = componentOf(channel, type);
  let validate = compiled.get(component);
  if (!validate) {
    validate = ajv.compile({ $ref: `asyncapi#/components/messages/${component}/payload` });
    compiled.set(component, validate);
  }
  if (!validate(flat)) throw new Error(`${type}: ${ajv.errorsText(validate.errors)}; frame ${JSON.stringify(frame)}`);
}

function typeOf(frame: Record<string, unknown>, direction: Direction, channel: Channel): unknown {
  if (channel === 'socket') return frame['type'];
  return direction === 'server' ? frame['event_type'] : (frame['type'] ?? 'message');
}

function flattened(frame: unknown): unknown {
  if (!isObject(frame) || !isObject(frame['data'])) return frame;
  const { data, ...outer } = frame;
  return { ...(data as object), ...outer };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function namesOf(references: readonly Reference[]): string[] {
  return references.map(({ $ref }) => $ref.split('/').at(-1) ?? '');
}
