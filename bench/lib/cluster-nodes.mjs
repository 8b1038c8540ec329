/** Built servers of one installation: what being one of several costs a send, and how long a message takes to another one. */
import { randomBytes, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startOurs } from './cluster.mjs';
import { load, startServer } from './processes.mjs';
import { median } from './stats.mjs';
import { RawSocket } from './ws-socket.mjs';

const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
const BODY = JSON.stringify({ content: 'abcdefghij'.repeat(20), client_message_id: '{uuid}' });

/** What all nodes of an installation share. */
export function clustered(redis) {
  const hex = () => randomBytes(32).toString('hex');
  return { REDIS_URL: redis.url, JWT_SECRET: hex(), ENCRYPTION_KEY: hex() };
}

/**
 * CPU of one server per send over REST, as one of several (and the only one that runs) and alone, in alternation.
 * @returns µs of each, and their ratio
 */
export async function measureSend(cluster, redis, { runs, seconds }) {
  const alone = await startOurs(cluster, 'send_alone');
  const shared = await startOurs(cluster, 'send_shared', { more: clustered(redis) });
  try {
    const sides = [];
    for (const server of [alone, shared]) sides.push({ server, rooms: await server.rooms(100), micros: [] });
    for (let run = 0; run <= runs; run++)
      for (const { server, rooms, micros } of sides) {
        const paths = rooms.map((id) => `/rooms/${id}/messages`);
        const options = { url: server.url, paths, headers: server.headers, body: BODY, seconds };
        const result = await load(options, { node: server.pid });
        if (result.failed > 0) throw new Error(result.sample);
        // The first round is not counted: nothing is compiled yet.
        if (run > 0) micros.push(result.cpu.node);
      }
    const [one, several] = sides.map(({ micros }) => median(micros));
    return { alone: one, shared: several, ratio: several / one };
  } finally {
    await Promise.all([alone.stop(), shared.stop()]);
  }
}

/**
 * Ms from a send over REST at one node until it is at a socket of the same node, and at one of another node: one message after
 * the other, on servers that do nothing else.
 */
export async function measureHop(cluster, redis, { messages }) {
  const more = clustered(redis);
  const here = await startOurs(cluster, 'hop', { more });
  const { DATABASE_URL } = here.environment;
  const env = { ...more, DATABASE_URL, MASTER_API_KEY: here.master['X-Master-Key'], PORT: '0', HOST: '127.0.0.1' };
  const own = { DATA_DIR: join(cluster.directory, 'hop_there'), LOG_LEVEL: 'warn' };
  const there = await startServer(process.execPath, [MAIN], { ...env, ...own }, /listens on/);
  const url = /listens on (http:\S+)/.exec(there.output)[1];
  try {
    const [roomId] = await here.rooms(1);
    const sockets = [await listen(here.url, here.headers), await listen(url, here.headers)];
    const ms = [[], []];
    for (let n = 0; n < messages; n++) {
      const id = randomUUID();
      const begun = performance.now();
      const arrived = sockets.map((socket) => socket.until(id).then((at) => at - begun));
      const body = JSON.stringify({ content: id, client_message_id: id });
      const headers = { ...here.headers, 'Content-Type': 'application/json' };
      const answer = await fetch(`${here.url}/rooms/${roomId}/messages`, { method: 'POST', headers, body });
      if (answer.status !== 201) throw new Error(`answered ${answer.status}`);
      await answer.arrayBuffer();
      (await Promise.all(arrived)).forEach((took, i) => ms[i].push(took));
    }
    for (const { socket } of sockets) socket.socket.destroy();
    return { same: median(ms[0]), other: median(ms[1]) };
  } finally {
    await Promise.all([here.stop(), there.stop()]);
  }
}

/** A socket that says when a text has come. */
async function listen(url, headers) {
  let wanted;
  let text = '';
  let tell;
  const socket = new RawSocket((buffer, length) => {
    if (wanted === undefined) return;
    text += buffer.toString('latin1', 0, length);
    if (text.includes(wanted)) tell(performance.now());
  });
  await socket.open(`${url}/ws`, headers, '"type":"presence.snapshot"');
  const until = (id) => {
    [wanted, text] = [id, ''];
    return new Promise((resolve) => (tell = resolve));
  };
  return { socket, until };
}
