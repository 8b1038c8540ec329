/**
 * A point of bench/sim.mjs, measured: three nodes on one PostgreSQL and one Redis, whose sockets are read by the members of the
 * rooms that are sent to. What a send and a delivery cost is taken at one server alone, under the same load; what a hint costs
 * comes from the bus's own bench. So what is compared is the sum, not the machine.
 */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startOurs } from './cluster.mjs';
import { clustered } from './cluster-nodes.mjs';
import { load, startServer } from './processes.mjs';
import { cpuSeconds } from './stats.mjs';
import { RawSocket } from './ws-socket.mjs';

const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
const NODES = 3;
/** Each room is read by so many of the users, who have one socket each. */
const WORLD = { rooms: 100, members: 9, users: 300 };
/** Messages a second, of all nodes. */
export const POINT_RATE = 1500;
const SECONDS = 10;
/** Before that the code that is measured is not compiled. */
const WARM_SECONDS = 15;
/** CPU µs of Redis for taking a publication in. */
const TAKEN_IN = 4;
const BODY = JSON.stringify({ content: 'abcdefghij'.repeat(20), client_message_id: '{uuid}' });

/**
 * @param bus CPU µs per hint at this rate: `publication`, `followed`, and Redis' own for one that two nodes get
 * @returns a point for `pointTable`
 */
export async function measurePoint(cluster, redis, bus) {
  const alone = await startOurs(cluster, 'point_alone');
  let send;
  let read;
  try {
    const rooms = await alone.populate(WORLD);
    const site = { urls: [alone.url], pids: { node: alone.pid, postgres: cluster.pid }, headers: alone.headers, rooms };
    send = await coresOf(site);
    const sockets = await openAll([alone.url], alone.headers);
    read = await coresOf(site);
    for (const socket of sockets) socket.socket.destroy();
  } finally {
    await alone.stop();
  }
  const sendNode = (send.node * 1e6) / POINT_RATE;
  const measured = await threeNodes(cluster, redis);
  const reception = (bus.redis - TAKEN_IN) / 2;
  return {
    inputs: {
      nodes: NODES,
      sockets: WORLD.users,
      messages: POINT_RATE,
      audience: WORLD.members,
      acks: 0,
      routing: 'A',
    },
    units: {
      sendNode,
      delivery: ((read.node - send.node) * 1e6) / POINT_RATE / WORLD.members,
      sendPostgres: (send.postgres * 1e6) / POINT_RATE,
      ...{ hintMade: 0, hintSent: bus.publication, hintTaken: bus.followed },
      // A node gets its own publications, too.
      ...{ redisReceptions: 1e6 / reception, redisPublication: TAKEN_IN + reception },
    },
    measured,
  };
}

async function threeNodes(cluster, redis) {
  const more = clustered(redis);
  const first = await startOurs(cluster, 'point', { more });
  const nodes = [first];
  try {
    const { DATABASE_URL } = first.environment;
    const env = { ...more, DATABASE_URL, MASTER_API_KEY: first.master['X-Master-Key'], PORT: '0', HOST: '127.0.0.1' };
    for (let n = 1; n < NODES; n++) {
      const own = { DATA_DIR: join(cluster.directory, `point_${n}`), LOG_LEVEL: 'warn' };
      nodes.push(await startServer(process.execPath, [MAIN], { ...env, ...own }, /listens on/));
    }
    const urls = nodes.map(({ output }) => /listens on (http:\S+)/.exec(output)[1]);
    const rooms = await first.populate(WORLD);
    const sockets = await openAll(urls, first.headers);
    const pids = { redis: redis.pid, postgres: cluster.pid };
    nodes.forEach(({ pid }, n) => (pids[`node${n}`] = pid));
    const { redis: redisCores, postgres, ...each } = await coresOf({ urls, pids, headers: first.headers, rooms });
    for (const socket of sockets) socket.socket.destroy();
    return { nodeCores: Object.values(each).reduce((sum, one) => sum + one, 0), redisCores, postgresCores: postgres };
  } finally {
    await Promise.all(nodes.map((node) => node.stop()));
  }
}

/** Every user's socket, spread over the nodes. */
function openAll(urls, headers) {
  return Promise.all(
    Array.from({ length: WORLD.users }, (_, n) =>
      new RawSocket(() => undefined).open(
        `${urls[n % urls.length]}/ws`,
        { ...headers, 'X-User-Id': `user${n}` },
        '"type":"presence.snapshot"',
      ),
    ),
  );
}

/** Cores that the load takes of each process tree, beyond what it takes without. */
async function coresOf({ urls, pids, headers, rooms }) {
  const paths = rooms.map((id) => `/rooms/${id}/messages`);
  const sends = (seconds) =>
    Promise.all(
      urls.map(async (url) => {
        const options = {
          url,
          paths,
          headers,
          body: BODY,
          seconds,
          warmup: 0,
          connections: 16,
          rate: POINT_RATE / urls.length,
        };
        const { failed, sample } = await load(options, {});
        if (failed > 0) throw new Error(sample);
      }),
    );
  await sends(WARM_SECONDS);
  const idle = await during(pids, () => new Promise((resolve) => setTimeout(resolve, SECONDS * 1000)));
  const busy = await during(pids, () => sends(SECONDS));
  return Object.fromEntries(Object.keys(pids).map((name) => [name, busy[name] - idle[name]]));
}

async function during(pids, work) {
  const usage = () => Object.entries(pids).map(([name, pid]) => [name, cpuSeconds(pid)]);
  const before = Object.fromEntries(usage());
  await work();
  return Object.fromEntries(usage().map(([name, seconds]) => [name, (seconds - before[name]) / SECONDS]));
}
