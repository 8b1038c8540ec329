import { Injectable } from '@nestjs/common';
import { Gauge, type GaugeSample, Metrics } from '../metrics';
import { JobsRepository } from './jobs.repository';

const STATES = ['queued', 'running', 'dead'] as const;

/** What /metrics says of jobs. */
@Injectable()
export class JobMetrics {
  private readonly outcomes;
  private readonly durations;

  constructor(
    private readonly repository: JobsRepository,
    metrics: Metrics,
  ) {
    this.outcomes = metrics.counter('chatapi_jobs_ended_total');
    this.durations = metrics.histogram('chatapi_jobs_seconds');
  }

  /** Asked at most once per scrape. */
  @Gauge('chatapi_jobs')
  async states(): Promise<GaugeSample<'chatapi_jobs'>[]> {
    const counts = new Map((await this.repository.counts()).map((row) => [row.state, row.n]));
    return STATES.map((state) => ({ labels: { state }, value: counts.get(state) ?? 0 }));
  }

  /** An attempt ended. */
  ended(kind: string, outcome: string, seconds: number): void {
    this.outcomes.labels({ kind, outcome }).inc();
    this.durations.labels({ kind }).observe(seconds);
  }
}
