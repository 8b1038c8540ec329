import { Global, Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { Clock } from '../../common/clock';
import { Bus } from '../cluster';
import { Log } from '../logging';
import { Metrics } from '../metrics';
import { Endings } from './endings';
import { JobHandlers } from './handlers';
import { Jobs } from './jobs';
import { JobsGauge } from './jobs-gauge';
import { JobsRepository } from './jobs.repository';
import { JobWorker } from './worker';
import { WorkerStart } from './worker-start';
import { JobEntity } from './entities/job.entity';

@Global()
@Module({
  imports: [TypeOrmModule.forFeature([JobEntity])],
  providers: [
    JobsRepository,
    JobHandlers,
    JobsGauge,
    {
      provide: Jobs,
      useFactory: (repository: JobsRepository, bus: Bus) => new Jobs(repository, bus),
      inject: [JobsRepository, Bus],
    },
    {
      provide: JobWorker,
      useFactory: (
        repository: JobsRepository,
        handlers: JobHandlers,
        clock: Clock,
        metrics: Metrics,
        log: Log,
      ): JobWorker => {
        const ended = metrics.counter('chatapi_jobs_ended_total');
        const durations = metrics.histogram('chatapi_jobs_seconds');
        const onEnded = (kind: string, outcome: string, seconds: number): void => {
          ended.labels({ kind, outcome }).inc();
          durations.labels({ kind }).observe(seconds);
        };
        return new JobWorker({ repository, handlers, endings: new Endings(repository), clock, log, onEnded });
      },
      inject: [JobsRepository, JobHandlers, Clock, Metrics, Log],
    },
    WorkerStart,
  ],
  exports: [Jobs, JobHandlers],
})
export class JobsModule {}
