/**
 * `npm run bench:partitions`: plain tables against 32 hash partitions (docs/adr/0027-partitions.md). Two databases of one
 * cluster hold the same 5,000,000 messages; the statements of our repositories run on each in turns, through a pool of one
 * connection, and what is compared is CPU µs per call of its backend and the buffers that it looked at. The partitioned
 * side runs twice: as PostgreSQL chooses its plans (`plan_cache_mode` auto, as the server has it), and with generic ones.
 * Environment: BENCH_PAIRS (9), BENCH_MESSAGES (5000000; 500000 at least), BENCH_PARTITIONS (32), BENCH_STATISTICS (1; 0: without
 * those that say that a room has one tenant). Writes its tables into bench/README.md.
 */
import { createHash, randomUUID } from 'node:crypto';
import { createRequire } from 'node:module';
import { openCluster } from './lib/cluster.mjs';
import { asSuperuser, build, fillJobs, rooms, WORLD } from './lib/partitioned.mjs';
import { table, writeSection } from './lib/report.mjs';
import { cpuMicros, median, medianRatio, privateBytes } from './lib/stats.mjs';

const require = createRequire(import.meta.url);
require('reflect-metadata');
const { newUuid } = require('../dist/common/ids');
const { loadConfig } = require('../dist/config');
const { AppendRepository } = require('../dist/modules/messages/appender/append.repository');
const { MessagesRepository } = require('../dist/modules/messages/messages.repository');
const { MissedRepository, RoomLogRepository } = require('../dist/modules/messages/room-log/room-log.repository');
const { openDatabase } = require('../dist/platform/database');
const { JobsRepository } = require('../dist/platform/jobs/jobs.repository');
const { Lifecycle } = require('../dist/platform/lifecycle');
const { SilentLog } = require('../dist/platform/logging');

const PAIRS = Number(process.env.BENCH_PAIRS ?? 9);
const MESSAGES = Number(process.env.BENCH_MESSAGES ?? 5_000_000);
const PARTITIONS = Number(process.env.BENCH_PARTITIONS ?? 32);
const STATISTICS = process.env.BENCH_STATISTICS !== '0';
const LAST = MESSAGES / (WORLD.tenants * WORLD.rooms);
const CONTENT = 'abcdefghij'.repeat(20);
const HASH = createHash('sha256').update(CONTENT).digest();
const PAGE = 50;
const WARMUP = 10;
/** Far from each other, so that a turn meets rooms that no turn before it has read. */
const STEP = 7919;
const KINDS = ['bench.a', 'bench.b'];

const cluster = await openCluster();
try {
  await cluster.sql('postgres', 'ALTER SYSTEM SET autovacuum = off');
  await cluster.sql('postgres', 'SELECT pg_reload_conf()');
  const databases = { plain: await open('plain', 0), hashed: await open('hashed', PARTITIONS) };
  const sides = [
    { database: databases.plain, mode: 'auto' },
    { database: databases.hashed, mode: 'auto' },
    { database: databases.plain, mode: 'force_generic_plan' },
    { database: databases.hashed, mode: 'force_generic_plan' },
  ];
  const calls = [];
  for (const each of logCases()) calls.push(await compare(sides, each));
  calls.push(await compare(sides, claimNothing()));
  for (const { sql } of Object.values(databases)) {
    await fillJobs(sql);
    await sql('VACUUM ANALYZE jobs');
  }
  calls.push(await compare(sides, claimAndEnd()));
  const whole = [await connections(databases), await vacuum(databases), await sizes(databases)];
  for (const { lifecycle } of Object.values(databases)) await lifecycle.stop();
  await writeSection('partitions', `${table(calls)}\n\n${table(whole)}`);
} finally {
  await cluster.close();
}

/** A filled database with our repositories on one connection. */
async function open(name, partitions) {
  const began = performance.now();
  const connection = await build(cluster, name, { partitions, messages: MESSAGES, statistics: STATISTICS });
  process.stderr.write(`${name} filled in ${Math.round((performance.now() - began) / 1000)} s\n`);
  const log = new SilentLog();
  const lifecycle = new Lifecycle(log);
  const url = `postgresql://${connection.user}@/${name}?host=${encodeURIComponent(connection.host)}&port=${connection.port}`;
  const config = { ...loadConfig({ DATABASE_URL: url }).database, poolSize: 1 };
  const { database, system } = await openDatabase({ config, log, lifecycle, onProgress: () => undefined });
  const sql = (text, values) => cluster.sql(name, text, values);
  return {
    ...{ name, lifecycle, system, sql },
    rooms: await rooms(sql),
    append: new AppendRepository(system, { of: () => [], appended: () => undefined }),
    messages: new MessagesRepository(database),
    log: new RoomLogRepository(database),
    missed: new MissedRepository(database),
    jobs: new JobsRepository(database, system),
    turn: 0,
  };
}

/** What a call does with `n` rooms; the rows that it answers are counted, so that nothing wrong is measured. */
function logCases() {
  const append = (size, calls) => ({
    what: `append, ${size} ${size === 1 ? 'message' : 'messages of as many rooms'}`,
    ...{ calls, rooms: size, rows: size },
    call: async ({ append: log }, places) => {
      const rows = await log.append(places.map(message), 0);
      return rows.filter(({ status }) => status === 'new');
    },
  });
  const page = { afterSeq: null, beforeSeq: null, limit: PAGE, offset: 0, newest: true };
  const read = (what, rows, call) => ({ what, calls: 50, rooms: 1, rows, call });
  return [
    append(1, 60),
    append(8, 40),
    append(64, 15),
    read('history, newest 50', PAGE, async ({ messages }, [{ tenant, room }]) => {
      return (await messages.list(tenant, room, 'alice', page)).rows;
    }),
    read('changes, 50 near the end', PAGE, async ({ messages }, [{ tenant, room }]) => {
      return (await messages.changes(tenant, room, 'alice', LAST - PAGE, PAGE)).rows;
    }),
    read('one message by its id', 1, async ({ messages }, [{ tenant, room, id }]) => {
      const { row } = await messages.find(tenant, room, 'alice', id);
      return row ? [row] : [];
    }),
    read('feed of a room, the last 10', 10, async ({ log }, [{ tenant, room }]) => {
      const rows = await log.after(tenant, room, { rev: LAST + WORLD.events, seq: LAST - 10 }, 10);
      return rows.filter(({ kind }) => kind === 'new');
    }),
    {
      what: 'catch-up, 20 messages of each of 10 rooms',
      ...{ calls: 15, rooms: 10, rows: 200 },
      // Those of one user: the rooms of one tenant lie as many tenants apart.
      call: ({ missed, rooms: all }, [{ place }]) => {
        const mine = Array.from({ length: 10 }, (_, i) => all[(place + i * WORLD.tenants) % all.length]);
        const limits = { messages: 20, changes: 20, bytes: 1e6 };
        return missed.missed(mine[0].tenant, 'alice', mine.map(part), limits, 50);
      },
    },
  ];
}

function message({ tenant, room }) {
  return {
    ...{ tenantId: tenant, roomId: room, messageId: newUuid(), senderId: 'alice', clientMessageId: randomUUID() },
    ...{ bodyHash: HASH, content: CONTENT, metaText: null },
  };
}

function part({ room }) {
  const [seq, rev] = [LAST - 20, LAST + WORLD.events];
  return {
    ...{ roomId: room, afterSeq: seq, throughSeq: LAST, afterRev: rev, throughRev: rev, changedThroughSeq: seq },
    ...{ marks: false, named: undefined },
  };
}

function claim({ jobs }) {
  const each = (value) => KINDS.map(() => value);
  return jobs.claim({
    ...{ kinds: KINDS, free: each(25), perTenant: each(5), perKey: each(1), maxAttempts: each(5) },
    ...{ limits: each(undefined), leaseMs: 60_000, after: null },
  });
}

function claimNothing() {
  const call = async (side) => (await claim(side)).jobs;
  return { what: 'jobs: claim, nothing queued', calls: 30, rooms: 0, rows: 0, call };
}

function claimAndEnd() {
  return {
    what: `jobs: claim 50 of ${WORLD.tenants * WORLD.jobs} and end them`,
    ...{ calls: 2, rooms: 0, rows: 50 },
    before: ({ sql }) => sql('VACUUM jobs'),
    call: async (side) => {
      const { jobs } = await claim(side);
      const how = { outcome: 'released', delayMs: 0, error: null };
      const ended = await side.jobs.end(jobs.map((j) => ({ id: j.id, tenantId: j.tenant_id, fence: j.fence, ...how })));
      return [...ended];
    },
  };
}

/** Runs a case on all sides in turns: 1 2 3 4, 4 3 2 1, … */
async function compare(sides, each) {
  const results = sides.map(() => []);
  if (each.what.includes('by its id')) for (const { database } of sides) await withIds(database);
  for (const side of sides) await turn(side, { ...each, calls: Math.min(each.calls, WARMUP) });
  for (let pair = 0; pair < PAIRS; pair++) {
    const order = sides.map((_, at) => at);
    for (const at of pair % 2 === 0 ? order : order.reverse()) results[at].push(await turn(sides[at], each));
  }
  const [plain, hashed, plainGeneric, hashedGeneric] = results;
  const both = (all, pick) => all.map((one) => median(one.map(pick)).toFixed(0)).join(' : ');
  const row = {
    call: each.what,
    'CPU µs, plain : hash': both([plain, hashed], (r) => r.cpu),
    ratio: ratio(hashed, plain),
    'generic plans, plain : hash': both([plainGeneric, hashedGeneric], (r) => r.cpu),
    'ratio ': ratio(hashedGeneric, plainGeneric),
    'plain, generic / not': ratio(plainGeneric, plain),
    'buffers, plain : hash': both([plain, hashed], (r) => r.buffers),
  };
  process.stderr.write(
    `${Object.values(row).join(' | ')} | planned again ${both([plain, hashed], (r) => r.planned * 100)} %\n`,
  );
  return row;
}

function ratio(of, to, pick = (r) => r.cpu) {
  const { median: middle, from, to: until } = medianRatio(of.map((result, i) => pick(result) / pick(to[i])));
  return `${middle.toFixed(2)} (${from.toFixed(2)}–${until.toFixed(2)})`;
}

/** One turn of a side: what a call cost. */
async function turn({ database, mode }, { calls, rooms: count, rows, call, before }) {
  await before?.(database);
  await database.system.query('mode', `SELECT set_config('plan_cache_mode', $1, false)`, [mode]);
  const pid = await backend(database);
  const [plans, io, cpu] = [await planned(database), await buffers(database, pid), cpuMicros(pid)];
  for (let i = 0; i < calls; i++) {
    const answer = await call(database, places(database, count));
    if (answer.length !== rows) throw new Error(`${answer.length} rows instead of ${rows} on ${database.name}`);
  }
  const spent = cpuMicros(pid) - cpu;
  const looked = (await buffers(database, pid)) - io;
  const [again, all] = (await planned(database)).map((n, i) => n - plans[i]);
  return { cpu: spent / calls, buffers: looked / calls, planned: again / Math.max(1, all) };
}

/** The next rooms of a database; every side meets the same ones, as often. */
function places(database, count) {
  return Array.from({ length: Math.max(1, count) }, () => {
    const place = (database.turn++ * STEP) % database.rooms.length;
    return { place, ...database.rooms[place] };
  });
}

/** Each room knows the id of one of its messages. */
async function withIds(database) {
  if (database.rooms[0].id !== undefined) return;
  const found = await database.sql(
    'SELECT room_id AS room, message_id AS id FROM messages WHERE seq = $1 AND rev = $1 + $2',
    [LAST >> 1, WORLD.events],
  );
  const ids = new Map(found.map(({ room, id }) => [room, id]));
  for (const one of database.rooms) one.id = ids.get(one.room);
}

async function backend({ system }) {
  return (await system.query('pid', 'SELECT pg_backend_pid() AS pid'))[0].pid;
}

/** How many of the connection's statements were planned for their values, and how many were run. */
async function planned({ system }) {
  const [row] = await system.query(
    'plans',
    `SELECT sum(custom_plans)::int AS custom, sum(custom_plans + generic_plans)::int AS n FROM pg_prepared_statements
     WHERE statement !~ 'set_config|pg_prepared_statements|pg_backend_pid|pg_stat'`,
  );
  return [row.custom ?? 0, row.n ?? 0];
}

/** Buffers that a backend has looked at so far, found or read. */
async function buffers({ system, sql }, pid) {
  await system.query('flush', 'SELECT pg_stat_force_next_flush()');
  const [row] = await sql('SELECT sum(hits + reads)::bigint AS n FROM pg_stat_get_backend_io($1)', [pid]);
  return Number(row.n);
}

/** A new connection that runs every call once: what that costs, and what memory it has then. */
async function connections(databases) {
  const cases = [...logCases(), claimAndEnd()];
  const results = { plain: [], hashed: [] };
  for (let pair = 0; pair < PAIRS; pair++)
    for (const [name, database] of Object.entries(databases)) {
      await reconnect(database);
      for (const each of cases) await each.call(database, places(database, each.rooms));
      const pid = await backend(database);
      results[name].push({ cpu: cpuMicros(pid) / 1000, bytes: privateBytes(pid) });
    }
  const { plain, hashed } = results;
  const both = (pick) => [plain, hashed].map((all) => median(all.map(pick)).toFixed(1)).join(' : ');
  return {
    what: 'a new connection, every call once',
    'plain : hash': `${both((r) => r.cpu)} ms CPU, ${both((r) => r.bytes / 2 ** 20)} MiB of its own`,
    ratio: `${ratio(hashed, plain)}, ${ratio(hashed, plain, (r) => r.bytes)}`,
  };
}

async function reconnect(database) {
  const pid = await backend(database);
  await database.sql('SELECT pg_terminate_backend($1, 5000)', [pid]);
  // The pool hears of it by its socket.
  await new Promise((resolve) => setTimeout(resolve, 100));
}

/** What vacuum costs after all messages of one tenant were edited; once. */
async function vacuum(databases) {
  const costs = [];
  for (const { name } of Object.values(databases))
    costs.push(
      await asSuperuser(cluster, name, async (client) => {
        const { rows } = await client.query('SELECT pg_backend_pid() AS pid');
        await client.query(`UPDATE messages SET content = 'edited' WHERE tenant_id = md5('tenant 1')::uuid`);
        const before = cpuMicros(rows[0].pid);
        await client.query('VACUUM (PARALLEL 0) messages');
        return (cpuMicros(rows[0].pid) - before) / 1e6;
      }),
    );
  return {
    what: 'VACUUM messages after an edit of all of one tenant',
    'plain : hash': `${costs.map((c) => c.toFixed(2)).join(' : ')} s CPU`,
    ratio: (costs[1] / costs[0]).toFixed(2),
  };
}

async function sizes(databases) {
  const found = [];
  for (const { sql } of Object.values(databases))
    found.push(
      (
        await sql(`SELECT sum(pg_table_size(relid)) / 2 ^ 20 AS heap, sum(pg_indexes_size(relid)) / 2 ^ 20 AS indexes
        FROM (SELECT relid FROM pg_partition_tree('messages') UNION SELECT 'messages'::regclass) x`)
      )[0],
    );
  const both = (pick) => found.map((size) => Math.round(pick(size))).join(' : ');
  return {
    what: 'messages, heap and indexes',
    'plain : hash': `${both((s) => s.heap)} MiB, ${both((s) => s.indexes)} MiB`,
    ratio: (found[1].indexes / found[0].indexes).toFixed(2),
  };
}
