/** Where a window stands after an increment. */
export interface CounterState {
  /** Increments of the key in this window, this one included. */
  readonly count: number;
  /** Wall clock time at which the window ends and counting starts at 0 again. */
  readonly resetAtMs: number;
}

/**
 * Counts in fixed windows, across nodes. Windows lie on multiples of their length since 1970 by the wall clock, so
 * that all nodes and all keys agree where one ends. The same key with another window length is another counter.
 */
export abstract class Counters {
  /**
   * Adds one. May answer at once: this runs for every request, so `await` it only when it is a promise. Window
   * lengths are few: one per kind of limit.
   */
  abstract increment(key: string, windowMs: number): CounterState | Promise<CounterState>;
}
