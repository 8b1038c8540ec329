/**
 * A storm of reconnects, a process of its own: `node storm-load.mjs '<json>'` prints one JSON line. A healthy client
 * sends at a steady rate to all rooms in turn and times its own messages, first in calm, then while everybody else
 * connects at once; each of those checks that it gets every message of its rooms in order, from the first one on. The
 * healthy client has a thread of its own, since the others keep theirs busy. After it, without traffic: everybody connects
 * having nothing, acknowledges, leaves, misses a message in each room, and comes back; the messages `first`, `first done`,
 * `again` and `again done` tell when.
 *
 * Options: url (http), headers{} of the healthy client, key, rooms[], clients, perClient (rooms each), seconds (of calm),
 * rate (messages a second), timeoutMs.
 */
import { randomUUID } from 'node:crypto';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import WebSocket from 'ws';
import { Histogram } from './stats.mjs';
import { StormClient } from './storm-client.mjs';

/** Connections that are begun in one turn. */
const AT_A_TIME = 10;
/** Until the server has noticed that somebody left, and what that costs is over. */
const GONE_MS = 8000;

const o = JSON.parse(process.argv[2]);
const socketUrl = `${o.url.replace('http', 'ws')}/ws`;
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const last = new Map(); // room → highest seq that was accepted
let refused = 0;
let faults = 0;

/** Resolves with its socket when it is live in all of its rooms; comes back when it is refused. */
function client(i, seqs) {
  return new Promise((resolve) => {
    const headers = { 'X-API-Key': o.key, 'X-User-Id': `user${i}` };
    let synced = 0;
    let socket;
    const onFrame = (frame) => {
      if (frame.type === 'message') {
        if (frame.seq !== (seqs.get(frame.room_id) ?? 0) + 1) faults++;
        seqs.set(frame.room_id, frame.seq);
      } else if (frame.type === 'sync.complete' && ++synced === o.perClient) resolve(socket);
    };
    const onRefused = (head) => {
      refused++;
      const seconds = Number(/^retry-after: (\d+)/im.exec(head)?.[1] ?? 1);
      setTimeout(connect, seconds * 1000 + Math.random() * 500);
    };
    const connect = () => (socket = new StormClient(socketUrl, headers, { onFrame, onRefused }));
    connect();
  });
}

/** Sends until it is told to stop, by the clock. */
class Healthy {
  sent = new Map();
  histogram = new Histogram();

  async open() {
    this.ws = new WebSocket(`${socketUrl}?sync=manual`, { headers: o.headers, perMessageDeflate: false });
    this.ws.on('message', (data) => this.hear(JSON.parse(data)));
    await new Promise((resolve, reject) => this.ws.once('open', resolve).once('error', reject));
    let n = 0;
    this.timer = setInterval(() => this.send(o.rooms[n++ % o.rooms.length]), 1000 / o.rate);
  }

  send(room_id) {
    const id = randomUUID();
    this.sent.set(id, performance.now());
    this.ws.send(JSON.stringify({ type: 'send_message', request_id: id, client_message_id: id, room_id, content: id }));
  }

  hear({ type, client_message_id: id, room_id, seq, message }) {
    if (type === 'error') throw new Error(message);
    if (type !== 'message') return;
    last.set(room_id, Math.max(seq, last.get(room_id) ?? 0));
    const at = this.sent.get(id);
    this.sent.delete(id);
    if (at !== undefined) this.histogram.add(performance.now() - at);
  }

  /** The p99 since the last call. */
  p99() {
    const value = this.histogram.quantile(0.99);
    this.histogram = new Histogram();
    return value;
  }

  /** One message for each room. */
  async each() {
    for (const room of o.rooms) {
      this.send(room);
      await sleep(1000 / o.rate / 4);
    }
    await this.quiet();
  }

  async quiet() {
    clearInterval(this.timer);
    while (this.sent.size > 0) await sleep(10);
  }
}

/** The healthy client's thread: answers each question in turn. */
async function beHealthy() {
  const healthy = new Healthy();
  const answers = {
    open: () => healthy.open(),
    p99: () => healthy.p99(),
    each: () => healthy.each(),
    quiet: () => healthy.quiet().then(() => [...last]),
  };
  parentPort.on('message', async (question) => parentPort.postMessage(await answers[question]()));
}

/** Everybody connects in the same moment; resolves with the clients when all of them are live. */
async function everybody(views) {
  const clients = [];
  // As fast as this thread can, but each sends its request when it is connected, as separate machines would.
  for (const [i, seqs] of views.entries()) {
    clients.push(client(i, seqs));
    if (i % AT_A_TIME === 0) await new Promise(setImmediate);
  }
  return Promise.all(clients);
}

const nothing = () => Array.from({ length: o.clients }, () => new Map());

/** Leaves as a lost network does. */
async function leave(clients) {
  for (const each of clients) each.close();
  await sleep(GONE_MS);
}

/** Everybody has stored what they have. */
function acknowledge(clients, views) {
  return Promise.all(clients.map((each, i) => each.acknowledge(views[i])));
}

async function storm() {
  const worker = new Worker(new URL(import.meta.url), { argv: process.argv.slice(2) });
  const ask = (question) =>
    new Promise((resolve, reject) => {
      worker.once('message', resolve).once('error', reject);
      worker.postMessage(question);
    });
  await ask('open');
  await sleep(1000);
  await ask('p99');
  await sleep(o.seconds * 1000);
  const calm = await ask('p99');
  const late = setTimeout(() => process.exit(3), o.timeoutMs);
  let views = nothing();
  process.send?.('measuring');
  const begun = performance.now();
  let clients = await everybody(views);
  const liveMs = performance.now() - begun;
  const stormy = await ask('p99');
  process.send?.('measured');
  const newest = new Map(await ask('quiet'));
  await sleep(1000);
  const behind = views.filter(
    (seqs) => seqs.size < o.perClient || [...seqs].some(([room, seq]) => seq < (newest.get(room) ?? 0)),
  ).length;
  const delivered = views.reduce((sum, seqs) => sum + [...seqs.values()].reduce((n, seq) => n + seq, 0), 0);

  // Without traffic, so that it costs nothing else: connecting with nothing, then coming back.
  await leave(clients);
  views = nothing();
  process.send?.('first');
  clients = await everybody(views);
  process.send?.('first done');
  await acknowledge(clients, views);
  await leave(clients);
  await ask('each');
  process.send?.('again');
  await everybody(views);
  process.send?.('again done');
  clearTimeout(late);
  const counts = { refused, faults, behind, delivered };
  console.log(JSON.stringify({ ok: o.clients, failed: 0, liveMs, calm, storm: stormy, ...counts }));
  process.exit(0);
}

await (isMainThread ? storm() : beHealthy());
