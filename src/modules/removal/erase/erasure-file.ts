import { Injectable } from '@nestjs/common';
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeDirectory } from '../../../common/make-directory';
import { DatabaseConfig } from '../../../config';
import type { LostErasure, RunningErasure } from './erasures.repository';

const NAME = 'erasures';

/** A line as it stands in the file. */
interface Line {
  readonly tenant_id: string;
  readonly erasure_id: string;
  /** HMAC of the user's id, base64: nobody can tell from it who it was. */
  readonly user_mac: string;
  readonly mac_key_id: string;
  readonly erased_id: string;
  /** ISO 8601. */
  readonly at: string;
}

/**
 * The list of erases beside the database, in DATA_DIR: a database that is put back from an older backup has those again who
 * were erased since. A line is on the disk before its erase is done; the same one may be there twice.
 */
@Injectable()
export class ErasureFile {
  constructor(private readonly config: DatabaseConfig) {}

  private get path(): string {
    return join(this.config.dataDir, NAME);
  }

  /** Resolves when it is on the disk. */
  async keep({ tenant_id, erasure_id, user_mac, mac_key_id, erased_id }: RunningErasure): Promise<void> {
    const mac = user_mac?.toString('base64') ?? '';
    const line: Line = { tenant_id, erasure_id, user_mac: mac, mac_key_id, erased_id, at: new Date().toISOString() };
    makeDirectory(this.config.dataDir, 0o700);
    const file = await open(this.path, 'a', 0o600);
    try {
      // Begins a line of its own, also behind one that was cut by a crash.
      await file.appendFile(`\n${JSON.stringify(line)}`);
      await file.sync();
    } finally {
      await file.close();
    }
  }

  /** All that are in it; a line that was cut is left out: its erase was not done. */
  async read(): Promise<LostErasure[]> {
    let text: string;
    try {
      text = await readFile(this.path, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    }
    return text.split('\n').flatMap((line) => {
      const read = parsed(line);
      return read === undefined ? [] : [{ ...read, user_mac: Buffer.from(read.user_mac, 'base64') }];
    });
  }
}

function parsed(line: string): Line | undefined {
  try {
    return line === '' ? undefined : (JSON.parse(line) as Line);
  } catch {
    return undefined;
  }
}
