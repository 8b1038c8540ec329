/** What adapters of other systems' exports have in common: what they yield, and how things get ids and texts of ours. */
import { hash } from 'node:crypto';
import { encodeId, type IdKind } from '../../../common/ids';
import type { Json, JsonObject, TenantExportLine, Time } from '../format';

/** Systems whose exports are understood. */
export type ForeignSource = 'slack' | 'stream';

/** Where in the uploaded file something was found. */
export interface Place {
  /** Name of the entry in an archive; '' is the file itself. */
  readonly file: string;
  /** From 1, in that entry; 0: all of it. */
  readonly line: number;
}

/** A line of an import, made of something of the other system. */
export interface AdaptedLine extends Place {
  /** Bytes of what it was made of. */
  readonly bytes: number;
  readonly value: TenantExportLine;
}

/** Something that cannot be imported, as a sentence. */
export interface AdaptedFault extends Place {
  readonly fault: string;
}

export type AdaptedItem = AdaptedLine | AdaptedFault;

export interface AdapterOptions {
  /** Most bytes that an archive may unpack to. */
  readonly maxBytes: number;
  /** Ends the work between two pieces, by throwing its reason. */
  readonly signal?: AbortSignal;
}

/** Why a file of another system, or an entry of it, cannot be read any further. Never a fault of this server's. */
export class FileFault extends Error {
  constructor(
    message: string,
    readonly place: Place = { file: '', line: 0 },
  ) {
    super(message);
    this.name = 'FileFault';
  }
}

/** The item for what was thrown; throws it again where it was no FileFault. */
export function adaptedFault(error: unknown): AdaptedFault {
  if (!(error instanceof FileFault)) throw error;
  return { ...error.place, fault: error.message };
}

function digest(...parts: readonly string[]): Buffer {
  // The lengths keep ('a', 'bc') apart from ('ab', 'c').
  return hash('sha256', JSON.stringify(parts), 'buffer');
}

function uuidText(bytes: Buffer, version: number): string {
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | (version << 4);
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = bytes.toString('hex', 0, 16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** The id of a thing: the same for the same thing of the same source, whenever it is read. */
export function sourceId(kind: IdKind, source: ForeignSource, ...id: readonly string[]): string {
  return encodeId(kind, uuidText(digest(source, kind, ...id), 8));
}

/** The same for a message; its ids rise with time as those of all messages do, so that their index grows at its end. */
export function sourceMessageId(source: ForeignSource, timeMs: number, ...id: readonly string[]): string {
  const bytes = digest(source, 'message', ...id);
  bytes.writeUIntBE(Math.max(0, timeMs), 0, 6);
  return encodeId('message', uuidText(bytes, 7));
}

/** `client_message_id` of a message: the same import again finds what is there. 47 characters. */
export function importClientId(source: ForeignSource, ...id: readonly string[]): string {
  return `imp:${digest(source, ...id).toString('base64url')}`;
}

/** Text that PostgreSQL takes: without NUL, and without halves of characters. */
export function storableText(text: string): string {
  return text.replaceAll('\u0000', '').toWellFormed();
}

const FIRST_MS = Date.parse('0001-01-01T00:00:00.000Z');
const LAST_MS = Date.parse('9999-12-31T23:59:59.999Z');

/** Whether a line can say the time, in milliseconds since 1970. */
export function isTime(ms: number): boolean {
  return ms >= FIRST_MS && ms <= LAST_MS;
}

/** Milliseconds since 1970 as a line says them; the nearest that it can say. */
export function timeText(ms: number): Time {
  return new Date(Math.min(LAST_MS, Math.max(FIRST_MS, ms))).toISOString();
}

/** A JSON object of the other system, of which nothing is known. */
export type Unknown = Readonly<Record<string, unknown>>;

export function asObject(value: unknown): Unknown | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Unknown) : undefined;
}

export function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as readonly unknown[]) : [];
}

/** A text that is not empty, as PostgreSQL takes it. */
export function asText(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined;
  const text = storableText(value);
  return text === '' ? undefined : text;
}

/** An object of those fields that there is something in; undefined where there is nothing at all. */
export function filled(fields: Readonly<Record<string, Json | undefined>>): JsonObject | undefined {
  const known = Object.entries(fields).filter(
    ([, value]) =>
      value !== undefined && value !== null && value !== '' && !(Array.isArray(value) && value.length === 0),
  );
  return known.length === 0 ? undefined : (Object.fromEntries(known) as JsonObject);
}

/**
 * The same object in at most `maxBytes` of JSON: of the one object inside of it (`inside`) the largest fields go first, and
 * `cut` names them.
 */
export function bounded(object: JsonObject, inside: string, maxBytes: number): JsonObject {
  if (sizeOf(object) <= maxBytes) return object;
  const fields = { ...(asObject(object[inside]) as JsonObject | undefined) };
  const cut: string[] = [];
  for (;;) {
    const [largest] = Object.keys(fields).sort((a, b) => sizeOf(fields[b] ?? null) - sizeOf(fields[a] ?? null));
    const result = { ...object, [inside]: { ...fields, ...(cut.length > 0 ? { cut } : {}) } };
    if (sizeOf(result) <= maxBytes) return result;
    if (largest === undefined) return { [inside]: { cut } };
    Reflect.deleteProperty(fields, largest);
    cut.push(largest);
  }
}

function sizeOf(value: Json): number {
  return Buffer.byteLength(JSON.stringify(value));
}
