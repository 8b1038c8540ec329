import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { Endings } from './endings';
import { JobHandlers } from './handlers';
import { JobMetrics } from './job-metrics';
import { Jobs } from './jobs';
import { JobsRepository } from './jobs.repository';
import { JobWorker } from './worker';
import { WorkerStart } from './worker-start';
import { JobEntity } from './entities/job.entity';

@Module({
  imports: [TypeOrmModule.forFeature([JobEntity])],
  providers: [JobsRepository, JobHandlers, JobMetrics, Jobs, Endings, JobWorker, WorkerStart],
  exports: [Jobs],
})
export class JobsModule {}
