import { Injectable } from '@nestjs/common';
import { Every } from '../../../platform/lifecycle';
import { ExportFiles } from './export-files';
import { ExportSweepRepository } from './sweep.repository';

const INTERVAL_MS = 10 * 60_000;

/** Removes files of exports whose time is up, and those that nobody waits for any more: of writers that died, of tenants that are gone. */
@Injectable()
export class ExportSweep {
  constructor(
    private readonly repository: ExportSweepRepository,
    private readonly files: ExportFiles,
  ) {}

  @Every(INTERVAL_MS, 'exports that have expired')
  async sweep(): Promise<void> {
    for (;;) {
      const expired = await this.repository.expired();
      if (expired.length === 0) break;
      // The row goes last: where this ends in between, the next sweep finds it again.
      for (const file of expired) await this.files.remove(file);
      await this.repository.markExpired(expired);
    }
    for await (const files of this.files.found())
      for (const file of await this.repository.unowned(files)) await this.files.remove(file);
    await this.repository.purge();
  }
}
