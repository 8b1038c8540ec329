import { Global, Module } from '@nestjs/common';
import { Gauges } from './gauge';
import { Metrics } from './metrics';

/** Provides Metrics to all modules. Needs a global Log. */
@Global()
@Module({ providers: [Metrics, Gauges], exports: [Metrics] })
export class MetricsModule {}
