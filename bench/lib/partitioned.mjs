/**
 * The data of `bench/partitions.mjs`: a database of our schema whose tables are plain, or of which some are partitioned by
 * HASH (tenant_id), with the same rows. Both are built as a restore builds one: tables, rows, then indexes, triggers,
 * row-level security and grants of the schema that our migrations have made.
 */
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const { Client } = require('pg');
const { migrate } = require('../../dist/platform/database');
const { forRoles, readSchema } = require('../../dist/platform/database/backup/schema');

/** Those that the design would partition (docs/adr/0027-partitions.md). */
const TABLES = ['messages', 'room_events', 'run_chunks', 'notification_deliveries', 'jobs'];
export const WORLD = { tenants: 250, rooms: 20, members: 10, events: 11, jobs: 40, dead: 20 };
const CONTENT = 'abcdefghij'.repeat(20);
const TENANT = `md5('tenant ' || t)::uuid`;
const ROOM = `md5('room ' || t || ' ' || r)::uuid`;
const SENDER = (n) => `CASE ${n} WHEN 0 THEN 'alice' ELSE 'sender_' || ${n} END`;
const TENANTS = `generate_series(0, ${WORLD.tenants - 1}) t`;
const ROOMS = `${TENANTS}, generate_series(0, ${WORLD.rooms - 1}) r`;

/**
 * Makes and fills a database; messages lie in the order of time, those of all rooms among each other.
 * @param partitions 0: none
 * @param statistics whether the planner is told that a room has one tenant
 * @returns how a server logs in
 */
export async function build(cluster, name, { partitions, messages, statistics }) {
  const connection = await cluster.database(name);
  await migrate({ connection, allowUnsafe: false, onProgress: () => undefined });
  await asSuperuser(cluster, name, async (client) => {
    const names = { login: connection.user, ...roles(name) };
    await client.query(`SET ROLE ${names.login}; SET search_path = ''`);
    const schema = await readSchema(client, names);
    await client.query('RESET ROLE; RESET search_path');
    const sql = (statements) =>
      statements.map((one) => ({ role: names[one.as], sql: hashed(forRoles(one.sql, names), partitions) }));
    const kept = await rowsOf(client, ['instance', 'schema_migrations']);
    // One transaction: what it makes needs no WAL.
    await client.query(`BEGIN; SET LOCAL maintenance_work_mem = '512MB';
      SET LOCAL check_function_bodies = off; DROP SCHEMA public CASCADE;
      CREATE SCHEMA public AUTHORIZATION pg_database_owner;
      GRANT CREATE, USAGE ON SCHEMA public TO ${Object.values(names).join(', ')}`);
    await run(client, sql(schema.before));
    for (const [table, rows] of kept)
      await client.query(`INSERT INTO ${table} SELECT * FROM json_populate_recordset(NULL::${table}, $1)`, [rows]);
    await fill(client, messages);
    await run(client, sql(schema.after));
    await client.query(`REVOKE CREATE ON SCHEMA public FROM ${names.append}`);
    if (statistics) await dependOnRooms(client);
    await client.query('COMMIT');
    await client.query('VACUUM ANALYZE');
    await client.query('CHECKPOINT');
  });
  return connection;
}

/** Jobs that are due, and dead ones, of every tenant. */
export function fillJobs(sql) {
  return sql(
    `INSERT INTO jobs (tenant_id, kind, key, payload, state, run_at, ended_at)
     SELECT ${TENANT}, CASE n % 2 WHEN 0 THEN 'bench.a' ELSE 'bench.b' END, ${ROOM}::text, '{"event":"message"}',
       CASE WHEN n < ${WORLD.jobs} THEN 'queued' ELSE 'dead' END, now() - n * interval '1 second',
       CASE WHEN n >= ${WORLD.jobs} THEN now() END
     FROM ${TENANTS}, generate_series(0, ${WORLD.jobs + WORLD.dead - 1}) n, LATERAL (SELECT n / 2 % ${WORLD.rooms} AS r) x`,
  );
}

/** The rooms with their tenants, those of one tenant far from each other. */
export function rooms(sql) {
  return sql(`SELECT ${TENANT} AS tenant, ${ROOM} AS room FROM ${ROOMS} ORDER BY r, t`);
}

/** Runs `work` with one connection as superuser. */
export async function asSuperuser(cluster, name, work) {
  const client = new Client(cluster.admin(name));
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

function roles(name) {
  return Object.fromEntries(['tenant', 'system', 'append', 'backup'].map((key) => [key, `${name}_${key}`]));
}

/** The statement, for a table of `TABLES` with its partitions; storage options are theirs. */
function hashed(sql, partitions) {
  const made = /^CREATE TABLE public\.(\w+) /.exec(sql)?.[1];
  if (partitions === 0 || !TABLES.includes(made)) return sql;
  const [, columns, options = ''] = /^([^]*?\))( WITH \([^()]*\))?$/.exec(sql);
  const parts = Array.from(
    { length: partitions },
    (_, i) => `CREATE TABLE public.${made}_${i} PARTITION OF public.${made}
      FOR VALUES WITH (MODULUS ${partitions}, REMAINDER ${i})${options}`,
  );
  return [`${columns} PARTITION BY HASH (tenant_id)`, ...parts].join(';\n');
}

async function run(client, statements) {
  for (const { role, sql } of statements) await client.query(`SET LOCAL ROLE ${role};\n${sql};\nRESET ROLE`);
}

/** Partitions do not inherit statistics, and each is planned by its own. */
async function dependOnRooms(client) {
  const { rows } = await client.query(
    `SELECT relid::regclass AS name FROM pg_partition_tree('messages') UNION SELECT 'messages'::regclass`,
  );
  for (const { name } of rows)
    await client.query(
      `CREATE STATISTICS IF NOT EXISTS ${name}_room (dependencies) ON tenant_id, room_id FROM ${name}`,
    );
}

async function rowsOf(client, tables) {
  const kept = [];
  for (const table of tables)
    kept.push([table, (await client.query(`SELECT json_agg(x)::text AS rows FROM public.${table} x`)).rows[0].rows]);
  return kept;
}

async function fill(client, messages) {
  const { tenants, rooms: each, members, events } = WORLD;
  const last = messages / (tenants * each);
  await client.query(`
    INSERT INTO tenants (tenant_id, name) SELECT ${TENANT}, 'tenant ' || t FROM ${TENANTS};
    INSERT INTO users (tenant_id, user_id) SELECT ${TENANT}, ${SENDER('n')} FROM ${TENANTS}, generate_series(0, ${members - 1}) n;
    INSERT INTO rooms (tenant_id, room_id, type, name, last_seq, last_rev, last_message_at, member_count, members_added)
      SELECT ${TENANT}, ${ROOM}, 'group', 'room', ${last}, ${last + events}, now(), ${members}, ${members} FROM ${ROOMS};
    INSERT INTO room_members (tenant_id, room_id, user_id, role, joined_seq, member_no)
      SELECT ${TENANT}, ${ROOM}, ${SENDER('n')}, CASE n WHEN 0 THEN 'admin' ELSE 'member' END, 0, n + 1
      FROM ${ROOMS}, generate_series(0, ${members - 1}) n;
    INSERT INTO room_events (tenant_id, room_id, rev, type, payload)
      SELECT ${TENANT}, ${ROOM}, n, 'member.joined', '{"user_id":"alice"}' FROM ${ROOMS}, generate_series(1, ${events}) n;
    INSERT INTO messages (tenant_id, room_id, seq, message_id, rev, sender_id, client_message_id, body_hash, content,
        created_at)
      SELECT ${TENANT}, ${ROOM}, n, uuidv7((i - ${messages}) * interval '1 second'), n + ${events}, ${SENDER(`i % ${members}`)},
        gen_random_uuid()::text, sha256(i::text::bytea), '${CONTENT}', now() + (i - ${messages}) * interval '1 second'
      FROM generate_series(0, ${messages - 1}) i, LATERAL (SELECT i % ${tenants} AS t, i / ${tenants} % ${each} AS r,
        i / ${tenants * each} + 1 AS n) x`);
}
