import { randomUUID } from 'node:crypto';
import { RedisCounters } from '../../../src/platform/cluster/redis/redis-counters';
import { HeldCommands, SkewedClock, type TimedRedis } from './held-commands';

/** Keeps what the metrics are told. */
class Counts {
  leases = 0;
  fallbacks = 0;

  counter(name: string) {
    const inc = (): void => {
      if (name === 'chatapi_rate_leases_total') this.leases++;
      else this.fallbacks++;
    };
    return { inc, labels: () => ({ inc }) };
  }
}

export interface CounterNode {
  readonly counters: RedisCounters;
  readonly commands: HeldCommands;
  readonly counts: Counts;
}

/** Nodes of one installation that nobody has asked yet; their wall clocks are wrong by so much. */
export function counterNodes(redis: TimedRedis, skewsMs: readonly number[]): CounterNode[] {
  const installation = randomUUID();
  return skewsMs.map((skewMs) => {
    const [commands, counts] = [new HeldCommands(redis), new Counts()];
    const options = { installation, nodes: () => skewsMs.length };
    const counters = new RedisCounters(commands, options, new SkewedClock(redis.clock, skewMs), counts);
    return { counters, commands, counts };
  });
}
