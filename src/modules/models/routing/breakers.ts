import { LRUCache } from 'lru-cache';
import type { Clock } from '../../../common/clock';

/** So many failures in a row, each within WINDOW_MS of the one before, open a breaker. */
const FAILURES = 5;
const WINDOW_MS = 60_000;
/** An open breaker lets nobody through for so long; then one tries, and decides. */
export const OPEN_MS = 30_000;
/** Channels whose failures are remembered. */
const MAX_CHANNELS = 10_000;

interface Trouble {
  failures: number;
  failedAt: number;
  /** Until then nobody may try; undefined while the breaker is closed. */
  openUntil: number | undefined;
  /** Somebody is trying whether it works again. */
  isProbed: boolean;
}

/** The right to try a channel. Exactly one of its ends is called, once; `alive` may come before. */
export interface Permit {
  /** The first sign of the answer: an open breaker closes. */
  alive(): void;
  succeeded(): void;
  failed(): void;
  /** It says nothing about the channel: the caller has left, or the request was at fault. */
  abandoned(): void;
}

/**
 * Keeps a broken channel from being tried again and again. The memory of this node: every node finds out for itself.
 * Only channels in trouble are remembered.
 */
export class Breakers {
  private readonly troubles = new LRUCache<string, Trouble>({ max: MAX_CHANNELS });

  constructor(private readonly clock: Clock) {}

  /** Undefined while the channel may not be tried. @param key the channel, in the version that is in force */
  enter(key: string): Permit | undefined {
    const trouble = this.troubles.get(key);
    if (trouble?.openUntil !== undefined) {
      if (this.waitMs(key) > 0) return undefined;
      trouble.isProbed = true;
    }
    return this.permit(key, trouble?.openUntil !== undefined);
  }

  /** Milliseconds until the channel may be tried; 0: now. While somebody is trying it, a guess. */
  waitMs(key: string): number {
    const trouble = this.troubles.peek(key);
    if (trouble?.openUntil === undefined) return 0;
    const left = Math.max(0, trouble.openUntil - this.clock.monotonicMs());
    return left === 0 && trouble.isProbed ? OPEN_MS : left;
  }

  /** How many are not closed. */
  get open(): number {
    return [...this.troubles.values()].filter(({ openUntil }) => openUntil !== undefined).length;
  }

  private permit(key: string, isProbe: boolean): Permit {
    return {
      alive: () => {
        // What has come back is closed, and one failure later it is in trouble no more than others.
        if (isProbe) this.troubles.delete(key);
      },
      succeeded: () => void this.troubles.delete(key),
      failed: () => this.failed(key, isProbe),
      abandoned: () => {
        const trouble = this.troubles.peek(key);
        if (isProbe && trouble) trouble.isProbed = false;
      },
    };
  }

  private failed(key: string, isProbe: boolean): void {
    const now = this.clock.monotonicMs();
    const before = this.troubles.peek(key);
    const isStreak = before !== undefined && now - before.failedAt <= WINDOW_MS;
    const failures = (isStreak ? before.failures : 0) + 1;
    const isStillOpen = isProbe && before?.openUntil !== undefined;
    const openUntil = isStillOpen || failures >= FAILURES ? now + OPEN_MS : before?.openUntil;
    this.troubles.set(key, { failures, failedAt: now, openUntil, isProbed: false });
  }
}
