import { Injectable } from '@nestjs/common';
import type { ThrottlerStorage } from '@nestjs/throttler';
import { Counters, type CounterState } from '../cluster';

type StorageRecord = Awaited<ReturnType<ThrottlerStorage['increment']>>;

/**
 * The throttler's storage on the Counters port: one fixed window per key, O(1) per request (the library's own keeps
 * a timestamp per hit). Memory now, shared by the nodes when Counters are.
 */
@Injectable()
export class CounterStorage implements ThrottlerStorage {
  constructor(private readonly counters: Counters) {}

  /** The count of a key in its current window, this request included. */
  count(key: string, windowMs: number): CounterState | Promise<CounterState> {
    return this.counters.increment(key, windowMs);
  }

  async increment(key: string, ttl: number, limit: number): Promise<StorageRecord> {
    const { count, resetAtMs } = await this.count(key, ttl);
    // Unix time, not what is left: the contract's header says when the window ends.
    const resetAt = resetAtMs / 1000;
    return { totalHits: count, timeToExpire: resetAt, isBlocked: count > limit, timeToBlockExpire: resetAt };
  }
}
