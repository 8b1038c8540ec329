/** The two servers of a socket comparison, each with a world of rooms and users, as `ws-load.mjs` needs them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startOurs } from './cluster.mjs';
import { startServer } from './processes.mjs';

const file = (name) => fileURLToPath(new URL(name, import.meta.url));
const REFERENCE = file('../reference/ws.mjs');
const STUBBED = file('./stubbed-server.mjs');

let started = 0;

/**
 * Our server: `rooms` rooms of `members` users each out of `users` (user0, user1, …), spread evenly; alice is in all of
 * them. With `stub` the log is in memory. `how` goes to `startOurs`.
 */
export async function ours(cluster, { rooms, members, users, stub = false }, how = {}) {
  const name = `ws_ours_${++started}`;
  const server = await startOurs(cluster, name, stub ? { main: STUBBED, ...how } : how);
  const ids = await server.populate({ rooms, members, users });
  const key = server.headers['X-API-Key'];
  return {
    name: 'ours',
    database: name,
    ...server,
    load: {
      // What was missed in the runs before is no part of this one.
      url: `${server.url.replace('http', 'ws')}/ws?sync=manual`,
      headers: { 'X-API-Key': key, 'X-User-Id': '{user}' },
      ready: '"type":"presence.snapshot"',
      rooms: ids,
    },
    publish: {
      rest: { by: 'rest', url: server.url, path: `/rooms/${ids[0]}/messages`, headers: server.headers },
      socket: { by: 'socket', url: `${server.url.replace('http', 'ws')}/ws?sync=manual`, headers: server.headers },
    },
  };
}

/** The bare server; `fan` as its opening comment says. */
export async function bare(cluster, { rooms, stub = false, fan = 'coalesce' }) {
  const name = `ws_bare_${++started}`;
  const roomsFile = join(cluster.directory, `${name}.txt`);
  const storage = stub
    ? { append: 'stub' }
    : { append: 'batch', connection: await cluster.database(name), rooms, roomsFile };
  const server = await startServer(
    process.execPath,
    [REFERENCE, JSON.stringify({ ...storage, fan })],
    {},
    /listens on/,
  );
  const url = /listens on (http:\S+)/.exec(server.output)[1];
  const ids = stub ? Array.from({ length: rooms }, (_, i) => `room${i}`) : readFileSync(roomsFile, 'utf8').split('\n');
  const socketUrl = `${url.replace('http', 'ws')}/ws`;
  return {
    name: fan === 'coalesce' ? 'bare' : `bare, ${fan}`,
    database: stub ? undefined : name,
    ...server,
    url,
    headers: {},
    load: { url: `${socketUrl}?room={room}`, headers: {}, rooms: ids },
    publish: {
      rest: { by: 'rest', url, path: `/rooms/${ids[0]}/messages`, headers: {} },
      socket: { by: 'socket', url: socketUrl, headers: {} },
    },
  };
}
