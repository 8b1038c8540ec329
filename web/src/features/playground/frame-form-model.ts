/** The form for frames, built from /asyncapi.json: what a client may send, field by field. */
import type { Data } from '../../socket';
import type { Endpoint } from './frame-log';

export interface JsonSchema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly description?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly examples?: readonly unknown[];
}

interface Reference {
  readonly $ref: string;
}

export interface AsyncApi {
  readonly channels: Readonly<
    Record<string, { readonly address: string; readonly messages: Readonly<Record<string, Reference>> }>
  >;
  readonly operations: Readonly<
    Record<string, { readonly action: string; readonly channel: Reference; readonly messages: readonly Reference[] }>
  >;
  readonly components: {
    readonly messages: Readonly<
      Record<string, { readonly name: string; readonly summary?: string; readonly payload: JsonSchema }>
    >;
    readonly schemas: Readonly<Record<string, JsonSchema>>;
  };
}

export type FieldKind = 'text' | 'number' | 'choice' | 'json';

export interface FrameField {
  readonly name: string;
  readonly kind: FieldKind;
  readonly isRequired: boolean;
  readonly hint: string | undefined;
  readonly options: readonly string[];
}

/** A frame that a client may send. */
export interface FrameKind {
  /** In the document: `chat.stop`. */
  readonly name: string;
  readonly endpoint: Endpoint;
  readonly summary: string;
  /** With its `type`, where it has one. */
  readonly constants: Readonly<Record<string, unknown>>;
  readonly fields: readonly FrameField[];
}

const last = ({ $ref }: Reference): string => $ref.slice($ref.lastIndexOf('/') + 1);

export function frameKinds(document: AsyncApi): readonly FrameKind[] {
  return Object.entries(document.operations).flatMap(([name, { action, channel }]) => {
    const message = document.components.messages[name];
    const { address } = document.channels[last(channel)] ?? {};
    if (action !== 'receive' || message === undefined || (address !== '/ws' && address !== '/ws/chat')) return [];
    const { properties = {}, required = [] } = message.payload;
    const entries = Object.entries(properties);
    return {
      ...{ name, endpoint: address, summary: message.summary ?? '' },
      constants: Object.fromEntries(
        entries.flatMap(([key, { const: value }]) => (value === undefined ? [] : [[key, value]])),
      ),
      fields: entries
        .filter(([, schema]) => schema.const === undefined)
        .map(([key, schema]) => fieldOf(key, schema, required.includes(key)))
        .sort((a, b) => Number(b.isRequired) - Number(a.isRequired)),
    };
  });
}

function fieldOf(name: string, schema: JsonSchema, isRequired: boolean): FrameField {
  const [type] = [schema.type ?? 'object'].flat();
  const options = (schema.enum ?? []).map(String);
  const kind = options.length > 0 ? 'choice' : type === 'string' ? 'text' : isNumber(type) ? 'number' : 'json';
  return { name, kind, isRequired, hint: schema.description, options };
}

const isNumber = (type: unknown): boolean => type === 'integer' || type === 'number';

/**
 * The frame as it will be sent. A field that is left empty is left out, and what is not what it should be is sent as it
 * stands: the server says what is wrong.
 */
export function frameOf(
  { constants, fields }: FrameKind,
  values: Readonly<Record<string, string>>,
): Record<string, unknown> {
  const filled = fields.flatMap(({ name, kind }) => {
    const value = values[name] ?? '';
    return value === '' ? [] : [[name, kind === 'text' || kind === 'choice' ? value : parsed(value)] as const];
  });
  return { ...constants, ...Object.fromEntries(filled) };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

/** Frames that the server refuses, by what is wrong with them. @param room the id of a room that there is */
export function badFrames(room: string): ReadonlyMap<string, Data> {
  return new Map<string, Data>([
    ['No JSON', '{"type":"ping"'],
    ['No object', '["ping"]'],
    ['A type that there is not', JSON.stringify({ type: 'pong' })],
    ['A field too many', JSON.stringify({ type: 'ack', room_id: room, seq: 1, sequence: 1 })],
    ['A field too few', JSON.stringify({ type: 'ack', room_id: room })],
    ['A seq that is text', JSON.stringify({ type: 'ack', room_id: room, seq: 'one' })],
    ['An ack beyond the room', JSON.stringify({ type: 'ack', room_id: room, seq: 999_999_999 })],
    ['A room that there is not', JSON.stringify({ type: 'subscribe', room_id: `room_${'0'.repeat(32)}` })],
    ['300 KB', JSON.stringify({ type: 'send_message', room_id: room, content: 'x'.repeat(300_000) })],
    ['Binary: closes with 1003', new TextEncoder().encode('{"type":"ping"}')],
  ]);
}
