import { Injectable } from '@nestjs/common';
import { Metrics } from '../metrics';
import { JobsRepository } from './jobs.repository';

const STATES = ['queued', 'running', 'dead'] as const;

/** What /metrics says of jobs. How many are in which state is asked at most once per scrape. */
@Injectable()
export class JobMetrics {
  private readonly outcomes;
  private readonly durations;

  constructor(repository: JobsRepository, metrics: Metrics) {
    this.outcomes = metrics.counter('chatapi_jobs_ended_total');
    this.durations = metrics.histogram('chatapi_jobs_seconds');
    metrics.collect('chatapi_jobs', async () => {
      const counts = new Map((await repository.counts()).map((row) => [row.state, row.n]));
      return STATES.map((state) => ({ labels: { state }, value: counts.get(state) ?? 0 }));
    });
  }

  /** An attempt ended. */
  ended(kind: string, outcome: string, seconds: number): void {
    this.outcomes.labels({ kind, outcome }).inc();
    this.durations.labels({ kind }).observe(seconds);
  }
}
