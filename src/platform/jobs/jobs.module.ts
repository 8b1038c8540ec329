import { Module } from '@nestjs/common';
import { Endings } from './endings';
import { JobHandlers } from './handlers';
import { JobMetrics } from './job-metrics';
import { Jobs } from './jobs';
import { JobsRepository } from './jobs.repository';
import { JobWorker } from './worker';
import { WorkerStart } from './worker-start';

@Module({
  providers: [JobsRepository, JobHandlers, JobMetrics, Jobs, Endings, JobWorker, WorkerStart],
  exports: [Jobs],
})
export class JobsModule {}
