import { Injectable } from '@nestjs/common';
import { IsUUID } from 'class-validator';
import { exponential, type Job, JobHandler, JobKind, type JobRunner, PostponeJob } from '../../../platform/jobs';
import { ErasuresRepository } from './erasures.repository';
import { Eraser } from './eraser';

/** Until a job that is in use is looked at again. */
const WAIT_MS = 1000;

/** Names the erase, never the user. */
export class ErasePayload {
  @IsUUID()
  erasure_id!: string;
}

/** Erases a user: erasure_request makes it. */
export const ERASE = new JobKind('user.erase', ErasePayload);

/** Keeps nothing of its own: killed anywhere, it goes on where the row of the erase says. */
@Injectable()
@JobHandler({
  kind: ERASE,
  schedule: exponential(1000, 2, 60_000, 7),
  maxAttempts: 10_000,
  concurrency: 1,
  perTenant: 2,
  slots: 4,
})
export class EraseRunner implements JobRunner<ErasePayload> {
  constructor(
    private readonly eraser: Eraser,
    private readonly erasures: ErasuresRepository,
  ) {}

  async run({ tenantId, payload }: Job<ErasePayload>, signal: AbortSignal): Promise<void> {
    const progress = await this.eraser.advance(tenantId, payload.erasure_id, signal);
    if (progress === 'waits') throw new PostponeJob('something of the user is in use', WAIT_MS);
    // Later than now: tenants whose jobs are due as well come first.
    if (progress === 'more') throw new PostponeJob('other tenants have their turn', 1);
  }

  async onDead({ tenantId, payload }: Job<Partial<ErasePayload>>, error: string): Promise<void> {
    if (payload.erasure_id !== undefined) await this.erasures.fail(tenantId, payload.erasure_id, error);
  }
}
