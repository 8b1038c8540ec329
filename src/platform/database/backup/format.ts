import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { promisify } from 'node:util';
import { deflateRaw, inflateRaw } from 'node:zlib';

/** Of this release; raised when a reader of before could not read a file rightly. */
export const FORMAT = 1;
const MAGIC = Buffer.from('ChatAPI backup\n', 'latin1');

/** What a block holds. A kind that a reader does not know is never skipped. 0x4f (O) is reserved for pieces of objects. */
export const BlockKind = {
  header: 0x48,
  secrets: 0x53,
  schema: 0x44,
  table: 0x54,
  rows: 0x52,
  tableEnd: 0x74,
  sequences: 0x51,
  end: 0x5a,
} as const;
export type BlockKind = (typeof BlockKind)[keyof typeof BlockKind];

const KINDS: ReadonlySet<number> = new Set(Object.values(BlockKind));
const AS_IS = 0;
const DEFLATED = 1;
const HEAD_BYTES = 10;
const DIGEST_BYTES = 32;
/** Of a block's content. Rows are cut at a quarter of it; the schema of one database is far smaller. */
const MOST_BYTES = 4 * 2 ** 20;
/** How much of a table's rows goes into one block. */
export const ROWS_BYTES = 2 ** 20;

const deflate = promisify<Buffer, { level: number }, Buffer>(deflateRaw);
const inflate = promisify<Buffer, { maxOutputLength: number }, Buffer>(inflateRaw);

/** The file, or the database, is not what this can be done with; the message is one line for a person. */
export class BackupRefusal extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'BackupRefusal';
  }
}

export interface Block {
  readonly kind: BlockKind;
  readonly body: Buffer;
}

/**
 * Writes blocks: kind, codec, length as stored, length of the content (big-endian), the bytes, and a SHA-256 over the
 * digest before it and all of these. So the last digest covers the file.
 */
export class BlockWriter {
  digest: Buffer;
  bytes: number;

  private constructor(
    private readonly handle: FileHandle,
    prefix: Buffer,
  ) {
    this.digest = sha256(prefix);
    this.bytes = prefix.length;
  }

  static async begin(handle: FileHandle): Promise<BlockWriter> {
    const prefix = Buffer.concat([MAGIC, Buffer.from([FORMAT])]);
    await handle.writeFile(prefix);
    return new BlockWriter(handle, prefix);
  }

  async json(kind: BlockKind, content: object): Promise<void> {
    await this.block(kind, Buffer.from(JSON.stringify(content)));
  }

  async block(kind: BlockKind, content: Buffer): Promise<void> {
    if (content.length > MOST_BYTES) throw new Error(`a block of ${content.length} bytes`);
    const small = content.length < 64 ? content : await deflate(content, { level: 1 });
    const isSmaller = small.length < content.length;
    const body = isSmaller ? small : content;
    const head = Buffer.alloc(HEAD_BYTES);
    head.writeUInt8(kind, 0);
    head.writeUInt8(isSmaller ? DEFLATED : AS_IS, 1);
    head.writeUInt32BE(body.length, 2);
    head.writeUInt32BE(content.length, 6);
    this.digest = sha256(this.digest, head, body);
    // A file handle goes on behind what it wrote last.
    await this.handle.writeFile(Buffer.concat([head, body, this.digest]));
    this.bytes += head.length + body.length + DIGEST_BYTES;
  }
}

/** Reads blocks, and gives none whose checksum does not fit. */
export class BlockReader {
  digest: Buffer;
  private isOver = false;

  private constructor(
    private readonly handle: FileHandle,
    private readonly name: string,
    prefix: Buffer,
  ) {
    this.digest = sha256(prefix);
  }

  /** @param name of the file, for refusals */
  static async begin(handle: FileHandle, name: string): Promise<BlockReader> {
    const prefix = Buffer.alloc(MAGIC.length + 1);
    const got = await fill(handle, prefix);
    if (got < MAGIC.length || !prefix.subarray(0, MAGIC.length).equals(MAGIC))
      throw new BackupRefusal(`${name} is no backup of ChatAPI`);
    if (got < prefix.length) throw new BackupRefusal(`${name} is cut short: it ends in its first bytes`);
    const format = prefix[MAGIC.length] ?? 0;
    if (format > FORMAT)
      throw new BackupRefusal(
        `${name} was made by a newer release (its format is ${format}, this release reads up to ${FORMAT}): restore it with that one`,
      );
    if (format === 0) throw new BackupRefusal(`${name} is damaged: it names format 0`);
    return new BlockReader(handle, name, prefix);
  }

  /** The next block; undefined behind the last one, with which the file ends. */
  async next(): Promise<Block | undefined> {
    if (this.isOver) return undefined;
    const head = await this.take(HEAD_BYTES);
    const [kind, codec] = [head.readUInt8(0), head.readUInt8(1)];
    const [stored, length] = [head.readUInt32BE(2), head.readUInt32BE(6)];
    // Before the checksum can be asked, a damaged length must not be believed.
    if (stored > MOST_BYTES || length > MOST_BYTES || codec > DEFLATED) throw this.damaged();
    const rest = await this.take(stored + DIGEST_BYTES);
    const body = rest.subarray(0, stored);
    const digest = sha256(this.digest, head, body);
    if (!digest.equals(rest.subarray(stored))) throw this.damaged();
    this.digest = digest;
    if (!isKind(kind))
      throw new BackupRefusal(
        `${this.name} holds what this release does not know: restore it with the one that made it`,
      );
    const content = codec === DEFLATED ? await inflate(body, { maxOutputLength: MOST_BYTES }) : body;
    if (content.length !== length) throw this.damaged();
    if (kind === BlockKind.end) await this.close();
    return { kind, body: content };
  }

  /** The next block, which is of this kind. */
  async expect(kind: BlockKind): Promise<Buffer> {
    const block = await this.next();
    if (block?.kind !== kind) throw this.damaged();
    return block.body;
  }

  /** What a writer of ours would not have written. */
  damaged(): BackupRefusal {
    return new BackupRefusal(`${this.name} is damaged: a checksum or a length in it is wrong. Use another copy of it`);
  }

  private async close(): Promise<void> {
    this.isOver = true;
    if ((await fill(this.handle, Buffer.alloc(1))) > 0) throw this.damaged();
  }

  private async take(bytes: number): Promise<Buffer> {
    const buffer = Buffer.alloc(bytes);
    if ((await fill(this.handle, buffer)) < bytes)
      throw new BackupRefusal(`${this.name} is cut short: its end is missing. Use another copy of it`);
    return buffer;
  }
}

/** Content of a JSON block; only for blocks whose checksum was right, so it is what a writer wrote. */
export function parse(body: Buffer): unknown {
  return JSON.parse(body.toString('utf8'));
}

function isKind(kind: number): kind is BlockKind {
  return KINDS.has(kind);
}

async function fill(handle: FileHandle, buffer: Buffer): Promise<number> {
  let at = 0;
  while (at < buffer.length) {
    const { bytesRead } = await handle.read(buffer, at, buffer.length - at, null);
    if (bytesRead === 0) break;
    at += bytesRead;
  }
  return at;
}

function sha256(...parts: readonly Buffer[]): Buffer {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
}
