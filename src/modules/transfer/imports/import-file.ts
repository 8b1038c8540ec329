/** Parts on disk, read as the one file that they are. */
import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';

/** A part of a file. */
export interface PartOfFile {
  /** From 1. */
  readonly number: number;
  readonly path: string;
  readonly bytes: number;
}

/** What a file is read as that may be larger than memory: bytes from anywhere, and pieces from here to there. */
export interface RandomAccess {
  /** In bytes. */
  readonly size: number;
  /** The bytes from `start` to `end` (the end is not one of them), in pieces of at most 64 KB. */
  stream(start?: number, end?: number): AsyncIterable<Buffer>;
  /** Exactly `length` bytes. Throws RangeError where the file ends before. */
  read(position: number, length: number): Promise<Buffer>;
}

const PIECE_BYTES = 64 * 1024;
/** Small reads that stand side by side, such as the directory of a zip, cost one of these. */
const PAGE_BYTES = 16 * 1024;

/** A file in parts. It holds no descriptor between two calls, so there is nothing to close. */
export class ImportFile implements RandomAccess {
  readonly size: number;
  private readonly starts: readonly number[];
  private page: { readonly start: number; readonly bytes: Buffer } | undefined;

  /** @param parts all of them, in order */
  constructor(private readonly parts: readonly PartOfFile[]) {
    let size = 0;
    this.starts = parts.map(({ bytes }) => {
      size += bytes;
      return size - bytes;
    });
    this.size = size;
  }

  async *stream(start = 0, end = this.size): AsyncGenerator<Buffer, void, undefined> {
    if (start < 0 || end > this.size || start > end)
      throw new RangeError(`no bytes ${start} to ${end} of ${this.size}`);
    let position = start;
    for (let i = this.partAt(start); position < end; i++) {
      const part = this.parts[i];
      const first = this.starts[i];
      if (part === undefined || first === undefined) throw new RangeError('a part is missing');
      const handle = await open(part.path, 'r');
      try {
        const partEnd = Math.min(end, first + part.bytes);
        while (position < partEnd) {
          const piece = Buffer.allocUnsafe(Math.min(PIECE_BYTES, partEnd - position));
          const { bytesRead } = await handle.read(piece, 0, piece.length, position - first);
          if (bytesRead === 0) throw new RangeError(`part ${part.number} has become shorter`);
          position += bytesRead;
          yield piece.subarray(0, bytesRead);
        }
      } finally {
        await handle.close();
      }
    }
  }

  async read(position: number, length: number): Promise<Buffer> {
    const start = position - (position % PAGE_BYTES);
    const isInPage = position + length <= start + PAGE_BYTES;
    if (!isInPage) return this.bytes(position, position + length);
    if (this.page?.start !== start)
      this.page = { start, bytes: await this.bytes(start, Math.min(this.size, start + PAGE_BYTES)) };
    const found = this.page.bytes.subarray(position - start, position - start + length);
    if (found.length < length) throw new RangeError(`no bytes ${position} to ${position + length} of ${this.size}`);
    return found;
  }

  /** Hex SHA-256 of the whole file. @param signal gives up between two pieces */
  async sha256(signal?: AbortSignal): Promise<string> {
    const hash = createHash('sha256');
    for await (const piece of this.stream()) {
      signal?.throwIfAborted();
      hash.update(piece);
    }
    return hash.digest('hex');
  }

  private async bytes(start: number, end: number): Promise<Buffer> {
    const pieces: Buffer[] = [];
    for await (const piece of this.stream(start, end)) pieces.push(piece);
    return Buffer.concat(pieces);
  }

  /** Index of the part that has the byte at `position`. */
  private partAt(position: number): number {
    let low = 0;
    let high = this.parts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.starts[middle] ?? 0) <= position) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}
