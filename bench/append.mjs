/**
 * `npm run bench:append`: the append layer alone, 256 appends in flight: ours (queues, fairness, repeats, deadlines)
 * against the bare append function in batches, the lean batch, and one message per call. Then several processes on one
 * database. Alternating, medians.
 * Environment: BENCH_RUNS (5), BENCH_SECONDS (4), BENCH_ONLY=nodes (the several processes alone), BENCH_ROOMS (1000, theirs).
 */
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { compareNodes } from './lib/append-nodes.mjs';
import { openCluster } from './lib/cluster.mjs';
import { table, writeSection } from './lib/report.mjs';
import { median } from './lib/stats.mjs';
import { LEAN_SCHEMA } from './reference/lean-append.mjs';

const RUNS = Number(process.env.BENCH_RUNS ?? 5);
const SECONDS = Number(process.env.BENCH_SECONDS ?? 4);
const SIDE = fileURLToPath(new URL('./lib/append-side.mjs', import.meta.url));
const CASES = [
  { rooms: 1, inFlight: 256 },
  { rooms: 1000, inFlight: 256 },
  { rooms: 1, inFlight: 1 },
];

const cluster = await openCluster();
try {
  if (process.env.BENCH_ONLY !== 'nodes') {
    const rows = [];
    for (const { rooms, inFlight } of CASES) rows.push(await compare(rooms, inFlight));
    await writeSection('append', table(rows));
  }
  await nodes(Number(process.env.BENCH_ROOMS ?? 1000));
} finally {
  await cluster.close();
}

async function compare(count, inFlight) {
  const name = `append_${count}_${inFlight}`;
  const ours = await ourDatabase(name, count);
  const lean = await leanDatabase(`${name}_lean`, count);
  const sides = { appender: ours, function: ours, lean, single: ours };
  const results = Object.fromEntries(Object.keys(sides).map((side) => [side, []]));
  for (let run = 0; run < RUNS; run++)
    for (const [side, database] of Object.entries(sides)) {
      const options = { side, ...database, inFlight, seconds: SECONDS };
      const output = execFileSync(process.execPath, [SIDE, JSON.stringify(options)], {
        encoding: 'utf8',
        maxBuffer: 1e8,
      });
      const result = JSON.parse(output.trim().split('\n').pop());
      results[side].push(result);
      process.stderr.write(`${count} rooms, ${inFlight} in flight, ${side}: ${Math.round(result.rate)}/s\n`);
    }
  const rate = (side) => median(results[side].map((r) => r.rate));
  const p50 = (side) => median(results[side].map((r) => r.p50));
  const share = (side) => `${Math.round((rate('appender') / rate(side)) * 100)} %`;
  return {
    rooms: count,
    'in flight': inFlight,
    'ours /s': Math.round(rate('appender')),
    'bare function /s': Math.round(rate('function')),
    'of it': share('function'),
    'lean batch /s': Math.round(rate('lean')),
    'of it ': share('lean'),
    'one per call /s': Math.round(rate('single')),
    'times it': (rate('appender') / rate('single')).toFixed(1),
    'p50 ms, ours : one per call': `${p50('appender').toFixed(2)} : ${p50('single').toFixed(2)}`,
  };
}

async function nodes(rooms) {
  const name = `append_nodes_${rooms}`;
  const database = await ourDatabase(name, rooms);
  const sql = (text) => cluster.sql(name, text);
  await writeSection('append-nodes', table(await compareNodes({ database, sql, runs: RUNS, seconds: SECONDS })));
}

/** A migrated database with rooms of one tenant, of which alice is a member. */
async function ourDatabase(name, count) {
  const { createRequire } = await import('node:module');
  const { migrate } = createRequire(import.meta.url)('../dist/platform/database');
  const connection = await cluster.database(name);
  await migrate({ connection, allowUnsafe: false, onProgress: () => undefined });
  const tenant = randomUUID();
  await cluster.sql(name, `INSERT INTO tenants (tenant_id, name) VALUES ($1, 'bench')`, [tenant]);
  await cluster.sql(name, `INSERT INTO users (tenant_id, user_id) VALUES ($1, 'alice')`, [tenant]);
  const rooms = await cluster.sql(
    name,
    `WITH r AS (INSERT INTO rooms (tenant_id, room_id, type, member_count, members_added)
       SELECT $1, gen_random_uuid(), 'group', 1, 1 FROM generate_series(1, $2) RETURNING room_id),
     m AS (INSERT INTO room_members (tenant_id, room_id, user_id, role, joined_seq, member_no)
       SELECT $1, room_id, 'alice', 'admin', 0, 1 FROM r)
     SELECT room_id FROM r`,
    [tenant, count],
  );
  const url = `postgresql://${connection.user}@/${name}?host=${encodeURIComponent(connection.host)}&port=${connection.port}`;
  return {
    url,
    connection,
    tenant,
    role: `${name}_system`,
    rooms: rooms.map((r) => r.room_id),
    admin: cluster.admin(name),
  };
}

async function leanDatabase(name, count) {
  const connection = await cluster.database(name);
  const tenant = randomUUID();
  const rooms = Array.from({ length: count }, () => randomUUID());
  await cluster.sql(name, LEAN_SCHEMA);
  await cluster.sql(name, 'INSERT INTO rooms SELECT $1, unnest($2::uuid[])', [tenant, rooms]);
  await cluster.sql(name, 'GRANT ALL ON rooms, messages TO chatapi');
  return { connection, tenant, rooms, admin: cluster.admin(name) };
}
