import { Module } from '@nestjs/common';
import { Gauges } from './gauge';
import { Metrics } from './metrics';

@Module({ providers: [Metrics, Gauges], exports: [Metrics] })
export class MetricsModule {}
