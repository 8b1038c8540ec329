import { Injectable } from '@nestjs/common';
import { Database } from '../../../platform/database';
import { Validator } from '../../../platform/validation';
import type { ImportFault, ImportSource } from './entities/import.entity';
import type { ImportFile } from './import-file';
import { importClashes } from './imports.functions';
import type { FileVerdict } from './imports.repository';
import { type DmOfFile, LineChecker } from './lines/line-checker';
import { isSourceFault, type SourceItem } from './lines/source-lines';
import { ImportSources } from './lines/sources';
import { ImportIds } from './load/import-ids';

/** So many are told. */
export const MOST_FAULTS = 1000;
const DMS = 500;

/** Looks at whole files. Nothing is written. */
@Injectable()
export class FileValidation {
  constructor(
    private readonly database: Database,
    private readonly validator: Validator,
    private readonly sources: ImportSources,
  ) {}

  /** @throws what `signal` aborts with, 503, and what reading the file throws */
  async verdict(tenantId: string, source: ImportSource, file: ImportFile, signal: AbortSignal): Promise<FileVerdict> {
    const sha256 = Buffer.from(await file.sha256(signal), 'hex');
    const faults = new Faults();
    const checker = new LineChecker(this.validator);
    const clashes = async (least: number): Promise<void> => {
      if (checker.dms.length < least) return;
      faults.add(await this.clashes(tenantId, source, checker.dms));
      checker.dms = [];
    };
    for await (const item of this.sources.lines(source, file, signal)) {
      faults.add(faultsOf(item, checker));
      await clashes(DMS);
    }
    faults.add(checker.end());
    await clashes(1);
    return { bytes: file.size, sha256, faults: faults.first, faultCount: faults.count };
  }

  /** Dms of the file that the tenant has already, made by its users. */
  private async clashes(tenantId: string, source: ImportSource, dms: readonly DmOfFile[]): Promise<ImportFault[]> {
    const ids = new ImportIds(tenantId, source, false);
    const args = { p_keys: dms.map(({ key }) => key), p_rooms: dms.flatMap(({ roomId }) => ids.ofRoom(roomId)) };
    const taken = new Set((await importClashes.call(this.database, tenantId, args)).map((row) => row.unique_key));
    return dms
      .filter(({ key }) => taken.has(key))
      .map(({ file, line }) => ({
        file,
        line,
        field: 'unique_key',
        message: 'the tenant has a dm of these two users already',
      }));
  }
}

function faultsOf(item: SourceItem, checker: LineChecker): ImportFault[] {
  const { file, line } = item;
  return isSourceFault(item) ? [{ file, line, field: '', message: item.fault }] : checker.take(item);
}

/** Counts all, keeps the first. */
class Faults {
  readonly first: ImportFault[] = [];
  count = 0;

  add(faults: readonly ImportFault[]): void {
    this.count += faults.length;
    this.first.push(...faults.slice(0, MOST_FAULTS - this.first.length));
  }
}
