import { Inject, Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { Clock } from '../../common/time';
import { describeError, Log } from '../../platform/logging';
import type { CountsRow } from './stats.functions';
import { StatsRepository } from './stats.repository';

/** So old may a count be. */
const FRESH_MS = 10_000;
/** Tenants whose counts are remembered. */
const MOST = 1000;

/** What was counted, and when. */
export interface Counted extends CountsRow {
  readonly at: Date;
}

interface Known {
  readonly atMs: number;
  readonly counted: Promise<Counted | undefined>;
  last: Counted | undefined;
}

/** What waits and what was given up, asked of the database at most every ten seconds for each tenant, and for all. */
@Injectable()
export class Counts {
  private readonly known = new LRUCache<string, Known>({ max: MOST });

  constructor(
    @Inject(StatsRepository) private readonly repository: Pick<StatsRepository, 'counts'>,
    private readonly clock: Clock,
    private readonly log: Log,
  ) {}

  /** At most ten seconds old; older, or undefined, where the database does not tell. Without a tenant: of all. */
  of(tenantId?: string): Promise<Counted | undefined> {
    const key = tenantId ?? '';
    const before = this.known.get(key);
    const atMs = this.clock.monotonicMs();
    if (before !== undefined && atMs - before.atMs < FRESH_MS) return before.counted;
    const known: Known = { atMs, counted: this.ask(tenantId, () => known), last: before?.last };
    this.known.set(key, known);
    return known.counted;
  }

  /** What is known now; asks anew where that is old. */
  latest(tenantId?: string): Counted | undefined {
    void this.of(tenantId);
    return this.known.get(tenantId ?? '')?.last;
  }

  /** Never rejects: the stats are wanted most while something is wrong. */
  private async ask(tenantId: string | undefined, entry: () => Known): Promise<Counted | undefined> {
    try {
      const row = await this.repository.counts(tenantId);
      entry().last = { ...row, at: new Date(this.clock.wallMs()) };
    } catch (error) {
      this.log.debug({ error: describeError(error) }, 'counts of the stats could not be read');
    }
    return entry().last;
  }
}
