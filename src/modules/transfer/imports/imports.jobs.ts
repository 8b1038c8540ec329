import { Injectable } from '@nestjs/common';
import { AppError } from '../../../common/errors';
import { Clock } from '../../../common/time';
import { exponential, type Job, JobHandler, type JobRunner } from '../../../platform/jobs';
import { Every } from '../../../platform/lifecycle';
import { Metrics } from '../../../platform/metrics';
import { TenantsService } from '../../tenants';
import type { ImportFile } from './import-file';
import { type ImportPayload, LOAD, VALIDATE } from './imports.kinds';
import { type ImportRow, ImportsRepository } from './imports.repository';
import { isSourceFault, type SourceItem } from './lines/source-lines';
import { ImportSources } from './lines/sources';
import { ImportIds } from './load/import-ids';
import { ImportLoader, type LoadedLine } from './load/loader';
import { ImportOver, ImportRefused } from './load/writer';
import { ImportParts, type ImportRef } from './parts';
import { FileValidation } from './validation';

/** A file cannot be read on from its middle: what a job of it has begun it ends, or begins anew and passes over what is there. */
const RULES = {
  schedule: exponential(1000, 2, 60_000, 7),
  maxAttempts: 20,
  concurrency: 1,
  perTenant: 1,
  slots: 1,
} as const;

/** Looks at the files of imports. */
@Injectable()
@JobHandler({ kind: VALIDATE, ...RULES })
export class ImportValidator implements JobRunner<ImportPayload> {
  constructor(
    private readonly imports: ImportsRepository,
    private readonly parts: ImportParts,
    private readonly validation: FileValidation,
    private readonly metrics: Metrics,
  ) {}

  async run(job: Job<ImportPayload>, signal: AbortSignal): Promise<void> {
    const ref = refOf(job);
    const row = await this.imports.find(ref);
    if (row?.state !== 'validating') return;
    const file = await this.parts.open(ref);
    const verdict = await this.validation.verdict(ref.tenantId, row.source, file, signal);
    await this.imports.validated(ref, verdict);
    this.metrics
      .counter('chatapi_imports_total')
      .labels({ outcome: verdict.faultCount === 0 ? 'valid' : 'invalid' })
      .inc();
  }

  async onDead(job: Job<Partial<ImportPayload>>): Promise<void> {
    await ended(this.imports, job, 'validating', 'the file could not be looked at; the server has logged why');
  }
}

/** Writes what the files of imports hold. */
@Injectable()
@JobHandler({ kind: LOAD, ...RULES })
export class ImportRunner implements JobRunner<ImportPayload> {
  constructor(
    private readonly imports: ImportsRepository,
    private readonly parts: ImportParts,
    private readonly sources: ImportSources,
    private readonly loader: ImportLoader,
    private readonly metrics: Metrics,
  ) {}

  async run(job: Job<ImportPayload>, signal: AbortSignal): Promise<void> {
    const ref = refOf(job);
    const row = await this.imports.find(ref);
    try {
      if (row?.state === 'running') await this.load(row, ref, signal);
    } catch (error) {
      if (error instanceof ImportOver) return;
      if (!(error instanceof ImportRefused)) throw error;
      await this.imports.end(ref, 'running', 'failed', { error: error.message });
      this.metrics.counter('chatapi_imports_total').labels({ outcome: 'failed' }).inc();
      return;
    }
    // Also of one that was done before: the server may have died right then.
    if (row === undefined || row.state === 'running' || row.state === 'done') await this.parts.remove(ref);
  }

  async onDead(job: Job<Partial<ImportPayload>>): Promise<void> {
    await ended(this.imports, job, 'running', 'the import could not go on; the server has logged why');
  }

  private async load(row: ImportRow, ref: ImportRef, signal: AbortSignal): Promise<void> {
    const { source, keeps_ids, sha256 } = row;
    const file = await this.open(ref);
    if (sha256?.toString('hex') !== (await file.sha256(signal)))
      throw new ImportRefused('the file is not the one that was validated');
    const isKept = keeps_ids === true;
    const run = { ...ref, keepsIds: isKept };
    await this.loader.load(
      run,
      new ImportIds(ref.tenantId, source, isKept),
      goodLines(this.sources.lines(source, file, signal)),
      signal,
    );
    await this.imports.end(ref, 'running', 'done');
    this.metrics.counter('chatapi_imports_total').labels({ outcome: 'done' }).inc();
  }

  private async open(ref: ImportRef): Promise<ImportFile> {
    try {
      return await this.parts.open(ref);
    } catch (error) {
      throw error instanceof AppError && error.status < 500
        ? new ImportRefused('the file is not the one that was validated')
        : error;
    }
  }
}

const EVERY_MS = 6 * 3_600_000;
const KEPT_MS = 7 * 86_400_000;

/** Deletes the files of imports that nobody has gone on with for a week, or that are nobody's: they are full of what people wrote. */
@Injectable()
export class ImportSweep {
  constructor(
    private readonly tenants: TenantsService,
    private readonly imports: ImportsRepository,
    private readonly parts: ImportParts,
    private readonly clock: Clock,
  ) {}

  @Every(EVERY_MS, 'import files')
  async sweep(): Promise<void> {
    const before = new Date(this.clock.wallMs() - KEPT_MS);
    for (let ids = await this.tenants.idsAfter(); ids.length > 0; ids = await this.tenants.idsAfter(ids.at(-1)))
      for (const tenantId of ids)
        for (const row of await this.imports.left(tenantId, before)) await this.giveUp(row, before);
    for await (const ref of this.parts.found())
      if ((await this.isForgotten(ref, before)) && (await this.imports.find(ref)) === undefined)
        await this.parts.remove(ref);
  }

  private async giveUp({ tenant_id: tenantId, import_id: importId, state }: ImportRow, before: Date): Promise<void> {
    const ref = { tenantId, importId };
    const touchedAt = await this.parts.touchedAt(ref);
    if (touchedAt !== undefined && touchedAt >= before) return;
    // What has failed, and has no file any more, stays as it is told.
    if (touchedAt === undefined && state === 'failed') return;
    // One that was gone on with just now keeps its file.
    if (await this.imports.giveUp(ref, state)) await this.parts.remove(ref);
  }

  private async isForgotten(ref: ImportRef, before: Date): Promise<boolean> {
    const touchedAt = await this.parts.touchedAt(ref);
    return touchedAt !== undefined && touchedAt < before;
  }
}

/** Lines of a file that was found good. */
async function* goodLines(lines: AsyncIterable<SourceItem>): AsyncGenerator<LoadedLine, void, undefined> {
  for await (const item of lines) {
    if (isSourceFault(item)) throw new ImportRefused('the file is not the one that was validated');
    yield item as LoadedLine;
  }
}

function refOf({ tenantId, payload }: Job<ImportPayload>): ImportRef {
  return { tenantId, importId: payload.import_id };
}

async function ended(
  imports: ImportsRepository,
  { tenantId, payload: { import_id: importId } }: Job<Partial<ImportPayload>>,
  from: 'validating' | 'running',
  error: string,
): Promise<void> {
  if (importId !== undefined) await imports.end({ tenantId, importId }, from, 'failed', { error });
}
