/**
 * `npm run bench:storm`: everybody comes back at once, while messages flow. Environment: BENCH_CLIENTS (2000). Writes its
 * table into bench/README.md.
 */
import { fileURLToPath } from 'node:url';
import { openCluster } from './lib/cluster.mjs';
import { runLoad } from './lib/processes.mjs';
import { table, writeSection } from './lib/report.mjs';
import { ours } from './lib/ws-sides.mjs';

const CLIENTS = Number(process.env.BENCH_CLIENTS ?? 2000);
const ROOMS_EACH = 10;
const MEMBERS = 100;
const MISSED = 20;
const LOAD = fileURLToPath(new URL('./lib/storm-load.mjs', import.meta.url));
const COMMITS = 'SELECT xact_commit::integer AS n FROM pg_stat_database WHERE datname = $1';

const cluster = await openCluster();
try {
  const server = await ours(cluster, { rooms: (CLIENTS * ROOMS_EACH) / MEMBERS, members: MEMBERS, users: CLIENTS });
  try {
    await miss(server);
    await cluster.sql(server.database, 'ANALYZE');
    const before = {};
    const load = {
      ...{ url: server.url, headers: server.headers, key: server.headers['X-API-Key'], rooms: server.load.rooms },
      ...{ clients: CLIENTS, perClient: ROOMS_EACH, seconds: 5, rate: 40, timeoutMs: 120_000 },
    };
    let queries;
    const counted = async () => (await commits(server.database)) ?? 0;
    const result = await runLoad(LOAD, load, { node: server.pid, pg: cluster.pid }, (message) => {
      if (message === 'measuring') before.at = counted();
      if (message === 'measured') queries = Promise.all([before.at, counted()]);
    });
    const [first, after] = await queries;
    await writeSection('storm', table(rows(result, after - first)));
  } finally {
    await server.stop();
  }
} finally {
  await cluster.close();
}

/** Messages in every room that nobody has acknowledged. */
async function miss({ url, headers, load: { rooms } }) {
  for (let n = 0; n < MISSED; n++)
    for (let from = 0; from < rooms.length; from += 50)
      await Promise.all(
        rooms.slice(from, from + 50).map(async (room) => {
          const answer = await fetch(`${url}/rooms/${room}/messages`, {
            method: 'POST',
            headers: { ...headers, 'Content-Type': 'application/json' },
            body: JSON.stringify({ content: 'abcdefghij'.repeat(20) }),
          });
          if (answer.status !== 201) throw new Error(`sending answered ${answer.status}`);
        }),
      );
}

/** Transactions of the server's database so far; a read is one. */
async function commits(name) {
  await cluster.sql(name, 'SELECT pg_stat_clear_snapshot()');
  return (await cluster.sql(name, COMMITS, [name]))[0].n;
}

function rows({ liveMs, calm, storm, refused, faults, behind, delivered }, queries) {
  const row = (what, value, must) => ({ 'what of it': what, is: value, 'must be': must });
  return [
    row('clients', String(CLIENTS), ''),
    row('all of them live after, s', (liveMs / 1000).toFixed(1), '≤ 30'),
    row('messages that they got', String(delivered), ''),
    row('messages out of order or missing · clients that are behind', `${faults} · ${behind}`, '0 · 0'),
    row('transactions of the database per client, sends included', (queries / CLIENTS).toFixed(2), '≤ 3'),
    row('p99 of a healthy client, calm : storm, ms', `${calm.toFixed(1)} : ${storm.toFixed(1)}`, ''),
    row('… times as long', (storm / calm).toFixed(1), '≤ 2'),
    row('upgrades that were told to come back', String(refused), ''),
  ];
}
