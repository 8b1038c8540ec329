/**
 * `npm run bench:rest`: durable sends over REST, ours against the bare reference, in alternation (A B A B …), medians.
 * 200-byte messages with client_message_id; ours with credentials, validation, limits and membership. Environment:
 * BENCH_RUNS (5), BENCH_SECONDS (4). Writes its table into bench/README.md.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openCluster, startOurs } from './lib/cluster.mjs';
import { load, startServer } from './lib/processes.mjs';
import { table, writeSection } from './lib/report.mjs';
import { median } from './lib/stats.mjs';

const RUNS = Number(process.env.BENCH_RUNS ?? 5);
const SECONDS = Number(process.env.BENCH_SECONDS ?? 4);
const ROOM_COUNTS = (process.env.BENCH_ROOMS ?? '1,100,100000').split(',').map(Number);
const REFERENCE = fileURLToPath(new URL('./reference/rest.mjs', import.meta.url));
const BODY = JSON.stringify({ content: 'abcdefghij'.repeat(20), client_message_id: '{uuid}' });
/** Share of the bare server's closed-loop throughput at which the open loop compares latencies. */
const OPEN_LOOP_SHARE = 0.4;

const cluster = await openCluster();
const rows = [];
try {
  for (const count of ROOM_COUNTS) rows.push(...(await compare(count)));
  await writeSection('rest', table(rows));
} finally {
  await cluster.close();
}

async function compare(count) {
  const sides = [await ours(count), await bare(count)];
  try {
    // A plan made on empty tables is several times slower; ours renews its statistics by itself, the bare one cannot.
    for (const side of sides) await load({ ...target(side), seconds: 1 }, {});
    for (const side of sides) await cluster.sql(side.database, 'ANALYZE');
    const closed = await alternate(sides, {});
    const rate = Math.round(median(closed[1].map((r) => r.rate)) * OPEN_LOOP_SHARE);
    const open = await alternate(sides, { rate });
    return [row(count, 'closed, 32', closed), row(count, `open, ${rate}/s`, open)];
  } finally {
    for (const side of sides) await side.stop();
  }
}

async function alternate(sides, more) {
  const results = sides.map(() => []);
  for (let run = 0; run < RUNS; run++)
    for (const [i, side] of sides.entries()) {
      const result = await load(
        { ...target(side), seconds: SECONDS, ...more },
        { node: side.pid, postgres: cluster.pid },
      );
      if (result.failed > 0) throw new Error(`${side.name}: ${result.failed} failed, e.g. ${result.sample}`);
      results[i].push(result);
      process.stderr.write(
        `${side.name} ${JSON.stringify(more)} ${Math.round(result.rate)}/s p50 ${result.p50.toFixed(2)} p99 ${result.p99.toFixed(2)} ms cpu node ${result.cpu.node.toFixed(0)} pg ${result.cpu.postgres.toFixed(0)} µs\n`,
      );
    }
  return results;
}

function target({ url, paths, headers }) {
  return { url, paths, headers, body: BODY };
}

async function ours(count) {
  const server = await startOurs(cluster, `ours_${count}`);
  const rooms = await server.rooms(count);
  return { name: 'ours', database: `ours_${count}`, ...server, paths: paths(rooms) };
}

async function bare(count) {
  const connection = await cluster.database(`bare_${count}`);
  const roomsFile = join(cluster.directory, `bare_${count}.txt`);
  const options = JSON.stringify({ connection, rooms: count, roomsFile, append: 'batch' });
  const server = await startServer(process.execPath, [REFERENCE, options], {}, /listens on/);
  const url = /listens on (http:\S+)/.exec(server.output)[1];
  return {
    name: 'bare',
    database: `bare_${count}`,
    ...server,
    url,
    headers: {},
    paths: paths(readFileSync(roomsFile, 'utf8').split('\n')),
  };
}

function paths(rooms) {
  // The command line of the load has room for so many; they are spread over the whole set.
  const step = Math.max(1, Math.floor(rooms.length / 1000));
  return rooms.filter((_, i) => i % step === 0).map((room) => `/rooms/${room}/messages`);
}

function row(count, loop, [ours, bare]) {
  const of = (results, pick) => median(results.map(pick));
  const rate = [of(ours, (r) => r.rate), of(bare, (r) => r.rate)];
  const p99 = [of(ours, (r) => r.p99), of(bare, (r) => r.p99)];
  return {
    rooms: count,
    loop,
    'ours msg/s': Math.round(rate[0]),
    'bare msg/s': Math.round(rate[1]),
    throughput: `${Math.round((rate[0] / rate[1]) * 100)} %`,
    'ours p50/p99 ms': `${of(ours, (r) => r.p50).toFixed(2)} / ${p99[0].toFixed(2)}`,
    'bare p50/p99 ms': `${of(bare, (r) => r.p50).toFixed(2)} / ${p99[1].toFixed(2)}`,
    'p99 ratio': (p99[0] / p99[1]).toFixed(2),
    'ours CPU µs node/pg': `${of(ours, (r) => r.cpu.node).toFixed(0)} / ${of(ours, (r) => r.cpu.postgres).toFixed(0)}`,
    'bare CPU µs node/pg': `${of(bare, (r) => r.cpu.node).toFixed(0)} / ${of(bare, (r) => r.cpu.postgres).toFixed(0)}`,
  };
}
