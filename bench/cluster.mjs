/**
 * `npm run bench:cluster`: what the bus through Redis costs, in CPU µs of `process.cpuUsage()`. Two processes on a real
 * redis-server: one publishes hints of messages to 1,000 rooms, a number of them in each turn of its event loop, as a group
 * commit brings them; the other one follows none of the rooms, or all. Then what being one of several costs a built server: rate
 * limits that are shared, a send, and how much later a message is at another node.
 * Environment: BENCH_RUNS (5), BENCH_SECONDS (2), BENCH_RATE (20000, hints a second).
 */
import { fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { openCluster } from './lib/cluster.mjs';
import { measureHop, measureSend } from './lib/cluster-nodes.mjs';
import { measurePoint, POINT_RATE } from './lib/cluster-point.mjs';
import { measureLimiter } from './lib/limiter.mjs';
import { openRedis } from './lib/redis.mjs';
import { table, writeSection } from './lib/report.mjs';
import { cpuMicros, median } from './lib/stats.mjs';
import { pointTable } from './sim.mjs';

const RUNS = Number(process.env.BENCH_RUNS ?? 5);
const SECONDS = Number(process.env.BENCH_SECONDS ?? 2);
const RATE = Number(process.env.BENCH_RATE ?? 20_000);
const ROOMS = 1000;
/** One after the other, between two nodes that do nothing else. */
const MESSAGES = 1000;
const PER_TURN = [1, 4, 16];
/** In this many per turn: what a loaded server's group commit brings. */
const AIMED_AT = 16;
/** CPU µs per hint. */
const AIMS = { publication: 6, skipped: 2, followed: 6 };
const SIDE = fileURLToPath(new URL('./lib/bus-side.mjs', import.meta.url));

const redis = await openRedis();
const site = {
  ...{ installation: randomUUID(), url: redis.url, tenantId: randomUUID(), userId: 'alice' },
  rooms: Array.from({ length: ROOMS }, () => randomUUID()),
};
const [from, to] = [startSide(), startSide()];
try {
  const [{ bytesPerHint }] = await Promise.all([from.call('live'), to.call('live')]);
  const results = new Map(PER_TURN.map((perTurn) => [perTurn, []]));
  // The first round is not counted: nothing is compiled yet.
  for (let run = 0; run <= RUNS; run++)
    for (const perTurn of PER_TURN) {
      const result = await measure(perTurn);
      process.stderr.write(`${perTurn} per turn: ${JSON.stringify(result)}\n`);
      if (run > 0) results.get(perTurn).push(result);
    }
  await writeSection('cluster-bus', table([...results].map(([perTurn, all]) => row(perTurn, all, bytesPerHint))));
  await writeSection('cluster-nodes', table(await nodeRows()));
  await writeSection('cluster-point', await pointRows());
} finally {
  await Promise.all([from.call('stop'), to.call('stop')]);
  await redis.close();
}

/** CPU µs per hint, of one round at so many hints a second. */
async function measure(perTurn, rate = RATE) {
  const turns = { perTurn, rate, seconds: SECONDS };
  const idle = await from.call('turns', { ...turns, isPublishing: false });
  const skipped = await hear(turns);
  await to.call('follow', true);
  const followed = await hear(turns);
  await to.call('follow', false);
  if (skipped.heard !== 0 || followed.heard !== followed.n) throw new Error('hints went where they should not');
  const publishing = (skipped.publishing + followed.publishing) / 2 - idle.cpu / idle.n;
  return {
    publication: publishing,
    skipped: skipped.cpu / skipped.n,
    followed: followed.cpu / followed.n,
    redis: (skipped.redis + followed.redis) / 2,
    rate: followed.n / SECONDS,
  };
}

async function hear(turns) {
  await to.call('begin');
  const redisBefore = cpuMicros(redis.pid);
  const sent = await from.call('turns', { ...turns, isPublishing: true });
  const got = await to.call('end', sent.n);
  if (got.n !== sent.n || sent.dropped > 0) throw new Error(`${sent.n} sent, ${sent.dropped} dropped, ${got.n} came`);
  return { ...got, publishing: sent.cpu / sent.n, redis: (cpuMicros(redis.pid) - redisBefore) / sent.n };
}

function row(perTurn, all, bytesPerHint) {
  const of = (what) => median(all.map((result) => result[what]));
  const shown = (what) => {
    const aim = perTurn === AIMED_AT ? ` (≤ ${AIMS[what]}: ${of(what) <= AIMS[what] ? 'yes' : 'NO'})` : '';
    return `${of(what).toFixed(1)}${aim}`;
  };
  return {
    'hints per turn': perTurn,
    'bytes per hint': bytesPerHint,
    'hints/s': Math.round(of('rate')),
    'per publication, µs': shown('publication'),
    'per foreign hint not followed, µs': shown('skipped'),
    'per foreign hint followed, µs': shown('followed'),
    'Redis per hint, µs': of('redis').toFixed(1),
  };
}

/** What being one of several costs a server: rows with what the design asks for. */
async function nodeRows() {
  const rows = [];
  const add = (what, is, aim, isMet) => rows.push({ what, is, 'must be': `${aim}: ${isMet ? 'yes' : 'NO'}` });
  for (const perKey of [90, 30, 5]) {
    const { cpuMicros: cpu, callsPerRequest: calls } = await measureLimiter({ url: redis.url, perKey });
    const isAimed = cpu <= 3 && calls <= 0.5;
    add(
      `rate limit, ${perKey} requests/s of a tenant`,
      `${cpu.toFixed(1)} µs, ${calls.toFixed(2)} questions`,
      '≤ 3 µs, ≤ 0.5',
      isAimed,
    );
  }
  const cluster = await openCluster();
  try {
    const { alone, shared, ratio } = await measureSend(cluster, redis, { runs: RUNS, seconds: SECONDS });
    add(
      'send over REST, CPU',
      `${shared.toFixed(0)} µs : ${alone.toFixed(0)} µs alone = ${ratio.toFixed(2)}`,
      '≤ 1.15',
      ratio <= 1.15,
    );
    const { same, other } = await measureHop(cluster, redis, { messages: MESSAGES });
    const more = other - same;
    add(
      'send until at a socket, p50',
      `other node ${other.toFixed(2)} ms, same ${same.toFixed(2)} ms`,
      '≤ + 2 ms',
      more <= 2,
    );
  } finally {
    await cluster.close();
  }
  return rows;
}

/** What the sums of docs/scale.md say of three nodes under a load, beside what they take. */
async function pointRows() {
  const cluster = await openCluster();
  try {
    const point = await measurePoint(cluster, redis, await measure(1, POINT_RATE));
    process.stderr.write(`${JSON.stringify(point)}\n`);
    return pointTable(point).text;
  } finally {
    await cluster.close();
  }
}

function startSide() {
  const child = fork(SIDE, [JSON.stringify({ nodeId: randomUUID(), ...site })]);
  let failed;
  const ended = new Promise((_, reject) => (failed = reject));
  ended.catch(() => undefined);
  child.once('exit', (code) => failed(new Error(`a side ended with ${code}`)));
  process.once('exit', () => child.kill('SIGKILL'));
  return {
    call(name, argument) {
      const answer = new Promise((resolve) => child.once('message', ({ result }) => resolve(result)));
      child.send({ name, argument });
      return Promise.race([answer, ended]);
    },
  };
}
