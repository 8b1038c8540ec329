import { Injectable } from '@nestjs/common';
import { Every } from '../lifecycle';
import { Gauge, Metrics } from '../metrics';
import type { BusCounts } from './redis/bus-stream';
import { RedisBus } from './redis/redis-bus';

/** The series of the bus, of a server that is one of several. */
@Injectable()
export class BusMetrics {
  private told: BusCounts;

  constructor(
    private readonly bus: RedisBus,
    private readonly metrics: Metrics,
  ) {
    this.told = { ...bus.counts };
    const lag = metrics.histogram('chatapi_bus_lag_seconds');
    bus.observeLag = (seconds) => lag.observe(seconds);
  }

  @Gauge('chatapi_bus_up')
  up(): number {
    return this.bus.state === 'live' ? 1 : 0;
  }

  /** The bus counts for itself alone: at up to 100,000 hints a second a series would cost more than what it counts. */
  @Every(1000, 'bus metrics')
  tell(): void {
    const { metrics, told } = this;
    const now = { ...this.bus.counts };
    this.told = now;
    const grown = (what: keyof BusCounts): number => now[what] - told[what];
    metrics.counter('chatapi_bus_published_total').inc(grown('published'));
    metrics.counter('chatapi_bus_received_total').inc(grown('received'));
    metrics.counter('chatapi_bus_skipped_total').inc(grown('skipped'));
    metrics.counter('chatapi_bus_gaps_total').inc(grown('gaps'));
    const bytes = metrics.counter('chatapi_bus_bytes_total');
    bytes.labels({ direction: 'out' }).inc(grown('publishedBytes'));
    bytes.labels({ direction: 'in' }).inc(grown('receivedBytes'));
    const lost = metrics.counter('chatapi_bus_dropped_total');
    for (const reason of ['dropped', 'unknown', 'foreign', 'malformed'] as const)
      lost.labels({ reason: REASONS[reason] }).inc(grown(reason));
  }
}

const REASONS = { dropped: 'unsent', unknown: 'unknown', foreign: 'format', malformed: 'malformed' } as const;
