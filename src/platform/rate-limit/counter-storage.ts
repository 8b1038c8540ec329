import { Injectable } from '@nestjs/common';
import type { ThrottlerStorage } from '@nestjs/throttler';
import { Counters } from '../cluster';

type StorageRecord = Awaited<ReturnType<ThrottlerStorage['increment']>>;

/**
 * The throttler's storage on the Counters port: one fixed window per key, O(1) per request (the library's own keeps
 * a timestamp per hit). Memory now, shared by the nodes when Counters are.
 */
@Injectable()
export class CounterStorage implements ThrottlerStorage {
  constructor(private readonly counters: Counters) {}

  async increment(key: string, ttl: number, limit: number): Promise<StorageRecord> {
    const { count, resetAtMs } = await this.counters.increment(key, ttl);
    const secondsLeft = resetAtMs / 1000;
    return { totalHits: count, timeToExpire: secondsLeft, isBlocked: count > limit, timeToBlockExpire: secondsLeft };
  }
}
