/**
 * `npm run bench:backup`: what a backup does to sends beside it. Sends come by the clock, without a backup, beside a gentle
 * one, beside a fast one, in alternation (A B C A B C …); medians, and the median of the ratios of neighbours. Environment:
 * BENCH_RUNS (9), BENCH_SECONDS (5), BENCH_RATE (1000), BENCH_FILL (40; seconds of sends at full speed beforehand). Writes its
 * table into bench/README.md.
 */
import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { openCluster, startOurs } from './lib/cluster.mjs';
import { load } from './lib/processes.mjs';
import { table, writeSection } from './lib/report.mjs';
import { median } from './lib/stats.mjs';

const RUNS = Number(process.env.BENCH_RUNS ?? 9);
const SECONDS = Number(process.env.BENCH_SECONDS ?? 5);
const RATE = Number(process.env.BENCH_RATE ?? 1000);
const FILL = Number(process.env.BENCH_FILL ?? 40);
const BODY = JSON.stringify({ content: 'abcdefghij'.repeat(20), client_message_id: '{uuid}' });
const ROOT = join(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '..');
const WAYS = { without: undefined, gentle: [], fast: ['--fast'] };

const cluster = await openCluster();
try {
  const server = await startOurs(cluster, 'backup');
  try {
    await writeSection('backup', table(await compare(server)));
  } finally {
    await server.stop();
  }
} finally {
  await cluster.close();
}

async function compare(server) {
  const target = await server.tenant({ requests_per_second: null });
  await load({ ...target, body: BODY, connections: 64, seconds: FILL }, {});
  const results = Object.fromEntries(Object.keys(WAYS).map((way) => [way, []]));
  for (let run = 0; run < RUNS; run++)
    for (const [way, flags] of Object.entries(WAYS)) {
      const backups = flags === undefined ? undefined : keepBackingUp(server, flags);
      const sent = await load({ ...target, body: BODY, rate: RATE, connections: 32, warmup: 1, seconds: SECONDS }, {});
      const count = await backups?.stop();
      results[way].push(sent);
      process.stderr.write(
        `${way} ${sent.rate.toFixed(0)}/s p50 ${sent.p50.toFixed(2)} p99 ${sent.p99.toFixed(2)} ms, backups ${count ?? '-'}\n`,
      );
    }
  return Object.entries(results).map(([way, runs]) => ({
    'beside a backup': way,
    'messages/s': Math.round(median(runs.map((r) => r.rate))),
    'p50 ms': median(runs.map((r) => r.p50)).toFixed(2),
    'p99 ms': median(runs.map((r) => r.p99)).toFixed(2),
    'p99 ratio': median(runs.map((r, i) => r.p99 / results.without[i].p99)).toFixed(2),
  }));
}

/** One after the other, so that one runs for as long as is measured. */
function keepBackingUp({ environment }, flags) {
  let isOver = false;
  let count = 0;
  const running = (async () => {
    while (!isOver) {
      const file = join(environment.DATA_DIR, `bench-${++count}`);
      await backUp(['backup', file, ...flags], environment);
      rmSync(file);
    }
  })();
  return {
    stop: async () => {
      isOver = true;
      await running;
      return count;
    },
  };
}

function backUp(args, environment) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(ROOT, 'dist', 'backup.js'), ...args], {
      stdio: 'ignore',
      env: { PATH: process.env.PATH, ...environment },
    });
    child.once('error', reject);
    child.once('exit', (code) => (code === 0 ? resolve() : reject(new Error(`a backup ended with ${code}`))));
  });
}
