import { Injectable, type OnModuleInit } from '@nestjs/common';
import { SystemDatabase } from '../database';
import { Metrics } from '../metrics';

const STATES = ['queued', 'running', 'done', 'dead'] as const;

interface StateRow {
  readonly state: (typeof STATES)[number];
  readonly n: number;
}

/** Shows on /metrics how many jobs are in which state; asked at most once per scrape. */
@Injectable()
export class JobsGauge implements OnModuleInit {
  constructor(
    private readonly system: SystemDatabase,
    private readonly metrics: Metrics,
  ) {}

  onModuleInit(): void {
    this.metrics.collect('chatapi_jobs', async () => {
      const rows = await this.system.read<StateRow & { state: string }>(
        'count jobs',
        'SELECT state, count(*) AS n FROM jobs GROUP BY state',
      );
      const counts = new Map(rows.map((row) => [row.state, row.n]));
      return STATES.map((state) => ({ labels: { state }, value: counts.get(state) ?? 0 }));
    });
  }
}
