/**
 * Jobs: work that is written with the change that causes it and done afterwards (docs/adr/0017).
 *
 * Owns the table jobs, which the append function writes too. Invariants: a committed job is run at least once, whatever
 * dies; every attempt is counted when it is claimed, so a job that kills its workers ends dead; a job runs under one
 * fence at a time, and only that fence may end it; leases go by the database's clock. A job that is done is gone, a dead
 * one stays until it is revived or dropped, at most 30 days.
 *
 * Concurrency: claims are made one at a time over all nodes and take milliseconds; work happens outside of them. A node asks
 * another one to look only where it has no slot itself (`JobWakes`). The
 * limits per tenant and per key hold over all nodes. Handlers must bear to run twice, and to run on past their lease.
 */
import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { JobEntity } from './entities/job.entity';
import { JobHandlers } from './handlers';
import { JobListsRepository } from './job-lists.repository';
import { Jobs, JobsErase } from './jobs';
import { Endings, JobsRepository } from './jobs.repository';
import { JobWakes } from './jobs';
import { JobMetrics, JobWorker } from './worker';
import { WorkerStart } from './worker-start';

export { exponential } from './outcome';
export { JobHandler } from './handlers';
export {
  DeadJob,
  type DeadJobRow,
  idsOf,
  type Job,
  JobKind,
  type JobRunner,
  type NewJob,
  PostponeJob,
  RetryJob,
  type TenantJobLimit,
} from './job';
export { type JobFilter, JobListsRepository, type JobRow, type JobState, TIME_OF } from './job-lists.repository';
export { Jobs } from './jobs';
export { LEASE_LOST } from './worker';

@Module({
  imports: [TypeOrmModule.forFeature([JobEntity])],
  providers: [
    JobsRepository,
    JobHandlers,
    JobListsRepository,
    JobMetrics,
    JobWakes,
    Jobs,
    JobsErase,
    Endings,
    JobWorker,
    WorkerStart,
  ],
  exports: [JobListsRepository, Jobs],
})
export class JobsModule {}
