import { Injectable } from '@nestjs/common';
import { Every, OnStop, StopStage } from '../../platform/lifecycle';
import { Metrics, Stats, type TenantCounts } from '../../platform/metrics';
import { type Flushed, UsageFlushRepository } from './usage-flush.repository';

const FLUSH_MS = 60_000;
const LOOK_MS = 5000;
/** Tenants per statement. */
const BATCH = 500;

interface Change extends Flushed {
  /** Where the numbers come from; none where it only had sockets. */
  readonly counts: Readonly<TenantCounts> | undefined;
}

/** Writes each minute what is counted in memory alone. A crash loses at most that minute. */
@Injectable()
export class UsageFlush {
  /** What of each is written. */
  private readonly written = new WeakMap<
    Readonly<TenantCounts>,
    { readonly deliveries: number; readonly posts: number }
  >();
  private readonly peaks = new Map<string, number>();

  constructor(
    private readonly metrics: Metrics,
    private readonly stats: Stats,
    private readonly repository: UsageFlushRepository,
  ) {}

  /** Looks how many sockets tenants have; one that is open for less than the time between two looks may be missed. */
  @Every(LOOK_MS, 'usage connections')
  look(): void {
    for (const tenantId of this.stats.level('connected')) {
      const open = Object.values(this.stats.level('connections', tenantId)).reduce((sum, n) => sum + n, 0);
      this.peaks.set(tenantId, Math.max(open, this.peaks.get(tenantId) ?? 0));
    }
  }

  @Every(FLUSH_MS, 'usage flush')
  @OnStop(StopStage.workers)
  async flush(): Promise<void> {
    this.look();
    const all = this.changes();
    for (let i = 0; i < all.length; i += BATCH) {
      const batch = all.slice(i, i + BATCH);
      await this.repository.add(batch);
      for (const { tenantId, counts, deliveries, posts } of batch) {
        this.peaks.delete(tenantId);
        if (counts === undefined) continue;
        const before = this.writtenOf(counts);
        this.written.set(counts, { deliveries: before.deliveries + deliveries, posts: before.posts + posts });
      }
    }
  }

  private changes(): readonly Change[] {
    const changes = new Map<string, Change>();
    for (const [tenantId, peak] of this.peaks)
      changes.set(tenantId, { tenantId, peak, deliveries: 0, posts: 0, counts: undefined });
    for (const counts of this.metrics.countsOfAll()) {
      const { tenantId } = counts;
      const before = this.writtenOf(counts);
      const deliveries = counts.deliveries - before.deliveries;
      const posts = counts.posts - before.posts;
      if (deliveries > 0 || posts > 0)
        changes.set(tenantId, { tenantId, peak: this.peaks.get(tenantId) ?? 0, deliveries, posts, counts });
    }
    return [...changes.values()];
  }

  private writtenOf(counts: Readonly<TenantCounts>): { readonly deliveries: number; readonly posts: number } {
    return this.written.get(counts) ?? { deliveries: 0, posts: 0 };
  }
}
