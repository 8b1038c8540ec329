import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { Clock } from '../../../common/time';
import { Gauge } from '../../../platform/metrics';

/** So many failures in a row, each within WINDOW_MS of the one before, open a breaker. */
export const FAILURES = 5;
export const WINDOW_MS = 60_000;
/** An open breaker lets nobody through for so long; then one tries, and decides. */
export const OPEN_MS = 30_000;
/** Keys whose failures are remembered. */
const MAX_KEYS = 10_000;

interface Trouble {
  failures: number;
  failedAt: number;
  /** Until then nobody may try; undefined while the breaker is closed. */
  openUntil: number | undefined;
  /** Somebody is trying whether it works again. */
  isProbed: boolean;
}

/** The right to try. Exactly one of its ends is called, once; `alive` may come before. */
export interface Permit {
  /** It is the one that finds out whether it works again. */
  readonly isProbe: boolean;
  /** The first sign of the answer: an open breaker closes. */
  alive(): void;
  succeeded(): void;
  failed(): void;
  /** It says nothing about the channel: the caller has left, or the request was at fault. */
  abandoned(): void;
}

/**
 * Keeps what is broken from being tried again and again, and what wants a slower pace from being tried too soon. The
 * memory of this node: every node finds out for itself. Only keys in trouble are remembered.
 */
@Injectable()
export class Breakers {
  private readonly troubles = new LRUCache<string, Trouble>({ max: MAX_KEYS });
  /** Until when a key is left alone, though nothing is broken. */
  private readonly pauses = new LRUCache<string, number>({ max: MAX_KEYS });

  constructor(private readonly clock: Clock) {}

  /** Undefined while it may not be tried. @param key what fails or works as one */
  enter(key: string): Permit | undefined {
    if (this.pausedMs(key) > 0) return undefined;
    const trouble = this.troubles.get(key);
    if (trouble?.openUntil !== undefined) {
      if (this.waitMs(key) > 0) return undefined;
      trouble.isProbed = true;
    }
    return this.permit(key, trouble?.openUntil !== undefined);
  }

  /** Milliseconds until it may be tried; 0: now. While somebody is trying it, a guess. */
  waitMs(key: string): number {
    const paused = this.pausedMs(key);
    const trouble = this.troubles.peek(key);
    if (trouble?.openUntil === undefined) return paused;
    const left = Math.max(0, trouble.openUntil - this.clock.monotonicMs());
    return Math.max(paused, left === 0 && trouble.isProbed ? OPEN_MS : left);
  }

  isOpen(key: string): boolean {
    return this.troubles.peek(key)?.openUntil !== undefined;
  }

  /** How many are not closed. */
  @Gauge('chatapi_model_breakers_open')
  open(): number {
    return [...this.troubles.values()].filter(({ openUntil }) => openUntil !== undefined).length;
  }

  /** Leaves it alone for a while; nothing is counted. */
  pause(key: string, ms: number): void {
    this.pauses.set(key, this.clock.monotonicMs() + ms);
  }

  /** Opens a breaker at once. */
  trip(key: string): void {
    const now = this.clock.monotonicMs();
    this.troubles.set(key, { failures: FAILURES, failedAt: now, openUntil: now + OPEN_MS, isProbed: false });
  }

  /** It works after all. */
  close(key: string): void {
    this.troubles.delete(key);
  }

  private pausedMs(key: string): number {
    const until = this.pauses.peek(key);
    return until === undefined ? 0 : Math.max(0, until - this.clock.monotonicMs());
  }

  private permit(key: string, isProbe: boolean): Permit {
    return {
      isProbe,
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
