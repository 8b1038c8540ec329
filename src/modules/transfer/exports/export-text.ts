import { createHash, type Hash } from 'node:crypto';
import type { End } from '../format';

/** So much is written at once. */
const CHUNK_CHARS = 64 * 1024;

/** Lines of one kind. */
export interface LinesOfKind {
  readonly kind: string;
  readonly rows: readonly object[];
}

/** What an export says of itself, beside its lines. */
export interface ExportShape {
  readonly header: object;
  /** Keys by kind, in their order; kinds in the order of the counts. */
  readonly keys: Readonly<Record<string, readonly string[]>>;
}

/**
 * One line without its end: the fields in the order of the format. Throws for a row that lacks one, or has one that
 * the format does not name: what nobody has thought of does not leave the server.
 */
export function lineText(kind: string, keys: readonly string[], row: object): string {
  const fields = row as Readonly<Record<string, unknown>>;
  let text = `{"kind":"${kind}"`;
  for (const key of keys) {
    const value = fields[key];
    if (value === undefined) throw new Error(`A line of kind ${kind} has no ${key}`);
    text += `,"${key}":${JSON.stringify(value)}`;
  }
  const more = Object.keys(fields).find((key) => !keys.includes(key));
  if (more !== undefined) throw new Error(`A line of kind ${kind} has a field that its format has not: ${more}`);
  return `${text}}`;
}

/** The text of an export, made as it is asked for: what is held is one page of lines and what is to be written next. */
export class ExportText {
  private readonly counts: Record<string, number>;
  private readonly hash: Hash = createHash('sha256');

  constructor(private readonly shape: ExportShape) {
    this.counts = Object.fromEntries(Object.keys(shape.keys).map((kind) => [kind, 0]));
  }

  /** Lines so far, header and end left out. */
  get lines(): number {
    return Object.values(this.counts).reduce((sum, n) => sum + n, 0);
  }

  /** @param parts read once @throws what they throw */
  async *chunks(parts: AsyncIterable<LinesOfKind>): AsyncGenerator<Buffer> {
    yield Buffer.from(`${JSON.stringify(this.shape.header)}\n`);
    let waiting = '';
    for await (const { kind, rows } of parts) {
      for (const row of rows) {
        waiting += this.line(kind, row);
        if (waiting.length < CHUNK_CHARS) continue;
        yield this.chunk(waiting);
        waiting = '';
      }
    }
    yield this.chunk(waiting);
    const end: { kind: 'end' } & End = { kind: 'end', counts: this.counts, sha256: this.hash.digest('hex') };
    yield Buffer.from(`${JSON.stringify(end)}\n`);
  }

  private line(kind: string, row: object): string {
    const keys = this.shape.keys[kind];
    if (keys === undefined) throw new Error(`The format has no lines of kind ${kind}`);
    this.counts[kind] = (this.counts[kind] ?? 0) + 1;
    return `${lineText(kind, keys, row)}\n`;
  }

  private chunk(text: string): Buffer {
    const bytes = Buffer.from(text);
    this.hash.update(bytes);
    return bytes;
  }
}
