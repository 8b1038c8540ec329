/**
 * `npm run bench:fairness`: what a tenant that floods does to another one. The quiet tenant sends at a steady rate by
 * the clock, with and without the flood, in alternation (A B A B …), medians. Environment: BENCH_RUNS (5),
 * BENCH_SECONDS (4), BENCH_CONNECTIONS (64,256; of the unlimited flood). Writes its table into bench/README.md.
 */
import { openCluster, startOurs } from './lib/cluster.mjs';
import { load } from './lib/processes.mjs';
import { table, writeSection } from './lib/report.mjs';
import { median } from './lib/stats.mjs';

const RUNS = Number(process.env.BENCH_RUNS ?? 5);
const SECONDS = Number(process.env.BENCH_SECONDS ?? 4);
const CONNECTIONS = (process.env.BENCH_CONNECTIONS ?? '64,256').split(',').map(Number);
const BODY = JSON.stringify({ content: 'abcdefghij'.repeat(20), client_message_id: '{uuid}' });
/** The default limit of a tenant, in requests a second; the quiet one stays below it. */
const LIMIT = 100;
const QUIET = { rate: 60, connections: 8, warmup: 1 };
const FLOODS = [
  { name: '20 × its limit', limits: {}, load: { rate: 20 * LIMIT, connections: 32 } },
  ...CONNECTIONS.map((connections) => ({
    name: `without a limit, ${connections} connections`,
    limits: { requests_per_second: null },
    load: { connections },
  })),
];

const cluster = await openCluster();
const rows = [];
try {
  const server = await startOurs(cluster, 'fairness');
  try {
    const quiet = await server.tenant({});
    for (const flood of FLOODS) rows.push(await compare(server, quiet, flood));
  } finally {
    await server.stop();
  }
  await writeSection('fairness', table(rows));
} finally {
  await cluster.close();
}

async function compare(server, quiet, flood) {
  const flooding = await server.tenant(flood.limits);
  const calm = [];
  const flooded = [];
  const floods = [];
  // A plan made on empty tables is several times slower, and a fresh cluster has yet to make its WAL files.
  await load({ ...flooding, body: BODY, ...flood.load, seconds: 2 }, {});
  for (let run = 0; run < RUNS; run++) {
    calm.push(await send(quiet));
    // The flood is there before the first and until after the last request that is measured.
    const [other, result] = await Promise.all([
      load({ ...flooding, body: BODY, ...flood.load, warmup: 0.5, seconds: SECONDS + 1 }, { node: server.pid }),
      send(quiet),
    ]);
    flooded.push(result);
    floods.push(other);
    for (const [name, { rate, p50, p99, statuses }] of Object.entries({ calm: calm.at(-1), flooded: result, other }))
      process.stderr.write(
        `${flood.name} ${name} ${rate.toFixed(0)}/s p50 ${p50.toFixed(2)} p99 ${p99.toFixed(2)} ms ${JSON.stringify(statuses)}\n`,
      );
  }
  return row(flood, calm, flooded, floods);
}

function send(quiet) {
  return load({ ...quiet, body: BODY, ...QUIET, seconds: SECONDS }, {});
}

function row(flood, calm, flooded, floods) {
  const of = (results, pick) => median(results.map(pick));
  const sum = (results, pick) => results.reduce((total, result) => total + pick(result), 0);
  const p99 = [calm, flooded].map((results) => of(results, (r) => r.p99));
  const pair = (results) => `${of(results, (r) => r.p50).toFixed(2)} / ${of(results, (r) => r.p99).toFixed(2)}`;
  return {
    'the other tenant floods': flood.name,
    'its requests/s': Math.round(of(floods, (r) => (r.ok + r.failed) / r.seconds)),
    stored: `${Math.round((sum(floods, (r) => r.ok) / sum(floods, (r) => r.ok + r.failed)) * 100)} %`,
    'quiet p50/p99 ms without': pair(calm),
    with: pair(flooded),
    'p99 ratio': (p99[1] / p99[0]).toFixed(2),
    refused: sum([...calm, ...flooded], (r) => r.failed),
  };
}
