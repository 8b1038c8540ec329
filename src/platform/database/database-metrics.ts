import { Injectable, type OnModuleInit } from '@nestjs/common';
import { Metrics } from '../metrics';
import { Failures } from './failures';

/** Counts the failures of database calls. */
@Injectable()
export class DatabaseMetrics implements OnModuleInit {
  constructor(
    private readonly failures: Failures,
    private readonly metrics: Metrics,
  ) {}

  onModuleInit(): void {
    const counter = this.metrics.counter('chatapi_database_failures_total');
    this.failures.listen((reason) => counter.labels({ reason }).inc());
  }
}
