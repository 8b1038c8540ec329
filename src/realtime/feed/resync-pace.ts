import { Inject, Injectable } from '@nestjs/common';
import { Clock } from '../../common/time';
import { Bus } from '../../platform/cluster';
import { OnStop, StopStage } from '../../platform/lifecycle';
import { Log } from '../../platform/logging';
import { type HistogramHandle, Metrics } from '../../platform/metrics';
import { ReconnectPacer } from '../transport';
import { LogReads } from './log-reads';

/** Where the bus was away all nodes have their gap at once: each begins within so long. */
const STAGGER_MS = 5000;
/** Between two pages of users, at most … */
const LONGEST_REST_MS = 1000;
/** … and all of a run's pages are begun within so long. */
const SPREAD_MS = 60_000;

/** How a resync waits, one at a time; a port, so that a test decides when it goes on. */
@Injectable()
export class Rests {
  private end: (() => void) | undefined;

  /** From 0 up to and without 1. */
  random(): number {
    return Math.random();
  }

  rest(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.wake(), ms).unref();
      this.end = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** Ends the rest that is under way, if there is one. */
  wake(): void {
    const { end } = this;
    this.end = undefined;
    end?.();
  }
}

/** The reads of runs: one at a time, each a piece of the pacer's. */
@Injectable()
export class ResyncReads extends LogReads {
  constructor(log: Log, @Inject(ReconnectPacer) pacer: Pick<ReconnectPacer, 'queue'>) {
    super(log, 'the feed after a gap', pacer.queue(1, 'resync'));
  }
}

/**
 * When a run of `Resync` goes on: nodes of one bus do not all ask at once, and none asks about all its users at once.
 * Where there is no other node it waits for the pacer alone.
 */
@Injectable()
export class ResyncPace {
  private readonly seconds: HistogramHandle<'chatapi_resync_seconds'>;
  private isBetweenPages = false;
  private isStopped = false;

  constructor(
    readonly reads: ResyncReads,
    private readonly bus: Bus,
    private readonly rests: Rests,
    private readonly clock: Clock,
    metrics: Metrics,
  ) {
    this.seconds = metrics.histogram('chatapi_resync_seconds');
  }

  /** Before a run begins: 0 to 5 s. */
  async stagger(): Promise<void> {
    if (this.bus.isShared && !this.isStopped) await this.rests.rest(this.rests.random() * STAGGER_MS);
  }

  /** Between two of a run's pages; ends at once when it is hurried. @param pages how many the run has */
  async restBetween(pages: number): Promise<void> {
    if (!this.bus.isShared || this.isStopped) return;
    this.isBetweenPages = true;
    await this.rests.rest(Math.min(LONGEST_REST_MS, SPREAD_MS / pages));
    this.isBetweenPages = false;
  }

  /** There is something more urgent than the next page. */
  hurry(): void {
    if (this.isBetweenPages) this.rests.wake();
  }

  /** Measures a part of a run from now on; to be called when it is done. */
  measure(part: 'rooms' | 'users'): () => void {
    const began = this.clock.monotonicMs();
    return () => this.seconds.labels({ part }).observe((this.clock.monotonicMs() - began) / 1000);
  }

  @OnStop(StopStage.workers)
  stop(): void {
    this.isStopped = true;
    this.rests.wake();
  }
}
