import type { Log } from '../../../platform/logging';

/** Messages written by this server after which statistics are looked at; beyond the last one autovacuum keeps up. */
const MARKS = [100, 1000, 10_000, 100_000] as const;

/**
 * Has the planner's statistics renewed while a fresh log grows: until then every plan is one for empty tables, and on
 * the append's path that is several times slower. Runs beside the appends, one at a time; a failure costs speed only.
 */
export class FreshStatistics {
  private stored = 0;
  private next = 0;
  private running: Promise<void> | undefined;

  constructor(
    private readonly analyze: (rows: number) => Promise<void>,
    private readonly log: Log,
  ) {}

  /** So many more messages are in the log. */
  note(messages: number): void {
    this.stored += messages;
    const mark = MARKS[this.next];
    if (mark === undefined || this.stored < mark || this.running) return;
    while ((MARKS[this.next] ?? Infinity) <= this.stored) this.next++;
    this.running = this.analyze(this.stored)
      .catch((error: unknown) => this.log.debug({ error: String(error) }, 'statistics were not renewed'))
      .finally(() => (this.running = undefined));
  }

  /** Resolves when none is running. */
  async idle(): Promise<void> {
    await this.running;
  }
}
