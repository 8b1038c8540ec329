/** One durable PostgreSQL for both sides of a comparison, and our server on it. */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startServer } from './processes.mjs';

const require = createRequire(import.meta.url);
const { Client } = require('pg');
const { EmbeddedPostgres } = require('../../dist/platform/database/embedded');
const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
/** So high that they are counted and never reached. */
const LIMITS = {
  requests_per_second: 1e9,
  ws_messages_per_second: 1e9,
  ws_connections: 1e9,
  ws_connections_per_user: 1e9,
};
/** Room r has the users (r · members) mod users and those that follow it, and alice. */
const POPULATE = `
WITH r AS (SELECT n, gen_random_uuid() AS id FROM generate_series(0, $2::integer - 1) n),
  u AS (INSERT INTO users (tenant_id, user_id) SELECT $1, 'user' || n FROM generate_series(0, $4::integer - 1) n
    ON CONFLICT DO NOTHING),
  i AS (INSERT INTO rooms (tenant_id, room_id, type, name, member_count, members_added)
    SELECT $1, id, 'group', 'bench', $3::integer + 1, $3::integer + 1 FROM r),
  a AS (INSERT INTO room_members (tenant_id, room_id, user_id, role, joined_seq, member_no)
    SELECT $1, id, 'alice', 'admin', 0, 1 FROM r),
  m AS (INSERT INTO room_members (tenant_id, room_id, user_id, role, joined_seq, member_no)
    SELECT $1, r.id, 'user' || ((r.n * $3::integer + k) % $4::integer), 'member', 0, k + 2
    FROM r CROSS JOIN generate_series(0, $3::integer - 1) k)
SELECT 'room_' || replace(id::text, '-', '') AS id FROM r ORDER BY n`;
/** Whose the rooms and users are. */
export const DEMO_TENANT = '01900000-0000-7000-8000-0000000000d2';

/** Starts the cluster in a directory of its own; `close` removes it. */
export async function openCluster() {
  const directory = mkdtempSync(join(tmpdir(), 'chatapi-bench-'));
  const postgres = new EmbeddedPostgres({ dataDir: directory });
  await postgres.start();
  const admin = postgres.adminConnection();
  return {
    directory,
    pid: postgres.pid,
    /** Makes a database that the application role owns, and returns how to log in to it. */
    async database(name) {
      await query(admin, `CREATE DATABASE ${name} OWNER chatapi`);
      return { ...postgres.connection(), database: name };
    },
    /** How to log in as superuser. */
    admin: (database) => ({ ...admin, database }),
    /** Runs SQL as superuser. */
    sql: (database, text, values) => query({ ...admin, database }, text, values),
    async close() {
      await postgres.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/**
 * Starts our built server on a fresh database, with limits so high that they are counted and never reached.
 * @param main what is run: another build, or the server with a stubbed log
 * @param node the Node.js that runs it
 * @param nodeArguments for node itself, e.g. to profile
 * @param more further variables of its environment
 */
export async function startOurs(
  cluster,
  name,
  { main = MAIN, node = process.execPath, nodeArguments = [], more = {} } = {},
) {
  const connection = await cluster.database(name);
  const databaseUrl = `postgresql://${connection.user}@/${name}?host=${encodeURIComponent(connection.host)}&port=${connection.port}`;
  const env = {
    DATABASE_URL: databaseUrl,
    PORT: '0',
    HOST: '127.0.0.1',
    DATA_DIR: join(cluster.directory, name),
    LOG_LEVEL: 'warn',
    MASTER_API_KEY: randomUUID(),
    BENCH_ADMIN: JSON.stringify({ ...cluster.admin(name) }),
    ...more,
  };
  const server = await startServer(node, [...nodeArguments, main], env, /curl -X POST/);
  await cluster.sql(name, 'UPDATE tenants SET limits = $1', [JSON.stringify(LIMITS)]);
  const url = /listens on (http:\S+)/.exec(server.output)[1];
  return {
    ...server,
    url,
    /** For a command that works on the same database. */
    environment: { DATABASE_URL: databaseUrl, DATA_DIR: env.DATA_DIR },
    headers: { 'X-API-Key': /chatapi_[0-9A-Za-z]+/.exec(server.output)[0], 'X-User-Id': 'alice' },
    master: { 'X-Master-Key': env.MASTER_API_KEY },
    /** Makes another tenant with limits of its own and a room of alice's: where and with what she sends. */
    async tenant(limits) {
      const { api_key } = await post(`${url}/admin/tenants`, { 'X-Master-Key': env.MASTER_API_KEY }, { name, limits });
      const headers = { 'X-API-Key': api_key, 'X-User-Id': 'alice' };
      const { room_id } = await post(`${url}/rooms`, headers, { type: 'group', name });
      return { url, headers, paths: [`/rooms/${room_id}/messages`] };
    },
    /** Makes rooms of which alice is a member and returns their ids as the API has them. */
    rooms: (count) => populate(cluster, name, { rooms: count, members: 0, users: 1 }),
    /** Makes rooms with `members` of `users` users each, and alice. */
    populate: (world) => populate(cluster, name, world),
  };
}

/** @returns the answer's body; throws where it is refused */
export async function post(url, headers, body) {
  const answer = await fetch(url, {
    method: 'POST',
    headers: { ...headers, 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}: ${await answer.text()}`);
  return answer.json();
}

async function populate(cluster, name, { rooms, members, users }) {
  const rows = await cluster.sql(name, POPULATE, [DEMO_TENANT, rooms, members, users]);
  await cluster.sql(name, 'ANALYZE');
  return rows.map((row) => row.id);
}

async function query(config, text, values) {
  const client = new Client(config);
  await client.connect();
  try {
    return (await client.query(text, values)).rows;
  } finally {
    await client.end();
  }
}
