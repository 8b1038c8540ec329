import { createHash } from 'node:crypto';
import { pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { JsonRefused, parseJson } from '../../../../platform/validation';

/** Where something was found. */
interface Place {
  /** Name of the entry of an archive; '' is the file itself. */
  readonly file: string;
  /** From 1; 0: all of it. */
  readonly line: number;
}

/** A line as a file has it: JSON that was parsed, not yet looked at. */
export interface SourceLine extends Place {
  /** So many bytes it has, about. */
  readonly bytes: number;
  readonly value: unknown;
}

/** What keeps a file, or a line of it, from being read. */
export interface SourceFault extends Place {
  readonly fault: string;
}

export type SourceItem = SourceLine | SourceFault;

export function isSourceFault(item: SourceItem): item is SourceFault {
  return 'fault' in item;
}

/** Of a line: an answer of a model may have 16 MB, and half of it may be escapes. */
export const MAX_LINE_BYTES = 32 * 1024 * 1024;
/** Deeper than a body may be: a line holds what bodies brought, one level down, and what they were merged to. */
const MAX_LINE_DEPTH = 40;
const LF = 0x0a;

/**
 * The lines of an export (format.ts) between its header and its end, both of which are checked: the counts, and the hash.
 * Memory: one line.
 * @param file gzip over NDJSON
 */
export async function* chatapiLines(file: AsyncIterable<Buffer>): AsyncGenerator<SourceItem, void, undefined> {
  const frame = new FileFrame();
  let line = 0;
  try {
    const unpacked = createGunzip();
    // It hands errors on to what is read below.
    pipeline(Readable.from(file, { objectMode: false }), unpacked, () => undefined);
    for await (const bytes of linesOf(unpacked)) {
      line++;
      const item = itemOf(line, bytes);
      if (isSourceFault(item)) frame.passOver(line, bytes);
      const said = isSourceFault(item) ? item : frame.take(item, bytes);
      if (said !== undefined) yield said;
    }
  } catch (error) {
    if (!isZlibError(error) && !(error instanceof LineTooLong)) throw error;
    const fault = error instanceof LineTooLong ? error.message : 'the file is no gzip, or was cut off';
    yield { file: '', line: line + 1, fault };
    return;
  }
  const missing = frame.missing();
  if (missing !== undefined) yield { file: '', line: 0, fault: missing };
}

class LineTooLong extends Error {
  constructor() {
    super(`a line is longer than ${MAX_LINE_BYTES} bytes`);
  }
}

/** Lines without their LF. */
async function* linesOf(pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  let rest: Buffer[] = [];
  let size = 0;
  for await (const piece of pieces) {
    let from = 0;
    for (let end = piece.indexOf(LF); end >= 0; end = piece.indexOf(LF, from)) {
      const part = piece.subarray(from, end);
      yield rest.length === 0 ? part : Buffer.concat([...rest, part]);
      [rest, size, from] = [[], 0, end + 1];
    }
    if (from === piece.length) continue;
    rest.push(from === 0 ? piece : piece.subarray(from));
    size += piece.length - from;
    if (size > MAX_LINE_BYTES) throw new LineTooLong();
  }
  if (size > 0) yield Buffer.concat(rest);
}

function itemOf(line: number, bytes: Buffer): SourceItem {
  try {
    return { file: '', line, bytes: bytes.length, value: parseJson(bytes.toString('utf8'), MAX_LINE_DEPTH) };
  } catch (error) {
    if (error instanceof JsonRefused) return { file: '', line, fault: 'the line is not valid JSON' };
    throw error;
  }
}

function kindOf(value: unknown): string {
  return typeof value === 'object' && value !== null && 'kind' in value ? String(value.kind) : '';
}

/** The header and the end of an export, and what the end says of the lines between. */
class FileFrame {
  private readonly hash = createHash('sha256');
  private readonly counts = new Map<string, number>();
  private hasHeader = false;
  private hasEnd = false;

  /** @returns the line, where it is one between header and end, or what is wrong */
  take(item: SourceLine, bytes: Buffer): SourceItem | undefined {
    const { line, value } = item;
    const kind = kindOf(value);
    if (line === 1) {
      this.hasHeader = kind === 'chatapi.export' && (value as { format?: unknown }).format === 1;
      return this.hasHeader
        ? undefined
        : { file: '', line, fault: 'the file does not begin as an export of format 1 does' };
    }
    if (this.hasEnd) return { file: '', line, fault: 'no line may follow the end' };
    if (kind === 'end') {
      this.hasEnd = true;
      return this.faultOfEnd(line, value as { counts?: unknown; sha256?: unknown });
    }
    this.note(bytes);
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
    return item;
  }

  /** Notes a line that is no JSON. */
  passOver(line: number, bytes: Buffer): void {
    if (line > 1) this.note(bytes);
  }

  missing(): string | undefined {
    if (!this.hasHeader) return 'the file has no header';
    return this.hasEnd ? undefined : 'the file was cut off: it has no end';
  }

  private note(bytes: Buffer): void {
    this.hash.update(bytes).update('\n');
  }

  private faultOfEnd(
    line: number,
    { counts, sha256 }: { counts?: unknown; sha256?: unknown },
  ): SourceFault | undefined {
    const told = typeof counts === 'object' && counts !== null ? Object.entries(counts) : [];
    const differs = told.some(([kind, n]) => (this.counts.get(kind) ?? 0) !== n);
    if (differs || [...this.counts.keys()].some((kind) => !told.some(([each]) => each === kind)))
      return { file: '', line, fault: 'the file has other numbers of lines than its end says' };
    if (sha256 !== this.hash.digest('hex'))
      return { file: '', line, fault: 'the lines have another hash than the end says' };
    return undefined;
  }
}

function isZlibError(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && /^Z_/.test(String(error.code));
}
