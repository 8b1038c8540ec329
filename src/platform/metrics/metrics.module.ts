import { Global, Module } from '@nestjs/common';
import { Log } from '../logging';
import { Metrics } from './metrics';

/** Provides Metrics to all modules. Needs a global Log. */
@Global()
@Module({
  providers: [{ provide: Metrics, useFactory: (log: Log) => new Metrics(log), inject: [Log] }],
  exports: [Metrics],
})
export class MetricsModule {}
