import { Injectable } from '@nestjs/common';
import { OnStop, StopStage } from '../../platform/lifecycle';
import { describeError, Log } from '../../platform/logging';
import { Permits, type TurnTaker } from '../transport';

/** Reads of the feed at the same time: after an outage thousands of channels want the log at once. */
const AT_ONCE = 4;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5000;

/**
 * Reads that must succeed in the end: a few at once, first come first served, each again after a pause until it works
 * or its caller does not want it any more. An outage is logged once, and its end. `stop` ends all that wait.
 */
export class LogReads {
  private readonly pauses = new Map<NodeJS.Timeout, () => void>();
  private isFailing = false;
  private isStopped = false;

  /**
   * @param reader names the caller in what is logged
   * @param turns limits how many read at once
   */
  constructor(
    private readonly log: Log,
    private readonly reader: string,
    private readonly turns: TurnTaker = new Permits(AT_ONCE),
  ) {}

  /** Resolves with undefined where it is not wanted any more. */
  async run<T>(isWanted: () => boolean, read: () => Promise<T>): Promise<T | undefined> {
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
      if (!(await this.turns.take(isWanted))) return undefined;
      try {
        if (this.isStopped || !isWanted()) return undefined;
        const result = await read();
        this.works();
        return result;
      } catch (error) {
        this.fails(error);
      } finally {
        this.turns.giveBack();
      }
      await this.pause(pauseMs);
    }
  }

  @OnStop(StopStage.workers)
  stop(): void {
    this.isStopped = true;
    for (const [timer, resume] of this.pauses) {
      clearTimeout(timer);
      resume();
    }
    this.pauses.clear();
  }

  private pause(ms: number): Promise<void> {
    if (this.isStopped) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.pauses.delete(timer);
        resolve();
      }, ms).unref();
      this.pauses.set(timer, resolve);
    });
  }

  private fails(error: unknown): void {
    if (this.isFailing) return;
    this.isFailing = true;
    this.log.warn({ error: describeError(error) }, `${this.reader} cannot read the log; sockets wait`);
  }

  private works(): void {
    if (!this.isFailing) return;
    this.isFailing = false;
    this.log.info({}, `${this.reader} reads the log again`);
  }
}

@Injectable()
export class FeedReads extends LogReads {
  constructor(log: Log) {
    super(log, 'the feed');
  }
}
