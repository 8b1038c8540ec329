import { Injectable } from '@nestjs/common';
import { Every } from '../lifecycle';
import { Gauge, Metrics } from '../metrics';
import type { BusCounts } from './redis/bus-stream';
import { RedisBus } from './redis/redis-bus';
import type { CommandObserver } from './redis/redis-commands';

type PlainCounter =
  'chatapi_rate_leases_total' | 'chatapi_rate_fallback_total' | 'chatapi_presence_generation_changes_total';

/** Counts what is made before the metrics are: nothing, until it is told of them. */
export class ClusterCounts implements CommandObserver {
  private metrics: Metrics | undefined;
  private readonly seconds = new Map<string, { observe(seconds: number): void }>();

  countWith(metrics: Metrics): void {
    this.metrics = metrics;
  }

  counter(name: PlainCounter): { inc(): void } {
    return { inc: () => this.metrics?.counter(name).inc() };
  }

  answered(op: string, seconds: number): void {
    let child = this.seconds.get(op);
    if (child === undefined && this.metrics !== undefined)
      this.seconds.set(op, (child = this.metrics.histogram('chatapi_redis_command_seconds').labels({ op })));
    child?.observe(seconds);
  }

  failed(op: string): void {
    this.metrics?.counter('chatapi_redis_errors_total').labels({ op }).inc();
  }
}

/** The series of a server that is one of several. */
@Injectable()
export class ClusterMetrics {
  private told: BusCounts;
  private readonly toldSkipped = new Map<string, number>();

  constructor(
    private readonly bus: RedisBus,
    private readonly metrics: Metrics,
    counts: ClusterCounts,
  ) {
    counts.countWith(metrics);
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
    const gaps = metrics.counter('chatapi_bus_gaps_total');
    for (const reason of ['subscribed', 'missing'] as const) gaps.labels({ reason }).inc(grown(reason));
    const bytes = metrics.counter('chatapi_bus_bytes_total');
    bytes.labels({ direction: 'out' }).inc(grown('publishedBytes'));
    bytes.labels({ direction: 'in' }).inc(grown('receivedBytes'));
    const lost = metrics.counter('chatapi_bus_dropped_total');
    for (const reason of ['dropped', 'unknown', 'foreign', 'malformed'] as const)
      lost.labels({ reason: REASONS[reason] }).inc(grown(reason));
    const skipped = metrics.counter('chatapi_bus_skipped_total');
    for (const [topic, count] of this.bus.skipped) {
      skipped.labels({ topic }).inc(count - (this.toldSkipped.get(topic) ?? 0));
      this.toldSkipped.set(topic, count);
    }
  }
}

const REASONS = { dropped: 'unsent', unknown: 'unknown', foreign: 'format', malformed: 'malformed' } as const;
