import { Injectable } from '@nestjs/common';
import { In, LessThan } from 'typeorm';
import { Database, type Transaction } from '../../../platform/database';
import { ImportEntity, type ImportFault, type ImportSource, type ImportState } from './entities/import.entity';
import type { ImportRef } from './parts';

export type ImportRow = Readonly<ImportEntity>;

/** What a look at a file has found. */
export interface FileVerdict {
  readonly bytes: number | null;
  readonly sha256: Buffer | null;
  /** The first of them. */
  readonly faults: readonly ImportFault[];
  readonly faultCount: number;
}

/** What may be changed of an import. */
export type ImportChange = Partial<
  Pick<ImportEntity, 'state' | 'parts' | 'bytes' | 'sha256' | 'faults' | 'fault_count' | 'keeps_ids' | 'error'>
> & { readonly finished_at?: null };

/** Rows of imports. */
@Injectable()
export class ImportsRepository {
  constructor(private readonly database: Database) {}

  async create(tx: Transaction, { tenantId, importId }: ImportRef, source: ImportSource): Promise<ImportRow> {
    const row = Object.assign(new ImportEntity(), { tenant_id: tenantId, import_id: importId, source });
    await tx.repository(ImportEntity).insert(row);
    return tx.repository(ImportEntity).findOneByOrFail(keyOf({ tenantId, importId }));
  }

  async find(ref: ImportRef): Promise<ImportRow | undefined> {
    return (await this.database.repository(ImportEntity, ref.tenantId).findOneBy(keyOf(ref))) ?? undefined;
  }

  /** Newest first. @param after id of the last one that is known */
  page(tenantId: string, after: string | undefined, limit: number): Promise<ImportRow[]> {
    return this.database.repository(ImportEntity, tenantId).find({
      where: { tenant_id: tenantId, ...(after === undefined ? {} : { import_id: LessThan(after) }) },
      order: { import_id: 'DESC' },
      take: limit,
    });
  }

  /** The row, which nobody else changes until the transaction's end. */
  async lock(tx: Transaction, ref: ImportRef): Promise<ImportRow | undefined> {
    const lock = { mode: 'for_no_key_update' } as const;
    return (await tx.repository(ImportEntity).findOne({ where: keyOf(ref), lock })) ?? undefined;
  }

  async change(tx: Transaction, ref: ImportRef, change: ImportChange): Promise<ImportRow> {
    await tx.repository(ImportEntity).update(keyOf(ref), change);
    return tx.repository(ImportEntity).findOneByOrFail(keyOf(ref));
  }

  /** Ends what a job did; nothing where the import is in another state by now. */
  async end(ref: ImportRef, from: ImportState, to: ImportState, change: ImportChange = {}): Promise<void> {
    const imports = this.database.repository(ImportEntity, ref.tenantId);
    const isOver = to === 'done' || to === 'failed';
    await imports.update(
      { ...keyOf(ref), state: from },
      { ...change, state: to, ...(isOver ? { finished_at: () => 'clock_timestamp()' } : {}) },
    );
  }

  /** Its file goes: it has failed, unless it had before. @returns false where it is in another state by now */
  async giveUp(ref: ImportRef, from: ImportState): Promise<boolean> {
    const imports = this.database.repository(ImportEntity, ref.tenantId);
    const { affected } = await imports.update(
      { ...keyOf(ref), state: from },
      {
        ...{ state: 'failed', sha256: null },
        error: () => `coalesce(error, 'its file was kept for a week')`,
        finished_at: () => 'coalesce(finished_at, clock_timestamp())',
      },
    );
    return affected === 1;
  }

  validated(ref: ImportRef, { bytes, sha256, faults, faultCount }: FileVerdict): Promise<void> {
    const state = faultCount === 0 ? 'valid' : 'invalid';
    return this.end(ref, 'validating', state, { bytes, sha256, faults, fault_count: faultCount });
  }

  /** Imports that nobody has gone on with, and that may have a file. */
  left(tenantId: string, before: Date): Promise<ImportRow[]> {
    const state = In(['uploading', 'valid', 'invalid', 'failed'] satisfies ImportState[]);
    const imports = this.database.repository(ImportEntity, tenantId);
    return imports.findBy({ tenant_id: tenantId, state, created_at: LessThan(before) });
  }
}

function keyOf({ tenantId, importId }: ImportRef): { readonly tenant_id: string; readonly import_id: string } {
  return { tenant_id: tenantId, import_id: importId };
}
