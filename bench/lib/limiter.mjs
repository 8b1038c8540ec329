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
/** Of all tenants, and of these in one turn of the event loop: what one loaded node is asked for. */
const REQUESTS_PER_SECOND = 20_000;
const PER_TURN = 16;
const silent = { debug() {}, info() {}, warn() {}, error() {} };

/**
 * @param options.url of a Redis that may be written to
 * @param options.perKey requests of each tenant per second
 * @param options.limit of each per second
 * @returns µs of this process' CPU per request without the loop that asks, of Redis', and questions per request; beside it
 *   the same with counters in memory
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
    const keys = Math.max(1, Math.round(REQUESTS_PER_SECOND / perKey));
    // The windows before say how much is leased; then nothing is left to compile.
    for (const counters of [shared, new MemoryCounters(clock), undefined]) await load(counters, keys, limit, 2.5);
    counted.leases = 0;
    const before = await redisMicros(admin);
    const redis = await load(shared, keys, limit, seconds);
    const redisCpu = (await redisMicros(admin)) - before;
    const memory = await load(new MemoryCounters(clock), keys, limit, seconds);
    const bare = await load(undefined, keys, limit, seconds);
    const own = ({ micros, requests }) => micros / requests - bare.micros / bare.requests;
    return {
      keys,
      requests: redis.requests,
      refused: redis.refused,
      cpuMicros: own(redis),
      redisMicros: redisCpu / redis.requests,
      callsPerRequest: counted.leases / redis.requests,
      fallbacks: counted.fallbacks,
      memoryMicros: own(memory),
    };
  } finally {
    admin.destroy();
    commands.stop();
  }
}

/**
 * A node that is never idle: what each turn leaves of its time is spent here, and not counted. One that sleeps pays as much for
 * waking up as for the rest.
 * @param counters nothing is counted where there are none: what the loop costs by itself
 */
async function load(counters, keys, limit, seconds) {
  const names = Array.from({ length: keys }, (_, n) => `rate:rooms:${n}`);
  const waiting = new Set();
  let [requests, refused, spentMs] = [0, 0, 0];
  const note = ({ count }) => {
    if (count > limit) refused++;
  };
  const begun = performance.now();
  const from = process.cpuUsage();
  while (requests < REQUESTS_PER_SECOND * seconds) {
    for (let n = 0; n < PER_TURN; n++) {
      const name = names[requests++ % keys];
      const answer = counters?.take(name, WINDOW_MS, limit);
      if (!(answer instanceof Promise)) note(answer ?? { count: 0 });
      else {
        const told = answer.then(note).finally(() => waiting.delete(told));
        waiting.add(told);
      }
    }
    await turn();
    const idle = performance.now();
    while (performance.now() < begun + (requests / REQUESTS_PER_SECOND) * 1000);
    spentMs += performance.now() - idle;
  }
  await Promise.all(waiting);
  const { user, system } = process.cpuUsage(from);
  return { requests, refused, micros: user + system - spentMs * 1000 };
}

async function redisMicros(admin) {
  const info = await admin.info('cpu');
  const of = (name) => Number(new RegExp(`${name}:([\\d.]+)`).exec(info)?.[1] ?? 0);
  return (of('used_cpu_user') + of('used_cpu_sys')) * 1e6;
}
