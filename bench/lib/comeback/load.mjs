/**
 * Clients that come back, a process of its own that is asked (`lib/asked.mjs`); `node load.mjs '<json>'`. Questions:
 *
 * - connect {side: 'chat'|'bare'|'nats', url, key, from, count, perClient, room, atOnce, rate, checkEvery, timeoutMs}:
 *   users `user<from>` and those that follow connect, `atOnce` under way and at most `rate` a second (0: all in the same
 *   moment), each until it is live in `perClient` rooms. Who is refused comes back when it is told to. Every
 *   `checkEvery`-th looks at the order of its messages. Answers {seconds, refused, lost, delivered, faults, cpuMicros}, the
 *   last one what the load itself took per client.
 * - acknowledge: checked clients have stored what they have. Answers {refused, example}: how often an ack was answered with
 *   an error and sent again.
 * - leave {seconds}: all sockets end as a lost network ends them; answers when the server has had so long to notice.
 */
import { answer } from '../asked.mjs';
import { BareClient, ChatClient, NatsClient } from './clients.mjs';

/** Connections that are begun in one turn of the loop where all come in the same moment. */
const AT_A_TIME = 10;
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
/** Socket by user, of those who are here. */
const clients = new Map();
/** Close codes of those whom the server has ended. */
const lost = [];

function open(o, i, on) {
  if (o.side === 'nats') return new NatsClient(o.url, o.room, on);
  if (o.side === 'bare') return new BareClient(`${o.url}?room=${o.room}`, on);
  const isChecked = i % (o.checkEvery ?? 50) === 0;
  return new ChatClient(
    o.url,
    { 'X-API-Key': o.key, 'X-User-Id': `user${i}` },
    { ...on, rooms: o.perClient, isChecked },
  );
}

/** One user, until live: who is refused, or ended before, comes again. */
function comeback(o, i, counts) {
  return new Promise((resolve) => {
    let isLive = false;
    const onLive = () => resolve((isLive = true));
    const onRefused = (head) => {
      counts.refused++;
      const seconds = Number(/^retry-after: (\d+)/im.exec(head)?.[1] ?? 1);
      setTimeout(connect, seconds * 1000 + Math.random() * 500);
    };
    const onLost = (code) => {
      lost.push(code);
      if (!isLive) onRefused('');
    };
    const connect = () => clients.set(i, open(o, i, { onLive, onRefused, onLost }));
    connect();
  });
}

async function inTheSameMoment(o, counts) {
  const all = [];
  for (let n = 0; n < o.count; n++) {
    all.push(comeback(o, o.from + n, counts));
    if (n % AT_A_TIME === 0) await new Promise(setImmediate);
  }
  await Promise.all(all);
}

/** So many under way at any time, and none before its time. */
async function paced(o, counts) {
  const began = performance.now();
  let next = 0;
  const one = async () => {
    while (next < o.count) {
      const n = next++;
      const ahead = (n / o.rate) * 1000 - (performance.now() - began);
      if (ahead > 0) await sleep(ahead);
      await comeback(o, o.from + n, counts);
    }
  };
  await Promise.all(Array.from({ length: o.atOnce }, one));
}

const ended = () => `the server ended ${lost.length} sockets: ${[...new Set(lost)].join(', ')}`;
const sum = (pick) => [...clients.values()].reduce((total, client) => total + pick(client), 0);

async function connect(o) {
  const counts = { refused: 0 };
  const used = process.cpuUsage();
  const began = performance.now();
  const live = o.rate > 0 ? paced(o, counts) : inTheSameMoment(o, counts);
  let late;
  const timeout = new Promise((_, reject) => {
    late = setTimeout(() => reject(new Error(`not all live in time; ${ended()}`)), o.timeoutMs ?? 120_000);
  });
  await Promise.race([live, timeout]);
  clearTimeout(late);
  const seconds = (performance.now() - began) / 1000;
  const { user, system } = process.cpuUsage(used);
  const [delivered, faults] = [sum((client) => client.delivered), sum((client) => client.faults)];
  return { seconds, ...counts, lost: lost.length, delivered, faults, cpuMicros: (user + system) / o.count };
}

async function acknowledge() {
  if (lost.length > 0) throw new Error(ended());
  const refused = await Promise.all([...clients.values()].map((client) => client.acknowledge()));
  return { refused: refused.flat().length, example: refused.flat()[0] };
}

async function leave({ seconds }) {
  for (const client of clients.values()) client.close();
  clients.clear();
  await sleep(seconds * 1000);
}

answer({
  connect,
  leave,
  acknowledge,
});
