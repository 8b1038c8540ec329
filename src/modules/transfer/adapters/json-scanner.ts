/** JSON that is larger than memory: finds the values in it that somebody wants, and passes over the rest. */
import { isUtf8 } from 'node:buffer';
import { JsonRefused, parseJson } from '../../../platform/validation';
import { FileFault, type Place } from './adapter';

/** Names of fields and indexes of items that lead to a value; the first is the number of the value in the file. */
export type Path = readonly (string | number)[];

/** What is done with a value: handed over parsed, looked into, or passed over unread. What is no container is handed over. */
export type Choice = 'take' | 'enter' | 'pass';

/** A value that was taken, or the end of one that was looked into. */
export interface JsonEvent {
  readonly kind: 'value' | 'end';
  readonly path: Path;
  /** Position of its first byte. */
  readonly start: number;
  /** Position behind its last byte. */
  readonly end: number;
  /** Line of its first byte, from 1. */
  readonly line: number;
  /** Parsed; undefined at an end. */
  readonly value: unknown;
}

export interface ScanOptions {
  /** Name of the entry that faults tell. */
  readonly file: string;
  readonly choose: (path: Path) => Choice;
  /** Largest value that is taken, in bytes. */
  readonly maxBytes: number;
  /** Position and line of the first byte, where the bytes are a part of a file. Default 0 and 1. */
  readonly start?: number;
  readonly line?: number;
}

/** Deeper than anything that is known of these formats. */
const MAX_DEPTH = 64;
const MAX_KEY_BYTES = 4096;

const [LF, SPACE, TAB, CR] = [0x0a, 0x20, 0x09, 0x0d];
const [QUOTE, BACKSLASH, COMMA, COLON] = [0x22, 0x5c, 0x2c, 0x3a];
const [OPEN_OBJECT, CLOSE_OBJECT, OPEN_ARRAY, CLOSE_ARRAY] = [0x7b, 0x7d, 0x5b, 0x5d];

interface Frame {
  readonly isArray: boolean;
  readonly start: number;
  readonly line: number;
}

/** What comes next, outside of a value that is being read. */
type Expected = 'value' | 'first value' | 'key' | 'first key' | 'colon' | 'next';

/**
 * Reads bytes as they come. Several values may stand after each other, with or without commas between them (JSON lines).
 * Memory: one value that is taken. Brackets that do not fit each other inside of what is passed over are not noticed.
 */
export class JsonScanner {
  private readonly frames: Frame[] = [];
  private readonly path: (string | number)[] = [0];
  private expected: Expected = 'value';
  /** The value or name that is being read. */
  private reading: { isKey: boolean; choice: Choice; start: number; line: number } | undefined;
  private pieces: Buffer[] = [];
  private held = 0;
  private depth = 0;
  private inString = false;
  private isEscaped = false;
  private isScalar = false;
  private position: number;
  private line: number;
  private events: JsonEvent[] = [];

  constructor(private readonly options: ScanOptions) {
    this.position = options.start ?? 0;
    this.line = options.line ?? 1;
  }

  /** Takes the next bytes, and gives what has ended in them. Throws FileFault where they are no JSON. */
  push(bytes: Buffer): readonly JsonEvent[] {
    this.events = [];
    let at = this.position === 0 && bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
    while (at < bytes.length) at = this.reading === undefined ? this.between(bytes, at) : this.within(bytes, at);
    this.position += bytes.length;
    return this.events;
  }

  /** What has ended with the file. Throws FileFault where it was cut off. */
  end(): readonly JsonEvent[] {
    this.events = [];
    if (this.reading !== undefined && this.isScalar && this.frames.length === 0) this.finish(this.position);
    if (this.reading !== undefined || this.frames.length > 0) throw this.fault('the JSON ends in the middle');
    return this.events;
  }

  /** One byte between values. @returns where to go on */
  private between(bytes: Buffer, at: number): number {
    const c = bytes[at] ?? 0;
    if (c === LF) this.line++;
    if (c === SPACE || c === LF || c === CR || c === TAB) return at + 1;
    const frame = this.frames.at(-1);
    const closes = frame !== undefined && c === (frame.isArray ? CLOSE_ARRAY : CLOSE_OBJECT);
    switch (this.expected) {
      case 'colon':
        if (c !== COLON) break;
        this.expected = 'value';
        return at + 1;
      case 'next':
        if (closes) return this.leave(frame, at);
        if (frame === undefined && c !== COMMA) return this.beginValue(c, at);
        if (c !== COMMA) break;
        this.expected = frame === undefined || frame.isArray ? 'value' : 'key';
        return at + 1;
      case 'first key':
      case 'key':
        if (closes && this.expected === 'first key') return this.leave(frame, at);
        if (c !== QUOTE) break;
        this.begin(true, 'take', at);
        this.inString = true;
        this.pieces.push(Buffer.from([QUOTE]));
        return at + 1;
      case 'first value':
        if (closes) return this.leave(frame, at);
        return this.beginValue(c, at);
      case 'value':
        return this.beginValue(c, at);
    }
    throw this.fault('it is no JSON');
  }

  private beginValue(c: number, at: number): number {
    if (c === COMMA || c === COLON || c === CLOSE_ARRAY || c === CLOSE_OBJECT) throw this.fault('it is no JSON');
    const isContainer = c === OPEN_ARRAY || c === OPEN_OBJECT;
    const choice = this.options.choose(this.path);
    if (choice === 'enter' && isContainer) {
      if (this.frames.length >= MAX_DEPTH) throw this.fault(`it nests deeper than ${MAX_DEPTH} levels`);
      this.frames.push({ isArray: c === OPEN_ARRAY, start: this.position + at, line: this.line });
      this.path.push(c === OPEN_ARRAY ? 0 : '');
      this.expected = c === OPEN_ARRAY ? 'first value' : 'first key';
      return at + 1;
    }
    this.begin(false, choice === 'enter' ? 'take' : choice, at);
    this.isScalar = !isContainer && c !== QUOTE;
    return at;
  }

  private begin(isKey: boolean, choice: Choice, at: number): void {
    this.reading = { isKey, choice, start: this.position + at, line: this.line };
    this.pieces = [];
    [this.held, this.depth] = [0, 0];
    [this.inString, this.isEscaped, this.isScalar] = [false, false, false];
  }

  /** Goes on with the value that is being read, to its end or to that of the bytes. @returns where to go on */
  private within(bytes: Buffer, from: number): number {
    const end = this.isScalar ? this.endOfScalar(bytes, from) : this.endOfValue(bytes, from);
    const to = end < 0 ? bytes.length : end;
    if (this.reading?.choice === 'take') this.hold(bytes.subarray(from, to));
    if (end >= 0) this.finish(this.position + end);
    return to;
  }

  private endOfScalar(bytes: Buffer, from: number): number {
    for (let at = from; at < bytes.length; at++) {
      const c = bytes[at] ?? 0;
      if (c === COMMA || c === CLOSE_ARRAY || c === CLOSE_OBJECT || c === SPACE || c === LF || c === CR || c === TAB)
        return at;
    }
    return -1;
  }

  /** Position behind a text, an array or an object, or -1. */
  private endOfValue(bytes: Buffer, from: number): number {
    for (let at = from; at < bytes.length; at++) {
      const c = bytes[at] ?? 0;
      if (c === LF) this.line++;
      if (this.inString) {
        if (this.isEscaped) this.isEscaped = false;
        else if (c === BACKSLASH) this.isEscaped = true;
        else if (c === QUOTE) {
          this.inString = false;
          if (this.depth === 0) return at + 1;
        }
      } else if (c === QUOTE) this.inString = true;
      else if (c === OPEN_ARRAY || c === OPEN_OBJECT) this.depth++;
      else if (c === CLOSE_ARRAY || c === CLOSE_OBJECT) {
        this.depth--;
        if (this.depth === 0) return at + 1;
      }
    }
    return -1;
  }

  private hold(piece: Buffer): void {
    this.held += piece.length;
    const most = this.reading?.isKey === true ? MAX_KEY_BYTES : this.options.maxBytes;
    if (this.held > most) throw this.fault(`a value is larger than ${most} bytes`);
    this.pieces.push(piece);
  }

  /** A value or a name has ended before `end`. */
  private finish(end: number): void {
    const { reading } = this;
    if (reading === undefined) return;
    this.reading = undefined;
    if (reading.choice === 'pass') return this.afterValue();
    const value = this.parsed(
      this.pieces.length === 1 ? (this.pieces[0] ?? Buffer.alloc(0)) : Buffer.concat(this.pieces),
      reading.line,
    );
    this.pieces = [];
    if (reading.isKey) {
      this.path[this.path.length - 1] = String(value);
      this.expected = 'colon';
      return;
    }
    const { start, line } = reading;
    this.events.push({ kind: 'value', path: [...this.path], start, end, line, value });
    this.afterValue();
  }

  private leave({ start, line }: Frame, at: number): number {
    this.frames.pop();
    this.path.pop();
    this.events.push({ kind: 'end', path: [...this.path], start, end: this.position + at + 1, line, value: undefined });
    this.afterValue();
    return at + 1;
  }

  private afterValue(): void {
    const last = this.path.length - 1;
    const here = this.path[last];
    if (typeof here === 'number') this.path[last] = here + 1;
    this.expected = 'next';
  }

  private parsed(bytes: Buffer, line: number): unknown {
    return parseForeign(bytes, { file: this.options.file, line });
  }

  private fault(message: string): FileFault {
    return new FileFault(message, { file: this.options.file, line: this.line });
  }
}

/** Parses one value. Throws FileFault for what is no JSON, and for keys that could reach a prototype. */
export function parseForeign(bytes: Buffer, place: Place): unknown {
  if (!isUtf8(bytes)) throw new FileFault('it is no valid UTF-8', place);
  try {
    return parseJson(bytes.toString('utf8'), MAX_DEPTH);
  } catch (error) {
    if (!(error instanceof JsonRefused)) throw error;
    // It is JSON; a number in it that comes out a little different is nothing that is kept.
    if (error.value !== undefined) return error.value;
    throw new FileFault(`it ${error.message}`, place);
  }
}

/** What `choose` wants of a file, one after the other. */
export async function* jsonEvents(
  bytes: AsyncIterable<Buffer>,
  options: ScanOptions,
): AsyncGenerator<JsonEvent, void, undefined> {
  const scanner = new JsonScanner(options);
  for await (const piece of bytes) for (const event of scanner.push(piece)) yield event;
  for (const event of scanner.end()) yield event;
}

/** The items of a file that is one array. Throws FileFault where it is none. */
export async function* arrayItems(
  bytes: AsyncIterable<Buffer>,
  file: string,
  maxBytes: number,
): AsyncGenerator<JsonEvent, void, undefined> {
  const choose = (path: Path): Choice => (path.length === 1 ? 'enter' : 'take');
  let ends = 0;
  for await (const event of jsonEvents(bytes, { file, choose, maxBytes })) {
    if (ends > 0) throw new FileFault('something follows the array', { file, line: event.line });
    const isItem = event.path.length === 2 && typeof event.path[1] === 'number';
    if (event.kind === 'end') ends++;
    else if (isItem) yield event;
    else throw new FileFault('it is no JSON array', { file, line: event.line });
  }
  if (ends === 0) throw new FileFault('it is no JSON array', { file, line: 1 });
}
