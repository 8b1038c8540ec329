/**
 * `npm run bench:big`: what size costs. A room with 1,000,000 messages against one with 1,000, a user in 1,000 rooms
 * against one in 50, a room of 10,000 members against one of 50: the same page of each in alternation, one request at a
 * time. Then the hot routes (list, ack, read) with 32 connections against bare Fastify with one statement each; and the
 * live numbers of this installation, with 1,000 tenants more, against those of an empty one: at most 2 ms of CPU a scrape,
 * and 1.2 times the empty one's; pages of the list of connections while 10,000 are open: at most 20 ms. Then an export of
 * the tenant, and an import of 1,000,000 messages, with one wrong line and without: at most 40 MB more than the server had
 * before. Last, sends while a tenant with 1,000,000 messages is deleted.
 * Environment: BENCH_RUNS (5), BENCH_SECONDS (1), BENCH_DELETED (messages of that tenant), BENCH_IMPORTED (messages of that
 * file), BENCH_CONNECTIONS (10,000), BENCH_ONLY=deletion, import or connections (that alone, by itself, and nothing is
 * written down). Writes its tables into bench/README.md.
 */
import { fileURLToPath } from 'node:url';
import { fill, fillTenants, rewind, roomsOf, SIZES, TENANT } from './lib/big-data.mjs';
import { openCluster, startOurs } from './lib/cluster.mjs';
import { connectionLists } from './lib/connections.mjs';
import { compareDeletion } from './lib/deletion.mjs';
import { exportMemory } from './lib/export-memory.mjs';
import { importMemory } from './lib/import-memory.mjs';
import { load, startServer } from './lib/processes.mjs';
import { table, writeSection } from './lib/report.mjs';
import { median } from './lib/stats.mjs';

const RUNS = Number(process.env.BENCH_RUNS ?? 5);
const SECONDS = Number(process.env.BENCH_SECONDS ?? 1);
const DELETED = Number(process.env.BENCH_DELETED ?? 1_000_000);
const IMPORTED = Number(process.env.BENCH_IMPORTED ?? 1_000_000);
const REFERENCE = fileURLToPath(new URL('./reference/routes.mjs', import.meta.url));
const WARMUP = 0.5;
const CONNECTIONS = Number(process.env.BENCH_CONNECTIONS ?? 10_000);
const PAGE = 50;
/** Of the numbers, per second: below the 100 that the master key may call. What the server does by itself is counted with them. */
const SCRAPES = 80;

const cluster = await openCluster();
try {
  const server = await startOurs(cluster, 'big');
  const sql = (text, values) => cluster.sql('big', text, values);
  const deletion = () =>
    compareDeletion(cluster, server, sql, { count: DELETED, runs: RUNS, seconds: SECONDS, warmup: WARMUP });
  if (process.env.BENCH_ONLY === 'deletion') console.log(table([await deletion()]));
  else if (process.env.BENCH_ONLY === 'import') console.log(table(await importMemory(server, sql, IMPORTED)));
  else if (process.env.BENCH_ONLY === 'connections') console.log(table(await connections(server)));
  else await everything(server, sql, deletion);
  await server.stop();
} finally {
  await cluster.close();
}

function connections(server) {
  return connectionLists(server, { count: CONNECTIONS, runs: RUNS, seconds: SECONDS, warmup: WARMUP });
}

async function everything(server, sql, deletion) {
  const ids = await fill(sql);
  const cases = pages(ids);
  for (const each of cases) for (const side of [each.small, each.big]) await check(server, side);
  const sizes = [];
  for (const each of cases) sizes.push(await compareSizes(server, each));
  const routes = await compareRoutes(server, sql, ids);
  const scrapes = await compareScrapes(server, sql);
  const lists = await connections(server);
  const memory = [await exportMemory(server, TENANT)];
  const imports = await importMemory(server, sql, IMPORTED);
  const tables = [sizes, routes, scrapes, lists, memory, imports, [await deletion()]];
  await writeSection('big', tables.map(table).join('\n\n'));
}

/** The same page of a small and a big thing; `expect` is what the answer must say, so that nothing wrong is measured. */
function pages({ smallLog, bigLog, fewMembers, manyMembers }) {
  const { messages, rooms, members } = SIZES;
  const get = (path, expect, userId = 'alice') => ({ path, expect, userId });
  const log = (room, query, first, total) =>
    get(`/rooms/${room}/messages?limit=${PAGE}&${query}`, { total, items: PAGE, first: { seq: first } });
  const changes = (room, after) =>
    get(`/rooms/${room}/changes?limit=${PAGE}&after_rev=${after}`, { items: PAGE, first: { rev: after + 1 } });
  const list = (userId, offset, total) =>
    get(`/rooms?limit=${PAGE}&offset=${offset}`, { total, items: PAGE, first: { unread_count: rooms.unread } }, userId);
  const crowd = (room, offset, total) =>
    get(`/rooms/${room}/members?limit=${PAGE}&offset=${offset}`, { total, items: PAGE, first: {} });
  const newest = (room, count) => log(room, 'order=desc', count - PAGE + 1, count);
  const near = (count) => count - 2 * PAGE;
  return [
    {
      what: 'messages, newest page',
      small: newest(smallLog, messages.small),
      big: newest(bigLog, messages.big),
    },
    {
      what: 'messages, at 90 % by offset',
      small: log(smallLog, `offset=${messages.small * 0.9}`, messages.small * 0.9 + 1, messages.small),
      big: log(bigLog, `offset=${messages.big * 0.9}`, messages.big * 0.9 + 1, messages.big),
    },
    {
      what: 'changes, near the end',
      small: changes(smallLog, near(messages.small)),
      big: changes(bigLog, near(messages.big)),
    },
    { what: 'changes, at the start', small: changes(smallLog, 0), big: changes(bigLog, 0) },
    { what: 'my rooms, first page', small: list('few', 0, rooms.small), big: list('many', 0, rooms.big) },
    {
      what: 'my rooms, at 90 % by offset',
      small: list('few', 0, rooms.small),
      big: list('many', rooms.big * 0.9, rooms.big),
    },
    {
      what: 'members, first page',
      small: crowd(fewMembers, 0, members.small),
      big: crowd(manyMembers, 0, members.big),
    },
    {
      what: 'members, at 90 % by offset',
      small: crowd(fewMembers, 0, members.small),
      big: crowd(manyMembers, members.big * 0.9, members.big),
    },
  ];
}

async function check(server, { path, userId, expect }) {
  const response = await fetch(server.url + path, { headers: { ...server.headers, 'X-User-Id': userId } });
  const body = await response.json();
  const items = Array.isArray(body) ? body : (body.rooms ?? body.changes);
  const total = body.total ?? Number(response.headers.get('X-Total-Count') ?? undefined);
  const isRight =
    items?.length === expect.items &&
    (expect.total === undefined || total === expect.total) &&
    Object.entries(expect.first).every(([name, value]) => items[0][name] === value);
  if (!isRight)
    throw new Error(`${path} answered ${response.status}, total ${total}: ${JSON.stringify(body).slice(0, 300)}`);
}

/** The stats of an empty server against those of one with many tenants and messages. */
async function compareScrapes(server, sql) {
  await fillTenants(sql);
  const empty = await startOurs(cluster, 'empty');
  const tenant = `tenant_${TENANT.replaceAll('-', '')}`;
  const paths = {
    'stats of all': '/admin/stats',
    'stats of a tenant': `/admin/stats?tenant_id=${tenant}`,
    'history of a tenant, 24 h': `/admin/stats/history?range=24h&tenant_id=${tenant}`,
  };
  const rows = [];
  for (const [what, path] of Object.entries(paths)) {
    const results = await alternate({ empty, big: server }, ({ url, master, pid }) => ({
      target: { url, paths: [path], headers: master, method: 'GET', rate: SCRAPES },
      connections: 1,
      pid,
      name: what,
    }));
    const cpu = (side) => median(results[side].map((r) => r.cpu.node + r.cpu.postgres));
    rows.push({
      scrape: what,
      'p50 ms, empty : big': ['empty', 'big'].map((s) => median(results[s].map((r) => r.p50)).toFixed(2)).join(' : '),
      'CPU µs node/pg, empty': cpuOf(results.empty),
      'CPU µs node/pg, big': cpuOf(results.big),
      'ratio CPU': (cpu('big') / cpu('empty')).toFixed(2),
      // What was read of a day that the empty one has not had is no scrape.
      '≤2 ms': path.includes('history') ? '–' : cpu('big') <= 2000 ? 'yes' : 'NO',
    });
  }
  await empty.stop();
  return rows;
}

async function compareSizes(server, { what, small, big }) {
  const results = await alternate({ small, big }, ({ path, userId }) => ({
    target: { url: server.url, paths: [path], headers: { ...server.headers, 'X-User-Id': userId }, method: 'GET' },
    connections: 1,
    pid: server.pid,
    name: `${what}: ${path.slice(-40)}`,
  }));
  const [p50, cpu] = [(r) => r.p50, (r) => r.cpu.node + r.cpu.postgres];
  const of = (side, pick) => median(results[side].map(pick));
  const ratio = (pick) => (of('big', pick) / of('small', pick)).toFixed(2);
  return {
    page: what,
    'p50 ms, small : big': `${of('small', p50).toFixed(2)} : ${of('big', p50).toFixed(2)}`,
    'ratio p50': ratio(p50),
    'CPU µs node/pg, small': cpuOf(results.small),
    'CPU µs node/pg, big': cpuOf(results.big),
    'ratio CPU': ratio(cpu),
  };
}

/** The routes that clients call most, with 32 connections. */
async function compareRoutes(server, sql, { bigLog }) {
  const options = JSON.stringify({ connection: cluster.admin('big'), tenant: TENANT, userId: 'many' });
  const bare = await startServer(process.execPath, [REFERENCE, options], {}, /listens on/);
  bare.url = /listens on (http:\S+)/.exec(bare.output)[1];
  bare.headers = {};
  const bodies = (await roomsOf(sql, 'many')).slice(0, 500).map((room) => `{"room_id":"${room}","seq":{round}}`);
  const routes = {
    'GET messages, newest 50': {
      method: 'GET',
      paths: [`/rooms/${bigLog}/messages?order=desc&limit=${PAGE}`],
      userId: 'alice',
    },
    'POST /acks': { method: 'POST', paths: ['/acks'], bodies, userId: 'many' },
    'POST /reads': { method: 'POST', paths: ['/reads'], bodies, userId: 'many' },
  };
  const rows = [];
  for (const [route, { userId, ...request }] of Object.entries(routes)) {
    const results = await alternate(
      { ours: server, bare },
      ({ url, headers, pid }) => ({
        target: { url, headers: { ...headers, 'X-User-Id': userId }, ...request },
        connections: 32,
        pid,
        name: `${route}: ${url}`,
      }),
      () => rewind(sql, userId),
    );
    rows.push(routeRow(route, results));
  }
  await bare.stop();
  return rows;
}

function routeRow(route, { ours, bare }) {
  const of = (results, pick) => median(results.map(pick));
  const rate = (results) => of(results, (r) => r.rate);
  const latency = (results) => `${of(results, (r) => r.p50).toFixed(2)} / ${of(results, (r) => r.p99).toFixed(2)}`;
  return {
    route,
    'ours /s': Math.round(rate(ours)),
    'bare /s': Math.round(rate(bare)),
    'of it': `${Math.round((rate(ours) / rate(bare)) * 100)} %`,
    'ours p50/p99 ms': latency(ours),
    'bare p50/p99 ms': latency(bare),
    'ours CPU µs node/pg': cpuOf(ours),
    'bare CPU µs node/pg': cpuOf(bare),
  };
}

/** Runs the sides in turns (A B A B …); `describe` says how to load one, `before` runs ahead of each turn. */
async function alternate(sides, describe, before = async () => undefined) {
  const results = Object.fromEntries(Object.keys(sides).map((side) => [side, []]));
  for (let run = 0; run < RUNS; run++)
    for (const [side, thing] of Object.entries(sides)) {
      const { target, connections, pid, name } = describe(thing);
      await before();
      const options = { ...target, connections, seconds: SECONDS, warmup: WARMUP };
      const result = await load(options, { node: pid, postgres: cluster.pid });
      if (result.failed > 0) throw new Error(`${name}: ${result.failed} failed, e.g. ${result.sample}`);
      results[side].push(result);
      process.stderr.write(
        `${side} ${name} ${Math.round(result.rate)}/s p50 ${result.p50.toFixed(2)} ms cpu ${cpuOf([result])} µs\n`,
      );
    }
  return results;
}

function cpuOf(results) {
  const of = (name) => median(results.map((r) => r.cpu[name])).toFixed(0);
  return `${of('node')} / ${of('postgres')}`;
}
