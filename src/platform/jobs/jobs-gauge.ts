import { Injectable, type OnModuleInit } from '@nestjs/common';
import { Metrics } from '../metrics';
import { JobsRepository } from './jobs.repository';

const STATES = ['queued', 'running', 'dead'] as const;

/** Shows on /metrics how many jobs are in which state; asked at most once per scrape. */
@Injectable()
export class JobsGauge implements OnModuleInit {
  constructor(
    private readonly repository: JobsRepository,
    private readonly metrics: Metrics,
  ) {}

  onModuleInit(): void {
    this.metrics.collect('chatapi_jobs', async () => {
      const counts = new Map((await this.repository.counts()).map((row) => [row.state, row.n]));
      return STATES.map((state) => ({ labels: { state }, value: counts.get(state) ?? 0 }));
    });
  }
}
