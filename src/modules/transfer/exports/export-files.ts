import { Inject, Injectable } from '@nestjs/common';
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { type FileHandle, open, readdir, rename, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Transform, type TransformCallback } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { makeDirectory } from '../../../common/make-directory';
import { DatabaseConfig } from '../../../config';
import { codeOf } from '../../../platform/database';
import { filesFolder } from '../../../platform/tenant-data';

const PARTIAL = '.partial';
const FINISHED = '.ndjson.gz';
/** `<export>.<attempt>` with one of both endings. */
const NAME = /^([0-9a-f-]{36})\.(\d{1,9})\.(?:partial|ndjson\.gz)$/;
const DISK_FAULTS: ReadonlySet<string> = new Set([
  ...[
    'ENOSPC',
    'EDQUOT',
    'EROFS',
    'EACCES',
    'EPERM',
    'EIO',
    'ENOENT',
    'EEXIST',
    'ENOTDIR',
    'EMFILE',
    'ENFILE',
    'EFBIG',
  ],
]);
const TENANT = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Whose file it is. Ids are UUIDs. */
export interface ExportFile {
  readonly tenantId: string;
  readonly exportId: string;
  readonly attempt: number;
}

/** A file that is written to its end. */
export interface WrittenFile {
  /** Of the file, compressed. */
  readonly bytes: number;
  readonly sha256: Buffer;
}

/**
 * The files of exports, in DATA_DIR/exports/<tenant>, mode 0600. A file has its name only when all of it is on the disk; each
 * attempt has a file of its own, so two that write one export at once do not meet.
 */
@Injectable()
export class ExportFiles {
  private readonly root: string;

  constructor(@Inject(DatabaseConfig) config: Pick<DatabaseConfig, 'dataDir'>) {
    this.root = filesFolder(config.dataDir, 'exports');
  }

  /**
   * Writes compressed what `chunks` gives, no faster than the disk takes it, in place of what earlier attempts have left.
   * What was written is gone where it throws.
   * @throws what `chunks` throws, an AbortError, and in words what the disk says
   */
  async write(file: ExportFile, chunks: AsyncIterable<Buffer>, signal: AbortSignal): Promise<WrittenFile> {
    const partial = this.pathOf(file, PARTIAL);
    const meter = new Meter();
    try {
      makeDirectory(this.directoryOf(file.tenantId), 0o700);
      await this.removeBefore(file);
      // Flushed before it is closed: a file that has its name is whole, whatever dies afterwards.
      const out = createWriteStream(partial, { flags: 'wx', mode: 0o600, flush: true });
      await pipeline(chunks, createGzip(), meter, out, { signal });
      await rename(partial, this.pathOf(file, FINISHED));
      await this.syncDirectory(file.tenantId);
      return meter.total();
    } catch (error) {
      // What the disk does not let go the sweep finds.
      await rm(partial, { force: true }).catch(() => undefined);
      throw isOfDisk(error) ? new Error(`The file could not be written (${codeOf(error) ?? ''})`) : error;
    }
  }

  /** A finished file, open to be read; undefined: there is none. The caller closes it. */
  async open(file: ExportFile): Promise<FileHandle | undefined> {
    try {
      return await open(this.pathOf(file, FINISHED), 'r');
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined;
      throw error;
    }
  }

  /** Does nothing where there is none; who reads it goes on reading. */
  async remove(file: ExportFile): Promise<void> {
    await rm(this.pathOf(file, FINISHED), { force: true });
    await rm(this.pathOf(file, PARTIAL), { force: true });
  }

  /** Every file that lies there, finished or not, by tenant. Directories without one are removed. */
  async *found(): AsyncGenerator<readonly ExportFile[]> {
    for (const tenantId of await namesIn(this.root)) {
      if (!TENANT.test(tenantId)) continue;
      const files = await this.of(tenantId);
      if (files.length > 0) yield files;
      // One that got a file just now stays.
      else await rmdir(this.directoryOf(tenantId)).catch(() => undefined);
    }
  }

  private async removeBefore({ tenantId, exportId, attempt }: ExportFile): Promise<void> {
    for (const file of await this.of(tenantId))
      if (file.exportId === exportId && file.attempt < attempt) await this.remove(file);
  }

  /** Every file of a tenant, finished or not. */
  async of(tenantId: string): Promise<ExportFile[]> {
    return (await namesIn(this.directoryOf(tenantId))).flatMap((name) => {
      const [, exportId, attempt] = NAME.exec(name) ?? [];
      if (exportId === undefined) return [];
      return [{ tenantId, exportId, attempt: Number(attempt) }];
    });
  }

  private async syncDirectory(tenantId: string): Promise<void> {
    // Windows cannot open one; its file system journals the rename itself.
    if (process.platform === 'win32') return;
    const handle = await open(this.directoryOf(tenantId), 'r');
    await handle.sync().finally(() => handle.close());
  }

  private pathOf({ tenantId, exportId, attempt }: ExportFile, ending: string): string {
    return join(this.directoryOf(tenantId), `${exportId}.${attempt}${ending}`);
  }

  private directoryOf(tenantId: string): string {
    return join(this.root, tenantId);
  }
}

/** Counts and hashes what passes. */
class Meter extends Transform {
  private bytes = 0;
  private readonly hash = createHash('sha256');

  /** What has passed; once, at the end. */
  total(): WrittenFile {
    return { bytes: this.bytes, sha256: this.hash.digest() };
  }

  override _transform(chunk: Buffer, _encoding: string, done: TransformCallback): void {
    this.bytes += chunk.length;
    this.hash.update(chunk);
    done(null, chunk);
  }
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  }
}

/** The system's own messages name paths, which are no business of who asked. */
function isOfDisk(error: unknown): boolean {
  return DISK_FAULTS.has(codeOf(error) ?? '');
}
