import { Injectable, type OnModuleInit } from '@nestjs/common';
import { Metrics } from '../../../platform/metrics';
import { LiveRuns } from './live-runs';

/** How many answers are being written here. */
@Injectable()
export class RunMetrics implements OnModuleInit {
  constructor(
    private readonly metrics: Metrics,
    private readonly live: LiveRuns,
  ) {}

  onModuleInit(): void {
    this.metrics.collect('chatapi_runs_live', () => [{ labels: {}, value: this.live.size }]);
  }
}
