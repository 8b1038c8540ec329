/**
 * `npm run bench:notify`: a notification for the subscribers of one topic, all of whom are online: how long until the
 * last one has it. One at a time; each is stored per user before it is sent. Environment: BENCH_RUNS (5), BENCH_SECONDS
 * (4), BENCH_USERS (10000). Writes its table into bench/README.md.
 */
import { fileURLToPath } from 'node:url';
import { DEMO_TENANT, openCluster } from './lib/cluster.mjs';
import { runLoad } from './lib/processes.mjs';
import { table, writeSection } from './lib/report.mjs';
import { median } from './lib/stats.mjs';
import { ours } from './lib/ws-sides.mjs';

const RUNS = Number(process.env.BENCH_RUNS ?? 5);
const SECONDS = Number(process.env.BENCH_SECONDS ?? 4);
const USERS = Number(process.env.BENCH_USERS ?? 10_000);
const LOAD = fileURLToPath(new URL('./lib/ws-load.mjs', import.meta.url));
const TOPIC = 'bench';
const SUBSCRIBE = `INSERT INTO subscriptions (tenant_id, subscription_id, user_id, topic)
  SELECT $1, gen_random_uuid(), 'user' || n, $3 FROM generate_series(0, $2::integer - 1) n`;
const BODY = JSON.stringify({ topic: TOPIC, payload: { text: '{content}' }, targets: { topic_subscribers: true } });

const cluster = await openCluster();
try {
  const server = await ours(cluster, { rooms: USERS / 100, members: 100, users: USERS });
  try {
    await cluster.sql(server.database, SUBSCRIBE, [DEMO_TENANT, USERS, TOPIC]);
    await cluster.sql(server.database, 'ANALYZE');
    const publish = { by: 'rest', url: server.url, path: '/notify', headers: server.headers, body: BODY };
    const results = [];
    for (let run = 0; run < RUNS; run++) {
      const load = { ...server.load, mode: 'fanout', count: USERS, window: 1, seconds: SECONDS, publish };
      const result = await runLoad(LOAD, load, { node: server.pid, postgres: cluster.pid });
      process.stderr.write(
        `${Math.round(result.rate)}/s p50 ${result.p50.toFixed(0)} p99 ${result.p99.toFixed(0)} ms\n`,
      );
      results.push(result);
    }
    await writeSection('notify', table([row(results)]));
  } finally {
    await server.stop();
  }
} finally {
  await cluster.close();
}

function row(results) {
  const of = (pick) => median(results.map(pick));
  return {
    'users online': USERS,
    'until the last has it, p50 ms': of((r) => r.p50).toFixed(0),
    'p99 ms': of((r) => r.p99).toFixed(0),
    'deliveries/s': Math.round(of((r) => r.rate)),
    'CPU µs per delivery node/pg': `${of((r) => r.cpu.node).toFixed(0)} / ${of((r) => r.cpu.postgres).toFixed(0)}`,
  };
}
