import { isUnavailable } from '../../common/errors';
import type { Log } from '../logging';
import { describeError } from '../logging';

/** A running timer; whoever made it stops it. */
export interface Interval {
  /** Starts no more runs and resolves when the current one has ended. Not to be awaited within a run. */
  stop(): Promise<void>;
}

/**
 * Runs `fn` again and again, `ms` after the end of the run before, the first time after `ms`: runs never overlap. A
 * failing run ends nothing; only the first of a streak is logged, and that it works again. Keeps no process alive.
 */
export function every(ms: number, name: string, fn: () => unknown, log: Log): Interval {
  const repeating = new Repeating(ms, name, fn, log);
  repeating.schedule();
  return repeating;
}

class Repeating implements Interval {
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> = Promise.resolve();
  private stopped = false;
  private failures = 0;

  constructor(
    private readonly ms: number,
    private readonly name: string,
    private readonly fn: () => unknown,
    private readonly log: Log,
  ) {}

  schedule(): void {
    if (this.stopped) return;
    this.timer = setTimeout(() => {
      this.running = this.run().then(() => this.schedule());
    }, this.ms).unref();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.running;
  }

  private async run(): Promise<void> {
    try {
      await this.fn();
      if (this.failures > 0) this.log.info({ timer: this.name, failures: this.failures }, 'timer works again');
      this.failures = 0;
    } catch (error) {
      this.failures++;
      if (this.failures > 1) return;
      // "Not now" (the database is away) is told as an outage by who knows about it.
      const isPassing = isUnavailable(error);
      this.log[isPassing ? 'warn' : 'error']({ timer: this.name, error: describeError(error) }, 'timer failed');
    }
  }
}
