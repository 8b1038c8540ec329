import { Injectable } from '@nestjs/common';
import { IsUUID } from 'class-validator';
import { exponential, type Job, JobHandler, JobKind, type JobRunner, PostponeJob } from '../../../platform/jobs';
import { DeletionsRepository } from './deletions.repository';
import { TenantDeleter } from './tenant-deleter';

class DeletionPayload {
  @IsUUID()
  deletion_id!: string;
}

/** Deletes a tenant; tenant_deletion_begin makes it. Its name stands in `lastRows` of the jobs' table, too. */
export const DELETE_TENANT = new JobKind('tenant.delete', DeletionPayload);

/** Goes on until the tenant is gone, and this job with it: its last transaction deletes the job's row. */
@Injectable()
@JobHandler({
  kind: DELETE_TENANT,
  schedule: exponential(1000, 2, 60_000, 7),
  maxAttempts: 10_000,
  concurrency: 1,
  perTenant: 1,
  slots: 2,
})
export class DeletionRunner implements JobRunner<DeletionPayload> {
  constructor(
    private readonly deletions: DeletionsRepository,
    private readonly deleter: TenantDeleter,
  ) {}

  async run({ tenantId, payload }: Job<DeletionPayload>, signal: AbortSignal): Promise<void> {
    const deletion = { tenantId, deletionId: payload.deletion_id };
    const { state, wait_ms } = await this.deletions.proceed(deletion);
    if (state === 'over') return;
    if (state === 'waiting') throw new PostponeJob('calls that were let in before may still be served', wait_ms ?? 0);
    if (!(await this.deleter.turn(deletion, signal))) throw new PostponeJob('other tenants have their turn', 1);
  }

  async onDead({ tenantId, payload }: Job<Partial<DeletionPayload>>, error: string): Promise<void> {
    if (payload.deletion_id !== undefined)
      await this.deletions.fail({ tenantId, deletionId: payload.deletion_id }, error);
  }
}
