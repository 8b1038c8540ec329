/** The file of an import, as it lies on disk: in the parts that it was sent in. */
import { createHash, randomBytes } from 'node:crypto';
import type { Stats } from 'node:fs';
import { type FileHandle, open, readdir, rename, rm, stat, unlink, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { Injectable } from '@nestjs/common';
import { AppError, invalid, unavailable } from '../../../common/errors';
import { isUuid } from '../../../common/ids';
import { makeDirectory } from '../../../common/make-directory';
import { DatabaseConfig, TransferConfig } from '../../../config';
import { filesFolder } from '../../../platform/tenant-data';
import { ImportFile, type PartOfFile } from './import-file';

/** Whose parts they are; both are dashed UUIDs. */
export interface ImportRef {
  readonly tenantId: string;
  readonly importId: string;
}

/** A part that has come in whole. */
export interface StoredPart {
  readonly bytes: number;
  /** Hex. */
  readonly sha256: string;
}

/** Most parts of one file. */
export const MAX_PARTS = 99_999;

const GB = 1024 ** 3;
const PART = /^part-(\d{5})$/;
/** No upload takes so long: Node cuts a request after a minute. What is older was left by a crash. */
const LEFT_AFTER_MS = 600_000;

/**
 * Parts of uploads, `DATA_DIR/imports/<tenant>/<import>/part-00001` and so on, readable by the server alone.
 *
 * Invariants: (1) a part that exists under its name is whole and on the disk: it is written as `part-00001.<random>.new`,
 * synced, and renamed. (2) The same number sent again replaces it, at once or not at all. (3) Nothing outside of the
 * import's own directory is touched: its name is made of two UUIDs.
 *
 * Concurrency: parts may be sent at the same time, also twice the same; the last one to end counts. Whoever reads says
 * before that nothing is sent any more (the import's state).
 */
@Injectable()
export class ImportParts {
  private readonly root: string;
  private readonly maxBytes: number;

  constructor(database: DatabaseConfig, transfer: TransferConfig) {
    this.root = filesFolder(database.dataDir, 'imports');
    this.maxBytes = transfer.importMaxGb * GB;
  }

  /**
   * Stores one part, and resolves when it is on the disk.
   * @param part from 1
   * @param body throws what ends the upload, e.g. 413 of a part that is too large; then nothing has changed
   * @throws AppError 400 for a number that is none and for an empty part, 413 where the whole file becomes larger than
   * IMPORT_MAX_GB, 503 (`storage`) where the disk is full
   */
  async store(ref: ImportRef, part: number, body: AsyncIterable<Buffer>): Promise<StoredPart> {
    if (!Number.isInteger(part) || part < 1 || part > MAX_PARTS)
      throw invalid('part', `part must be a whole number from 1 to ${MAX_PARTS}`);
    const directory = this.directory(ref);
    const target = join(directory, nameOf(part));
    const written = `${target}.${randomBytes(6).toString('hex')}.new`;
    try {
      makeDirectory(directory, 0o700);
      const others = await this.clearAndMeasure(directory, nameOf(part));
      const stored = await write(written, bounded(body, this.maxBytes - others, this.maxBytes));
      await rename(written, target);
      for (const changed of [directory, this.tenantDirectory(ref.tenantId), this.root]) await syncDirectory(changed);
      return stored;
    } catch (error) {
      await unlink(written).catch(() => undefined);
      throw explain(error);
    }
  }

  /** The numbers and sizes of the parts that are there, in order. */
  async list(ref: ImportRef): Promise<readonly PartOfFile[]> {
    const directory = this.directory(ref);
    const names = await readdir(directory).catch(noneIfMissing);
    const parts: PartOfFile[] = [];
    for (const name of names.filter((each) => PART.test(each)).sort()) {
      const path = join(directory, name);
      parts.push({ number: Number(PART.exec(name)?.[1]), path, bytes: (await stat(path)).size });
    }
    return parts;
  }

  /**
   * All parts, as one file.
   * @throws AppError 409 where there is none, or one is missing between two others; 413 where all are too large
   */
  async open(ref: ImportRef): Promise<ImportFile> {
    const parts = await this.list(ref);
    if (parts.length === 0) throw new AppError('CONFLICT', 'No part of the file has been sent yet');
    const missing = parts.findIndex(({ number }, i) => number !== i + 1);
    if (missing >= 0) throw new AppError('CONFLICT', `Part ${missing + 1} of the file is missing`);
    const file = new ImportFile(parts);
    if (file.size > this.maxBytes) throw fileTooLarge(this.maxBytes);
    return file;
  }

  /** The import goes on: its file is not one that was forgotten. Nothing where there is no file. */
  async touch(ref: ImportRef): Promise<void> {
    const now = new Date();
    await utimes(this.directory(ref), now, now).catch(noneIfMissing);
  }

  /** When a part was last sent, or the file touched; undefined: there is none. */
  async touchedAt(ref: ImportRef): Promise<Date | undefined> {
    const [found] = await stat(this.directory(ref)).then((one) => [one], noneIfMissing<Stats>);
    return found?.mtime;
  }

  /** Imports that have a folder, one after the other; whether they have a row is not asked. */
  async *found(): AsyncGenerator<ImportRef, void, undefined> {
    for (const tenantId of await readdir(this.root).catch(noneIfMissing<string>)) {
      if (!isUuid(tenantId)) continue;
      for (const importId of await readdir(this.tenantDirectory(tenantId)).catch(noneIfMissing<string>))
        if (isUuid(importId)) yield { tenantId, importId };
    }
  }

  /** Deletes all parts of an import; none are there afterwards, whatever was there before. */
  async remove(ref: ImportRef): Promise<void> {
    await rm(this.directory(ref), { recursive: true, force: true });
  }

  /** Deletes the files of all imports of a tenant. */
  async removeAll(tenantId: string): Promise<void> {
    await rm(this.tenantDirectory(tenantId), { recursive: true, force: true });
  }

  /** Bytes of all parts but one; what a crash has left is deleted on the way. */
  private async clearAndMeasure(directory: string, except: string): Promise<number> {
    let bytes = 0;
    for (const name of await readdir(directory)) {
      if (name === except) continue;
      const path = join(directory, name);
      // One that has just been renamed or given up is counted under its other name, or not at all.
      const found = await stat(path).catch(() => undefined);
      if (found === undefined) continue;
      if (name.endsWith('.new') && Date.now() - found.mtimeMs > LEFT_AFTER_MS) await rm(path, { force: true });
      else bytes += found.size;
    }
    if (bytes >= this.maxBytes) throw fileTooLarge(this.maxBytes);
    return bytes;
  }

  private tenantDirectory(tenantId: string): string {
    if (!isUuid(tenantId)) throw new Error('a tenant of an import is named by a UUID');
    return join(this.root, tenantId);
  }

  private directory({ tenantId, importId }: ImportRef): string {
    if (!isUuid(importId)) throw new Error('an import is named by a UUID');
    return join(this.tenantDirectory(tenantId), importId);
  }
}

function nameOf(part: number): string {
  return `part-${String(part).padStart(5, '0')}`;
}

/** @param left bytes that the whole file may still grow by */
async function* bounded(body: AsyncIterable<Buffer>, left: number, maxBytes: number): AsyncGenerator<Buffer> {
  let bytes = 0;
  for await (const piece of body) {
    bytes += piece.length;
    if (bytes > left) throw fileTooLarge(maxBytes);
    yield piece;
  }
}

async function write(path: string, body: AsyncIterable<Buffer>): Promise<StoredPart> {
  const handle = await open(path, 'wx', 0o600);
  try {
    const hash = createHash('sha256');
    let bytes = 0;
    for await (const piece of body) {
      bytes += piece.length;
      hash.update(piece);
      await writeAll(handle, piece);
    }
    if (bytes === 0) throw invalid('body', 'The part is empty');
    await handle.sync();
    return { bytes, sha256: hash.digest('hex') };
  } finally {
    await handle.close();
  }
}

async function writeAll(handle: FileHandle, piece: Buffer): Promise<void> {
  let from = 0;
  while (from < piece.length) from += (await handle.write(piece, from)).bytesWritten;
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  await directory.sync().finally(() => directory.close());
}

function fileTooLarge(maxBytes: number): AppError {
  const most = `IMPORT_MAX_GB (${maxBytes / GB} GB)`;
  return new AppError('PAYLOAD_TOO_LARGE', `All parts together are larger than ${most}`);
}

function explain(error: unknown): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code !== 'ENOSPC' && code !== 'EDQUOT') return error;
  return unavailable('There is no room for the part on the disk', { reason: 'storage', cause: error });
}

function noneIfMissing<T = string>(error: unknown): T[] {
  if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
  throw error;
}
