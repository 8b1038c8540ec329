import { Inject, Injectable } from '@nestjs/common';
import { IsUUID } from 'class-validator';
import { encodeId } from '../../../common/ids';
import { ExportsConfig } from '../../../config';
import { TenantSnapshots } from '../../../platform/database';
import { DeadJob, exponential, type Job, JobHandler, JobKind, type JobRunner } from '../../../platform/jobs';
import { Metrics } from '../../../platform/metrics';
import { FORMAT_VERSION, LINE_KEYS, type TenantHeader, type UserHeader } from '../format';
import { USER_LINE_KEYS } from '../user-format';
import { type ExportFile, ExportFiles, type WrittenFile } from './export-files';
import { type ExportShape, ExportText } from './export-text';
import { type ExportRow, ExportsRepository } from './exports.repository';
import { ExportSources } from './sources';

/** So long one attempt may take at most: as long VACUUM waits for it. */
const MOST_MS = 6 * 3_600_000;

export class ExportPayload {
  @IsUUID()
  export_id!: string;
}

export const EXPORT = new JobKind('export.write', ExportPayload);

/** Writes the file of an export. One that was cut short begins anew: it is one moment, and moments do not come back. */
@Injectable()
@JobHandler({
  kind: EXPORT,
  schedule: exponential(1000, 4, 60_000, 4),
  maxAttempts: 5,
  concurrency: 1,
  perTenant: 1,
  slots: 2,
})
export class ExportRunner implements JobRunner<ExportPayload> {
  constructor(
    private readonly repository: ExportsRepository,
    private readonly snapshots: TenantSnapshots,
    @Inject(ExportSources) private readonly sources: Pick<ExportSources, 'tenantLines' | 'userLines'>,
    private readonly files: ExportFiles,
    @Inject(ExportsConfig) private readonly config: Pick<ExportsConfig, 'hours'>,
    private readonly metrics: Metrics,
  ) {}

  async run({ tenantId, payload }: Job<ExportPayload>, signal: AbortSignal): Promise<void> {
    const row = await this.repository.begin(tenantId, payload.export_id);
    // It is ready: what died was the worker, after the file stood.
    if (row === undefined) return;
    const file = { tenantId, exportId: row.export_id, attempt: row.attempt };
    const late = AbortSignal.timeout(MOST_MS);
    try {
      const written = await this.write(file, row, AbortSignal.any([signal, late]));
      if (await this.repository.finish(file, written, this.config.hours)) this.count('ready');
      else await this.files.remove(file);
    } catch (error) {
      await this.files.remove(file).catch(() => undefined);
      if (late.aborted && !signal.aborted) throw new DeadJob('It took longer than 6 hours');
      throw error;
    }
  }

  async onDead({ tenantId, payload }: Job<Partial<ExportPayload>>, error: string): Promise<void> {
    if (payload.export_id === undefined) return;
    await this.repository.fail(tenantId, payload.export_id, error);
    this.count('failed');
  }

  private write(
    file: ExportFile,
    { user_id: userId }: ExportRow,
    signal: AbortSignal,
  ): Promise<WrittenFile & { readonly lines: number }> {
    return this.snapshots.take(file.tenantId, signal, async (snapshot) => {
      const text = new ExportText(shapeOf(file, userId, snapshot.at));
      const lines =
        userId === null ? this.sources.tenantLines(snapshot, signal) : this.sources.userLines(snapshot, userId, signal);
      const written = await this.files.write(file, text.chunks(lines), signal);
      return { ...written, lines: text.lines };
    });
  }

  private count(outcome: string): void {
    this.metrics.counter('chatapi_exports_total').labels({ outcome }).inc();
  }
}

function shapeOf({ tenantId, exportId }: ExportFile, userId: string | null, at: Date): ExportShape {
  const own = {
    format: FORMAT_VERSION,
    export_id: encodeId('export', exportId),
    tenant_id: encodeId('tenant', tenantId),
    made_at: at.toISOString(),
  } as const;
  if (userId === null) return { header: { kind: 'chatapi.export', ...own } satisfies TenantHeader, keys: LINE_KEYS };
  const header: UserHeader = { kind: 'chatapi.user_export', ...own, user_id: userId };
  return { header, keys: USER_LINE_KEYS };
}
