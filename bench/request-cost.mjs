/**
 * `npm run bench:request`: CPU per send with the append stubbed on both sides: what credentials, limits, validation and
 * Nest cost over bare Fastify with a compiled schema. Environment: BENCH_RUNS (5), BENCH_SECONDS (4).
 */
import { fileURLToPath } from 'node:url';
import { openCluster, startOurs } from './lib/cluster.mjs';
import { load, startServer } from './lib/processes.mjs';
import { table, writeSection } from './lib/report.mjs';
import { median } from './lib/stats.mjs';

const RUNS = Number(process.env.BENCH_RUNS ?? 5);
const SECONDS = Number(process.env.BENCH_SECONDS ?? 4);
const file = (name) => fileURLToPath(new URL(name, import.meta.url));
const BODY = JSON.stringify({ content: 'abcdefghij'.repeat(20), client_message_id: '{uuid}' });

const cluster = await openCluster();
try {
  const ours = await startOurs(cluster, 'stubbed', { main: file('./lib/stubbed-server.mjs') });
  const bare = await startServer(
    process.execPath,
    [file('./reference/rest.mjs'), JSON.stringify({ append: 'stub' })],
    {},
    /listens on/,
  );
  bare.url = /listens on (http:\S+)/.exec(bare.output)[1];
  const results = { ours: [], bare: [] };
  for (let run = 0; run < RUNS; run++)
    for (const [name, server] of Object.entries({ ours, bare })) {
      const options = {
        url: server.url,
        paths: ['/rooms/room_019000000000700080000000000000d0/messages'],
        headers: server.headers ?? {},
        body: BODY,
        seconds: SECONDS,
      };
      const result = await load(options, { node: server.pid });
      if (result.failed > 0) throw new Error(`${name}: ${result.sample}`);
      results[name].push(result);
      process.stderr.write(`${name} ${Math.round(result.rate)}/s, ${result.cpu.node.toFixed(0)} µs\n`);
    }
  await ours.stop();
  await bare.stop();
  const cpu = (name) => median(results[name].map((r) => r.cpu.node));
  const rate = (name) => Math.round(median(results[name].map((r) => r.rate)));
  await writeSection(
    'request',
    table([
      {
        '': 'CPU µs per request',
        ours: cpu('ours').toFixed(0),
        bare: cpu('bare').toFixed(0),
        ratio: (cpu('ours') / cpu('bare')).toFixed(2),
      },
      {
        '': 'requests/s, 32 connections',
        ours: rate('ours'),
        bare: rate('bare'),
        ratio: (rate('ours') / rate('bare')).toFixed(2),
      },
    ]),
  );
} finally {
  await cluster.close();
}
