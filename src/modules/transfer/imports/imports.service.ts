import { Injectable } from '@nestjs/common';
import { AppError, notFound } from '../../../common/errors';
import { decodeId, encodeId, newUuid } from '../../../common/ids';
import type { AuditAction } from '../../../platform/audit';
import type { Caller } from '../../../platform/auth';
import type { Transaction } from '../../../platform/database';
import { askedPage, type CursorQueryDto, pageOf } from '../../../platform/http';
import { Effects } from '../../../platform/idempotency';
import { Jobs } from '../../../platform/jobs';
import { lockTenant, TenantsService } from '../../tenants';
import type { CreateImportDto, ImportDto, ImportPartDto, ImportsDto } from './dto/import.dto';
import type { ImportState } from './entities/import.entity';
import { importIsFirst } from './imports.functions';
import { LOAD, VALIDATE } from './imports.kinds';
import { type ImportChange, type ImportRow, ImportsRepository } from './imports.repository';
import { ImportParts, type ImportRef } from './parts';

/** What becomes of an import by a call: a change, or none. */
type Decision = (row: ImportRow, tx: Transaction) => ImportChange | undefined | Promise<ImportChange | undefined>;

/** A file that was not started may be sent anew, in parts or as a whole. */
const OPEN: readonly ImportState[] = ['uploading', 'valid', 'invalid'];
const NOT_VALIDATED: ImportChange = { bytes: null, sha256: null, faults: [], fault_count: 0, error: null };

/** What the operator asks of imports. The work itself is jobs'. */
@Injectable()
export class ImportsService {
  constructor(
    private readonly tenants: TenantsService,
    private readonly effects: Effects,
    private readonly repository: ImportsRepository,
    private readonly parts: ImportParts,
    private readonly jobs: Jobs,
  ) {}

  async create(caller: Caller, tenant: string, { source }: CreateImportDto): Promise<ImportDto> {
    const tenantId = await this.tenants.managed(caller, tenant);
    const ref = { tenantId, importId: newUuid() };
    const made = await this.effects.transaction(
      caller,
      'create import',
      async (tx) => ({ status: 'ok', import: importView(await this.repository.create(tx, ref, source)) }),
      {
        tenantId,
        audit: {
          action: 'import.create',
          entry: ({ import: { import_id } }) => ({ target: import_id, details: { source } }),
        },
      },
    );
    return made.import;
  }

  async list(caller: Caller, tenant: string, query: CursorQueryDto): Promise<ImportsDto> {
    const tenantId = await this.tenants.managed(caller, tenant);
    const { limit, after } = askedPage(query, ['uuid']);
    const rows = await this.repository.page(tenantId, after?.[0], limit + 1);
    return pageOf(rows, limit, ({ import_id }) => [import_id], importView);
  }

  async get(caller: Caller, tenant: string, importId: string): Promise<ImportDto> {
    const ref = await this.refOf(caller, tenant, importId);
    return importView(found(await this.repository.find(ref)));
  }

  /** Stores a part; one that was there is replaced. What was validated is to be validated anew. @throws 404, 409, 413 */
  async upload(
    caller: Caller,
    tenant: string,
    importId: string,
    part: number,
    body: AsyncIterable<Buffer>,
  ): Promise<ImportPartDto> {
    const ref = await this.refOf(caller, tenant, importId);
    const mustBeOpen = ({ state }: ImportRow): void => refuseUnless(OPEN.includes(state), state, 'take in a file');
    mustBeOpen(found(await this.repository.find(ref)));
    const stored = await this.parts.store(ref, part, body);
    await this.change(caller, ref, 'import.upload', (row) => {
      mustBeOpen(row);
      return { ...NOT_VALIDATED, state: 'uploading', parts: Math.max(part, row.parts) };
    });
    return { part, ...stored };
  }

  /** @throws 404, 409 while it runs, and for a file that is not whole */
  async validate(caller: Caller, tenant: string, importId: string): Promise<ImportDto> {
    const ref = await this.refOf(caller, tenant, importId);
    found(await this.repository.find(ref));
    return this.change(caller, ref, 'import.validate', async ({ state, keeps_ids }, tx) => {
      if (state === 'validating') return undefined;
      const isOpen = OPEN.includes(state) || (state === 'failed' && keeps_ids === null);
      refuseUnless(isOpen, state, 'be validated');
      await this.parts.open(ref);
      await this.parts.touch(ref);
      await this.jobs.enqueue(tx, ref.tenantId, [VALIDATE.job(ref.importId, { import_id: ref.importId })]);
      return { ...NOT_VALIDATED, state: 'validating', finished_at: null };
    });
  }

  /** Begins, or goes on after it has failed. @throws 404, 409 for what was not found valid */
  async start(caller: Caller, tenant: string, importId: string): Promise<ImportDto> {
    const ref = await this.refOf(caller, tenant, importId);
    found(await this.repository.find(ref));
    return this.change(caller, ref, 'import.start', async ({ state, sha256, keeps_ids: before }, tx) => {
      if (state === 'running' || state === 'done') return undefined;
      refuseUnless(state === 'valid' || (state === 'failed' && sha256 !== null), state, 'start');
      await this.parts.touch(ref);
      await lockTenant(tx, ref.tenantId);
      const keeps_ids = before ?? (await importIsFirst.callIn(tx, ref.tenantId, {}));
      await this.jobs.enqueue(tx, ref.tenantId, [LOAD.job(ref.importId, { import_id: ref.importId })]);
      return { state: 'running', keeps_ids, error: null, finished_at: null };
    });
  }

  private async change(caller: Caller, ref: ImportRef, action: ImportAction, decide: Decision): Promise<ImportDto> {
    const { tenantId } = ref;
    const result = await this.effects.transaction(
      caller,
      action,
      async (tx) => {
        const row = found(await this.repository.lock(tx, ref));
        const change = await decide(row, tx);
        if (change === undefined) return { status: 'ok', isTold: false, import: importView(row) };
        const changed = importView(await this.repository.change(tx, ref, change));
        // Of an upload the first part is told, not each of thousands.
        return { status: 'ok', isTold: action !== 'import.upload' || row.parts === 0, import: changed };
      },
      {
        tenantId,
        audit: {
          action,
          entry: ({ isTold, import: { import_id } }) => (isTold ? { target: import_id } : undefined),
        },
      },
    );
    this.jobs.wake();
    return result.import;
  }

  private async refOf(caller: Caller, tenant: string, importId: string): Promise<ImportRef> {
    const tenantId = await this.tenants.managed(caller, tenant);
    const id = decodeId('import', importId);
    if (id === undefined) throw notFound('Import');
    return { tenantId, importId: id };
  }
}

type ImportAction = Extract<AuditAction, 'import.upload' | 'import.validate' | 'import.start'>;

function found(row: ImportRow | undefined): ImportRow {
  if (row === undefined) throw notFound('Import');
  return row;
}

function refuseUnless(isAllowed: boolean, state: ImportState, what: string): void {
  if (!isAllowed)
    throw new AppError('CONFLICT', `An import that is ${state} cannot ${what}`, { details: { reason: state } });
}

function importView(row: ImportRow): ImportDto {
  return {
    import_id: encodeId('import', row.import_id),
    source: row.source,
    state: row.state,
    parts: row.parts,
    bytes: row.bytes,
    sha256: row.sha256?.toString('hex') ?? null,
    fault_count: row.fault_count,
    faults: [...row.faults],
    counts: row.counts,
    keeps_ids: row.keeps_ids,
    error: row.error,
    created_at: row.created_at.toISOString(),
    finished_at: row.finished_at?.toISOString() ?? null,
  };
}
