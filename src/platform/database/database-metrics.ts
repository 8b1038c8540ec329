import { Injectable } from '@nestjs/common';
import { Metrics } from '../metrics';
import { Failures } from './failures';

/** Counts the failures of database calls. */
@Injectable()
export class DatabaseMetrics {
  constructor(failures: Failures, metrics: Metrics) {
    const counter = metrics.counter('chatapi_database_failures_total');
    failures.listen((reason) => counter.labels({ reason }).inc());
  }
}
