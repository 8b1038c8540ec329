/**
 * `npm run bench:storm`: everybody comes back at once. BENCH_CASES picks cases by comma; without it all of them run, and
 * rows of the others stay as they are in bench/README.md:
 *
 * - storm: 2,000 clients while messages flow (3 runs; BENCH_CLIENTS, BENCH_RUNS);
 * - connects: one room of 1,000, nothing to catch up on, against nats-server (BENCH_RUNS 5, BENCH_CONNECT_RATE 2000;
 *   BENCH_CACHE: where nats-server is built, see lib/nats.mjs);
 * - history: the same with 500 messages each, against live fan-out (BENCH_RUNS 3, BENCH_SECONDS 4, BENCH_CALM_SECONDS 15);
 * - returns: CPU of a return and of a first connect (BENCH_RUNS 3, BENCH_CLIENTS 1000);
 * - crowd: 10,000 clients, memory (BENCH_CROWD, BENCH_CROWD_RUNS 1, BENCH_SETTLE_SECONDS 30, BENCH_CALM_SECONDS 15);
 * - newest: the newest page of a hot room against the bare reference (BENCH_PAIRS 9, BENCH_SECONDS 2).
 *
 * BENCH_DRY prints the tables and leaves bench/README.md alone.
 */
import { fileURLToPath } from 'node:url';
import { openCluster } from './lib/cluster.mjs';
import { CONNECT_ROWS, connects } from './lib/comeback/connects.mjs';
import { crowd, CROWD_ROWS } from './lib/comeback/crowd.mjs';
import { history, HISTORY_ROWS } from './lib/comeback/history.mjs';
import { newest, NEWEST_ROWS } from './lib/comeback/newest.mjs';
import { RETURN_ROWS, returns } from './lib/comeback/returns.mjs';
import { merged } from './lib/comeback/rows.mjs';
import { runLoad } from './lib/processes.mjs';
import { readRows, table, writeSection } from './lib/report.mjs';
import { cpuSeconds, median } from './lib/stats.mjs';
import { ours } from './lib/ws-sides.mjs';

const CLIENTS = Number(process.env.BENCH_CLIENTS ?? 2000);
const RUNS = Number(process.env.BENCH_RUNS ?? 3);
/** As many samples as the storm takes: the 99th percentile of a few is chance. */
const CALM_SECONDS = 20;
const ROOMS_EACH = 10;
const MEMBERS = 100;
const MISSED = 20;
const LOAD = fileURLToPath(new URL('./lib/storm-load.mjs', import.meta.url));
const COMMITS = 'SELECT xact_commit::integer AS n FROM pg_stat_database WHERE datname = $1';

/** Cases of the second table, in its order. */
const COMEBACKS = { connects, history, returns, crowd, newest };
const ORDER = [CONNECT_ROWS, HISTORY_ROWS, RETURN_ROWS, CROWD_ROWS, NEWEST_ROWS].flat();
const WANTED = process.env.BENCH_CASES?.split(',') ?? ['storm', ...Object.keys(COMEBACKS)];
const unknown = WANTED.filter((name) => name !== 'storm' && !Object.hasOwn(COMEBACKS, name));
if (unknown.length > 0)
  throw new Error(`BENCH_CASES knows storm, ${Object.keys(COMEBACKS).join(', ')}: not ${unknown}`);

const cluster = await openCluster();
try {
  if (WANTED.includes('storm')) await write('storm', table(rows(await storms())));
  for (const [name, measure] of Object.entries(COMEBACKS))
    if (WANTED.includes(name))
      await write('comeback', table(merged(readRows('comeback'), await measure(cluster), ORDER)));
} finally {
  await cluster.close();
}

async function write(section, markdown) {
  if (process.env.BENCH_DRY) console.log(markdown);
  else await writeSection(section, markdown);
}

async function storms() {
  const runs = [];
  for (let run = 0; run < RUNS; run++) {
    runs.push(await storm());
    const { liveMs, calm, storm: stormy } = runs.at(-1);
    process.stderr.write(
      `live after ${(liveMs / 1000).toFixed(1)} s, p99 ${calm.toFixed(1)} : ${stormy.toFixed(1)} ms\n`,
    );
  }
  return runs;
}

/** One storm, on a server and a database of its own. */
async function storm() {
  const server = await ours(cluster, { rooms: (CLIENTS * ROOMS_EACH) / MEMBERS, members: MEMBERS, users: CLIENTS });
  try {
    await miss(server);
    await cluster.sql(server.database, 'ANALYZE');
    const load = {
      ...{ url: server.url, headers: server.headers, key: server.headers['X-API-Key'], rooms: server.load.rooms },
      ...{ clients: CLIENTS, perClient: ROOMS_EACH, seconds: CALM_SECONDS, rate: 40, timeoutMs: 120_000 },
    };
    const marks = {};
    const result = await runLoad(LOAD, load, {}, (message) => (marks[message] = mark(server)));
    const between = async (from, to) => {
      const [first, after] = await Promise.all([marks[from], marks[to]]);
      return { queries: (after.queries - first.queries) / CLIENTS, cpuMs: ((after.cpu - first.cpu) * 1000) / CLIENTS };
    };
    return {
      ...result,
      queries: (await between('measuring', 'measured')).queries,
      first: await between('first', 'first done'),
      again: await between('again', 'again done'),
    };
  } finally {
    await server.stop();
  }
}

/** What the server and PostgreSQL have used so far. */
async function mark(server) {
  const cpu = cpuSeconds(server.pid) + cpuSeconds(cluster.pid);
  return { cpu, queries: (await commits(server.database)) ?? 0 };
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

function rows(runs) {
  const row = (what, value, must) => ({ 'what of it': what, is: value, 'must be': must });
  const of = (pick, digits) => median(runs.map(pick)).toFixed(digits);
  const worst = (pick) => String(Math.max(...runs.map(pick)));
  return [
    row('clients · storms', `${CLIENTS} · ${RUNS}`, ''),
    row(
      'all of them live after, s',
      of(({ liveMs }) => liveMs / 1000, 1),
      '≤ 30',
    ),
    row(
      'messages that they got',
      of(({ delivered }) => delivered, 0),
      '',
    ),
    row(
      'messages out of order or missing · clients that are behind',
      `${worst(({ faults }) => faults)} · ${worst(({ behind }) => behind)}`,
      '0 · 0',
    ),
    row(
      'transactions of the database per client, sends included',
      of(({ queries }) => queries, 2),
      '≤ 3',
    ),
    row('p99 of a healthy client, calm : storm, ms', `${of((r) => r.calm, 1)} : ${of((r) => r.storm, 1)}`, ''),
    row(
      '… times as long',
      of((r) => r.storm / r.calm, 1),
      '≤ 2',
    ),
    row(
      'upgrades that were told to come back',
      worst((r) => r.refused),
      '',
    ),
    row(
      'first connect : coming back, ms of CPU (server and PostgreSQL)',
      `${of((r) => r.first.cpuMs, 2)} : ${of((r) => r.again.cpuMs, 2)}`,
      '',
    ),
    row(
      'first connect : coming back, transactions',
      `${of((r) => r.first.queries, 2)} : ${of((r) => r.again.queries, 2)}`,
      '',
    ),
  ];
}
