/** What a rate limit costs a node whose windows are shared in Redis: CPU and questions per request. */
import { createRequire } from 'node:module';
import { setImmediate as turn } from 'node:timers/promises';

const require = createRequire(import.meta.url);
const { createClient } = require('@redis/client');
const { SystemClock } = require('../../dist/common/time');
const { MemoryCounters } = require('../../dist/platform/cluster/memory-counters');
const { RedisCommands } = require('../../dist/platform/cluster/redis/redis-commands');
const { RedisCounters } = require('../../dist/platform/cluster/redis/redis-counters');

const WINDOW_MS = 1000;
const IN_FLIGHT = 32;
/** Requests of one that is in flight before others have a turn: sockets are read between them. */
const IN_A_ROW = 8;
const silent = { debug() {}, info() {}, warn() {}, error() {} };

/**
 * @param options.url of a Redis that may be written to
 * @param options.perKey requests of each tenant per second: there are as many tenants as this machine makes requests for
 * @param options.limit of each per second
 * @returns µs of this process' CPU per request, of Redis', and questions per request; beside it the same with counters in
 *   memory, the loop itself included
 */
export async function measureLimiter({ url, perKey = 30, limit = 100, seconds = 4, nodes = 3 }) {
  const counted = { leases: 0, fallbacks: 0 };
  const metrics = {
    counter: (name) => ({ inc: () => counted[name === 'chatapi_rate_leases_total' ? 'leases' : 'fallbacks']++ }),
  };
  const clock = new SystemClock();
  const commands = new RedisCommands({ url, clientName: 'chatapi-bench', deadlineMs: 5000 }, silent);
  const live = new Promise((resolve) => commands.onLive(resolve));
  commands.start();
  await live;
  const admin = createClient({ url });
  await admin.connect();
  try {
    const options = { installation: `bench-${process.pid}-${Date.now()}`, nodes: () => nodes };
    const shared = new RedisCounters(commands, options, clock, metrics);
    const pilot = await load(shared, 1000, limit, 1);
    const keys = Math.max(1, Math.round(pilot.requests / perKey));
    // The window before says how much is leased.
    await load(shared, keys, limit, 1.5);
    counted.leases = 0;
    const before = await redisMicros(admin);
    const redis = await load(shared, keys, limit, seconds);
    const redisCpu = (await redisMicros(admin)) - before;
    const memory = await load(new MemoryCounters(clock), keys, limit, seconds);
    return {
      keys,
      requests: redis.requests,
      refused: redis.refused,
      cpuMicros: redis.micros / redis.requests,
      redisMicros: redisCpu / redis.requests,
      callsPerRequest: counted.leases / redis.requests,
      fallbacks: counted.fallbacks,
      memoryMicros: memory.micros / memory.requests,
    };
  } finally {
    admin.destroy();
    commands.stop();
  }
}

async function load(counters, keys, limit, seconds) {
  const names = Array.from({ length: keys }, (_, n) => `rate:rooms:${n}`);
  const endsAt = performance.now() + seconds * 1000;
  const from = process.cpuUsage();
  let [requests, refused] = [0, 0];
  const client = async () => {
    while (performance.now() < endsAt) {
      for (let i = 0; i < IN_A_ROW; i++) {
        const answer = counters.take(names[requests++ % keys], WINDOW_MS, limit);
        const { count } = answer instanceof Promise ? await answer : answer;
        if (count > limit) refused++;
      }
      await turn();
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, client));
  const { user, system } = process.cpuUsage(from);
  return { requests, refused, micros: user + system };
}

async function redisMicros(admin) {
  const info = await admin.info('cpu');
  const of = (name) => Number(new RegExp(`${name}:([\\d.]+)`).exec(info)?.[1] ?? 0);
  return (of('used_cpu_user') + of('used_cpu_sys')) * 1e6;
}
