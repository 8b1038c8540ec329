import { Injectable } from '@nestjs/common';
import { Clock } from '../../common/time';
import { Counters, type CounterState } from './ports';

/** The current window of one length; since all keys end together, it is forgotten whole. */
interface Window {
  readonly resetAtMs: number;
  readonly counts: Map<string, number>;
}

/** Counters within one process; they answer synchronously. Holds no more than the keys of one window per length. */
@Injectable()
export class MemoryCounters extends Counters {
  private readonly windows = new Map<number, Window>();

  constructor(private readonly clock: Clock) {
    super();
  }

  /** Counters in memory, those of ended windows that were not dropped yet included. */
  get size(): number {
    let size = 0;
    for (const { counts } of this.windows.values()) size += counts.size;
    return size;
  }

  /** Counts what is refused, too: a limit that is raised meanwhile does not forget it. */
  override take(key: string, windowMs: number): CounterState {
    const now = this.clock.wallMs();
    let window = this.windows.get(windowMs);
    if (!window || hasEnded(window, windowMs, now)) window = this.open(windowMs, now);
    const count = (window.counts.get(key) ?? 0) + 1;
    window.counts.set(key, count);
    return { count, resetAtMs: window.resetAtMs };
  }

  override count(key: string, windowMs: number): number {
    const window = this.windows.get(windowMs);
    const isOver = window === undefined || hasEnded(window, windowMs, this.clock.wallMs());
    return isOver ? 0 : (window.counts.get(key) ?? 0);
  }

  /** Also drops the ended windows of other lengths: one that is not used any more keeps no memory. */
  private open(windowMs: number, now: number): Window {
    if (!Number.isInteger(windowMs) || windowMs <= 0) throw new RangeError(`not a window length: ${windowMs}`);
    for (const [length, window] of this.windows) if (hasEnded(window, length, now)) this.windows.delete(length);
    const window = { resetAtMs: now - (now % windowMs) + windowMs, counts: new Map<string, number>() };
    this.windows.set(windowMs, window);
    return window;
  }
}

/**
 * A clock that is set back a little, across the window's start, must not give a second allowance; one that is set
 * back far must not lock a client out until it has caught up.
 */
function hasEnded(window: Window, windowMs: number, now: number): boolean {
  return now >= window.resetAtMs || now < window.resetAtMs - 2 * windowMs;
}
