/** Worlds of rooms to come back to, and what coming back to them takes of the machine. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { startAsked } from '../asked.mjs';
import { DEMO_TENANT } from '../cluster.mjs';
import { cpuSeconds } from '../stats.mjs';
import { ours } from '../ws-sides.mjs';

const file = (name) => fileURLToPath(new URL(name, import.meta.url));
const CONTENT = 'abcdefghij'.repeat(20);
/** Until a server has noticed that somebody left, and what that costs is over. */
export const GONE_SECONDS = 5;
/** Beside its clients' sockets a process has files, a database and its own ends of pipes. */
const OTHER_FILES = 500;

/** Messages as the server would have left them, in rooms that have none. */
const FILL = `
WITH m AS (INSERT INTO messages (tenant_id, room_id, seq, message_id, rev, sender_id, client_message_id, body_hash, content,
    created_at)
  SELECT $1, room, n, gen_random_uuid(), n, 'alice', md5(room::text || n), sha256(n::text::bytea), $4,
    now() - ($3::bigint - n) * interval '1 second'
  FROM unnest($2::uuid[]) room, generate_series(1, $3::bigint) n)
UPDATE rooms SET last_seq = $3::bigint, last_rev = $3::bigint, last_message_at = now()
WHERE tenant_id = $1 AND room_id = ANY ($2::uuid[])`;

export const sleep = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

/** So many messages of 200 bytes in each of the rooms. */
export async function fill(cluster, database, rooms, count) {
  const uuids = rooms.map((room) => room.slice('room_'.length));
  await cluster.sql(database, FILL, [DEMO_TENANT, uuids, count, CONTENT]);
  await cluster.sql(database, 'VACUUM ANALYZE');
  await cluster.sql(database, 'CHECKPOINT');
}

/**
 * Our server with a world of rooms, and how its clients find it.
 * @param how goes to `startOurs`
 */
export async function openOurs(cluster, world, how) {
  const server = await ours(cluster, world, how);
  const key = server.headers['X-API-Key'];
  return { ...server, key, socketUrl: `${server.url.replace('http', 'ws')}/ws`, rooms: server.load.rooms };
}

/** The load's process. */
export const startClients = () => startAsked(file('./load.mjs'), {});

/** Those who are live meanwhile. */
export async function startProbe(server, rooms) {
  const probe = startAsked(file('./probe.mjs'), { url: `${server.socketUrl}?sync=manual`, key: server.key, rooms });
  await probe.ask('open');
  return probe;
}

/** CPU of both, in ms, since the process tree began. */
export function cpuOf(server, cluster) {
  return { node: cpuSeconds(server.pid) * 1000, postgres: cluster ? cpuSeconds(cluster.pid) * 1000 : undefined };
}

/** What `work` took of both, in ms; `result` is what it answered. */
export async function spent(server, cluster, work) {
  const before = cpuOf(server, cluster);
  const result = await work();
  const after = cpuOf(server, cluster);
  return { result, node: after.node - before.node, postgres: cluster ? after.postgres - before.postgres : undefined };
}

/** CPU µs per unit over several times that were `spent`, so that ticks of 10 ms do not show. */
export function microsPer(all, units) {
  const total = all.reduce((sum, each) => sum + units(each), 0);
  const of = (name) => (all.reduce((sum, each) => sum + each[name], 0) * 1000) / total;
  return { node: of('node'), postgres: all[0]?.postgres === undefined ? undefined : of('postgres') };
}

/**
 * Lets this process and those that it starts have so many sockets. Node raises its own limit up to the hard one; where
 * that is too low, root raises it.
 */
export function allowSockets(count) {
  const wanted = count + OTHER_FILES;
  const [, hard] = /Max open files\s+\S+\s+(\S+)/.exec(readFileSync('/proc/self/limits', 'utf8'));
  if (hard === 'unlimited' || Number(hard) >= wanted) return;
  try {
    execFileSync('prlimit', ['--pid', String(process.pid), `--nofile=${wanted}:${wanted}`], { stdio: 'pipe' });
  } catch {
    throw new Error(`${count} sockets need a hard limit of ${wanted} open files, here it is ${hard}: ulimit -Hn`);
  }
}

export function log(text) {
  process.stderr.write(`${text}\n`);
}
