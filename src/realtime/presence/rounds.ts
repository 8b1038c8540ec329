import type { Clock } from '../../common/time';

/** Entries that may come and go while they are gone through, as those of a map may. */
export interface Entries<T> extends Iterable<T> {
  readonly size: number;
}

/**
 * Visits every entry of a collection once per period, a slice at each call, so that many entries cause no pause. What is
 * added during a round is visited at its end.
 */
export class Rounds<T> {
  private cursor: Iterator<T, unknown> | undefined;
  /** Visits that are due; the fraction is kept, so that a few entries are visited in time too. */
  private due = 0;
  private lastCall: number;

  constructor(
    private readonly entries: Entries<T>,
    private readonly periodMs: number,
    private readonly clock: Clock,
  ) {
    this.lastCall = clock.monotonicMs();
  }

  /** As many entries as the time since the last call asks for; each at most once. */
  take(): T[] {
    const now = this.clock.monotonicMs();
    const { size } = this.entries;
    this.due = Math.min(size, this.due + (size * (now - this.lastCall)) / this.periodMs);
    this.lastCall = now;
    const taken: T[] = [];
    for (; this.due >= 1; this.due--) {
      const entry = this.next() ?? this.next();
      if (entry !== undefined) taken.push(entry);
    }
    return taken;
  }

  /** undefined once at the end of each round. */
  private next(): T | undefined {
    this.cursor ??= this.entries[Symbol.iterator]();
    const next = this.cursor.next();
    if (next.done !== true) return next.value;
    this.cursor = undefined;
    return undefined;
  }
}
