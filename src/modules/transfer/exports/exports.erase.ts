import { Injectable } from '@nestjs/common';
import { eraseFunction, EraseStep, type EraseWork } from '../../../platform/tenant-data';
import { ExportFiles } from './export-files';
import { ExportSweepRepository } from './sweep.repository';

/** Takes a user out of the exports: the rows by a statement, and the files that no row has any more. */
@Injectable()
@EraseStep('transfer')
export class ExportsErase implements EraseWork {
  readonly batch = eraseFunction('exports_erase');

  constructor(
    private readonly files: ExportFiles,
    private readonly sweep: ExportSweepRepository,
  ) {}

  async before(tenantId: string): Promise<void> {
    const unowned = await this.sweep.unowned(await this.files.of(tenantId));
    for (const file of unowned) await this.files.remove(file);
  }
}
