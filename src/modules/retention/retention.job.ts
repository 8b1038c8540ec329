import { Injectable } from '@nestjs/common';
import { Database } from '../../platform/database';
import { exponential, type Job, JobHandler, JobKind, type JobRunner, PostponeJob } from '../../platform/jobs';
import { retentionGoesOn } from './retention.functions';
import { Trimming } from './trimming';

/** Between the end of a pass and the next one. */
const INTERVAL_MS = 3_600_000;

/** Names nothing: it is about all rooms of its tenant. */
export class RetentionPayload {}

/** Looks at all rooms of a tenant, again and again: `retention_changed` makes it where there is something to look for. */
export const RETENTION = new JobKind('retention', RetentionPayload);

/**
 * A standing job: it is put off from pass to pass, and done when nothing of the tenant is kept for a time only, or another one
 * waits that will do its work. Its attempts count where a worker dies with it, and failures.
 */
@Injectable()
@JobHandler({
  kind: RETENTION,
  schedule: exponential(1000, 2, 60_000, 7),
  maxAttempts: 10_000,
  concurrency: 1,
  perTenant: 1,
  slots: 2,
})
export class RetentionRunner implements JobRunner<RetentionPayload> {
  constructor(
    private readonly trimming: Trimming,
    private readonly database: Database,
  ) {}

  async run({ tenantId }: Job<RetentionPayload>, signal: AbortSignal): Promise<void> {
    // Later than now: tenants whose jobs are due as well come first.
    if (!(await this.trimming.pass(tenantId, signal))) throw new PostponeJob('other tenants have their turn', 1);
    if (await retentionGoesOn.call(this.database, tenantId, {})) throw new PostponeJob('the pass is done', INTERVAL_MS);
  }
}
