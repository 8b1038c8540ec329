import { setTimeout as pause } from 'node:timers/promises';
import type { Clock } from '../../common/time';

/** Milliseconds that are rested at least. */
const LEAST_REST_MS = 5;
/** So many times as long as the work took. */
const REST = 2;

/** Work that has no haste, in small pieces: after each it rests twice as long as that took, so that it costs others little. */
export class Paced {
  private readonly endsAt: number;

  /**
   * @param mostMs how long it may take, in milliseconds
   * @param signal aborts it between two pieces
   */
  constructor(
    private readonly clock: Clock,
    private readonly signal: AbortSignal,
    mostMs: number,
  ) {
    this.endsAt = clock.monotonicMs() + mostMs;
  }

  /** Its time is up: stop here, and go on another time. */
  get isOver(): boolean {
    return this.clock.monotonicMs() >= this.endsAt;
  }

  /** Does one piece, a transaction. @throws what it throws, and an AbortError */
  async piece<T>(work: () => Promise<T>): Promise<T> {
    this.signal.throwIfAborted();
    const begun = this.clock.monotonicMs();
    const result = await work();
    const rest = Math.max(LEAST_REST_MS, REST * (this.clock.monotonicMs() - begun));
    await pause(rest, undefined, { signal: this.signal });
    return result;
  }
}
