import { Injectable } from '@nestjs/common';
import { Clock } from '../../common/time';
import { Every, Lifecycle } from '../../platform/lifecycle';
import { Gauge, Metrics, type TenantCounts } from '../../platform/metrics';
import { TenantsService } from '../tenants';
import { COUNTED_AT_ONCE, UsageRepository } from './usage.repository';

const TICK_MS = 20_000;
/** So often every tenant has its turn: what another server stored before it died, what is idle. */
const EVERYBODY_MS = 3_600_000;
/** Transactions per turn of a tenant, so that a large past keeps nobody waiting: 200,000 messages. */
const MOST_STEPS = 100;

/** Counts what is in a tenant's log and not in its figures. */
@Injectable()
export class UsagePasses {
  constructor(
    private readonly repository: UsageRepository,
    private readonly lifecycle: Lifecycle,
  ) {}

  /**
   * Counts from what is oldest on. Ends early when the server stops.
   * @param mostSteps transactions, of at most 2,000 messages or runs each
   * @returns whether all was counted that was committed before the call
   */
  async pass(tenantId: string, mostSteps = MOST_STEPS): Promise<boolean> {
    const { now } = await this.repository.state(tenantId);
    let steps = mostSteps;
    for (let runs = COUNTED_AT_ONCE; runs === COUNTED_AT_ONCE;) {
      if (steps-- <= 0 || this.lifecycle.refusing) return false;
      runs = await this.repository.countRuns(tenantId);
    }
    for (let after: string | null | undefined; after !== null;) {
      if (steps-- <= 0 || this.lifecycle.refusing) return false;
      ({ after } = await this.repository.countRooms(tenantId, after));
    }
    await this.repository.complete(tenantId, now);
    return true;
  }
}

/** Sees to it that every tenant's usage is counted within a minute. */
@Injectable()
export class UsageCounter {
  /** Tenants that may have something uncounted, since when. */
  private readonly due = new Map<string, number>();
  /** How much each had when it was last looked at. */
  private readonly seen = new WeakMap<Readonly<TenantCounts>, number>();
  private everybodyAtMs = -Infinity;

  constructor(
    private readonly passes: UsagePasses,
    private readonly tenants: TenantsService,
    private readonly metrics: Metrics,
    private readonly clock: Clock,
  ) {}

  @Gauge('chatapi_usage_lag_seconds')
  lagSeconds(): number {
    const [oldest] = this.due.values();
    return oldest === undefined ? 0 : (this.clock.monotonicMs() - oldest) / 1000;
  }

  /** Gives each tenant that has something its turn. One that fails is tried again, and keeps no other waiting. */
  @Every(TICK_MS, 'usage count')
  async count(): Promise<void> {
    await this.gather();
    let failure: { readonly error: unknown } | undefined;
    for (const tenantId of [...this.due.keys()]) {
      try {
        if (await this.passes.pass(tenantId)) this.due.delete(tenantId);
      } catch (error) {
        failure ??= { error };
      }
    }
    if (failure) throw failure.error;
  }

  private async gather(): Promise<void> {
    const nowMs = this.clock.monotonicMs();
    for (const counts of this.metrics.countsOfAll()) {
      const has = counts.messages + counts.tokens;
      if (this.seen.get(counts) === has) continue;
      this.seen.set(counts, has);
      this.note(counts.tenantId, nowMs);
    }
    if (nowMs - this.everybodyAtMs < EVERYBODY_MS) return;
    for (let page = await this.tenants.idsAfter(); page.length > 0; page = await this.tenants.idsAfter(page.at(-1)))
      for (const tenantId of page) this.note(tenantId, nowMs);
    this.everybodyAtMs = nowMs;
  }

  private note(tenantId: string, nowMs: number): void {
    if (!this.due.has(tenantId)) this.due.set(tenantId, nowMs);
  }
}
