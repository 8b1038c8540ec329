import { Injectable } from '@nestjs/common';
import { Clock } from '../../common/time';
import { eraseFunction, EraseStep, type EraseWork } from '../../platform/tenant-data';
import { ExportFiles } from './exports/export-files';
import { ExportSweepRepository } from './exports/sweep.repository';
import { ImportsRepository } from './imports/imports.repository';
import { ImportParts } from './imports/parts';

/** Takes a user out of exports and imports: the rows by a statement, and the files that nothing needs any more. */
@Injectable()
@EraseStep('transfer')
export class TransferErase implements EraseWork {
  readonly batch = eraseFunction('transfer_erase');

  constructor(
    private readonly exports: ExportFiles,
    private readonly sweep: ExportSweepRepository,
    private readonly imports: ImportsRepository,
    private readonly parts: ImportParts,
    private readonly clock: Clock,
  ) {}

  async before(tenantId: string): Promise<void> {
    const unowned = await this.sweep.unowned(await this.exports.of(tenantId));
    for (const file of unowned) await this.exports.remove(file);
    const left = await this.imports.left(tenantId, new Date(this.clock.wallMs()));
    for (const { state, import_id: importId } of left)
      if (state === 'failed') await this.parts.remove({ tenantId, importId });
  }
}
