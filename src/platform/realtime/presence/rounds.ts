import type { Clock } from '../../../common/clock';

/**
 * Visits every entry of a map once per period, a slice at each call, so that many entries cause no pause. What is
 * added during a round is visited at its end.
 */
export class Rounds<K, V> {
  private cursor: MapIterator<[K, V]> | undefined;
  /** Visits that are due; the fraction is kept, so that a few entries are visited in time too. */
  private due = 0;
  private lastCall: number;

  constructor(
    private readonly map: ReadonlyMap<K, V>,
    private readonly periodMs: number,
    private readonly clock: Clock,
  ) {
    this.lastCall = clock.monotonicMs();
  }

  /** As many entries as the time since the last call asks for; each at most once. */
  take(): [K, V][] {
    const now = this.clock.monotonicMs();
    const { size } = this.map;
    this.due = Math.min(size, this.due + (size * (now - this.lastCall)) / this.periodMs);
    this.lastCall = now;
    const taken: [K, V][] = [];
    for (; this.due >= 1; this.due--) {
      const entry = this.next() ?? this.next();
      if (entry) taken.push(entry);
    }
    return taken;
  }

  /** undefined once at the end of each round. */
  private next(): [K, V] | undefined {
    this.cursor ??= this.map.entries();
    const { value, done } = this.cursor.next();
    if (!done) return value;
    this.cursor = undefined;
    return undefined;
  }
}
