import { Inject, Injectable } from '@nestjs/common';
import { Clock } from '../../common/time';
import { Bus } from '../../platform/cluster';

/** Between two polls, in ms. */
interface Bounds {
  readonly least: number;
  readonly most: number;
}

/** Where there is no other node nothing is lost on the way: the poll finds faults, and costs little. */
const ALONE_MS = 10_000;
const LIVE: Bounds = { least: 10_000, most: 120_000 };
/** Nothing but the poll tells of what other nodes commit. */
const DOWN: Bounds = { least: 1000, most: 10_000 };
/** How often it is looked whether a poll is due: a bus that goes down in the middle of two minutes is noticed. */
const LOOK_MS = 1000;
/** What the polls of a node may take of one processor of PostgreSQL. */
const BUDGET = 0.02;

/** Asks something of the database, and counts how long that takes. */
export type Timed = <T>(ask: () => Promise<T>) => Promise<T>;

/**
 * When the feed compares its rooms with the database, although no hint said that it should.
 *
 * Invariants
 * - One process alone polls every 10 s.
 * - With other nodes, the questions of polls take at most 2 % of the time: the next poll is due when the last one's
 *   questions have taken that of it, but 10 s to 2 min after it while the bus is live, and 1 s to 10 s while it is down.
 *   Time is that from question to answer, which is more than it costs: of a database that is busy, less is asked.
 * - One poll at a time.
 */
@Injectable()
export class PollPace {
  private costMs = 0;
  private endedAt: number;

  constructor(
    @Inject(Bus) private readonly bus: Pick<Bus, 'state' | 'isShared'>,
    private readonly clock: Clock,
  ) {
    this.endedAt = clock.monotonicMs();
  }

  /** How often to call `run`, in ms. */
  get lookMs(): number {
    return this.bus.isShared ? LOOK_MS : ALONE_MS;
  }

  /** Polls if that is due. Rejects when the poll does. */
  async run(poll: (timed: Timed) => Promise<void>): Promise<void> {
    if (this.bus.isShared && this.clock.monotonicMs() - this.endedAt < this.intervalMs()) return;
    let costMs = 0;
    try {
      await poll(async (ask) => {
        const began = this.clock.monotonicMs();
        try {
          return await ask();
        } finally {
          costMs += this.clock.monotonicMs() - began;
        }
      });
    } finally {
      this.costMs = costMs;
      this.endedAt = this.clock.monotonicMs();
    }
  }

  private intervalMs(): number {
    const { least, most } = this.bus.state === 'live' ? LIVE : DOWN;
    return Math.min(most, Math.max(least, this.costMs / BUDGET));
  }
}
