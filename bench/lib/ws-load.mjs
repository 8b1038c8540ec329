/**
 * Socket load, a process of its own: `node ws-load.mjs '<json>'` prints one JSON line. Modes:
 *
 * - fanout: `count` subscribers of one room; a publisher sends by REST or by frame, with `window` messages that not
 *   every subscriber has yet, or `rate` messages a second. Counts deliveries; latency is from a message's send to its
 *   last subscriber. `stalled` of the subscribers stop reading and are not counted.
 * - echo: `count` sockets send frames, `inFlight` each without an answer, and count the answers.
 * - idle: `count` sockets that only are there for `seconds`.
 *
 * Options: mode, url, headers{} (`{user}` in url, headers, frame and room is `user<i>`, `{room}` rooms[i % n]), rooms[],
 * ready (text of the frame after which a connection counts as open), count, from (the first user's number), seconds, warmup,
 * settle, bytes, window, rate, stalled, publish{by: 'rest'|'socket', url, path, headers, connections, body (`{content}` in
 * it)}, frame, inFlight.
 */
import { randomUUID } from 'node:crypto';
import { headerLines, HttpConnection } from './http-connection.mjs';
import { Histogram } from './stats.mjs';
import { RawSocket } from './ws-socket.mjs';

const o = {
  ...{ count: 1000, seconds: 4, warmup: 1, settle: 1, bytes: 200, rate: 0, window: 32, stalled: 0, inFlight: 1 },
  ...{ from: 0, headers: {}, rooms: [] },
  ...JSON.parse(process.argv[2]),
};
/**
 * Once in every message and every answer: what is counted. Two bytes, since any single one may also be part of a frame's
 * length.
 */
const MARK = '^!';
const [FIRST, SECOND] = Buffer.from(MARK);
const CONTENT = MARK + 'abcdefghij'.repeat(Math.ceil(o.bytes / 10)).slice(0, o.bytes - MARK.length);
const CONNECT_AT_ONCE = 50;
const PONG_MS = 15_000;
const LOST_MS = 10_000;

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

function filled(text, i) {
  return text.replaceAll('{user}', `user${o.from + i}`).replaceAll('{room}', o.rooms[i % o.rooms.length]);
}

function filledHeaders(headers, i) {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, filled(value, i)]));
}

/** Marks in what a socket has read; one may be split between two reads. */
function marksIn(socket, shared, length) {
  const buffer = shared.subarray(0, length);
  let marks = socket.halfMark && buffer[0] === SECOND ? 1 : 0;
  for (let at = buffer.indexOf(FIRST); at >= 0; at = buffer.indexOf(FIRST, at + 1))
    if (buffer[at + 1] === SECOND) marks++;
  socket.halfMark = buffer[length - 1] === FIRST;
  return marks;
}

/** Opens all sockets, and keeps them alive. */
async function openSockets(onBytes) {
  const sockets = [];
  setInterval(() => sockets.forEach((socket) => socket.pong()), PONG_MS).unref();
  while (sockets.length < o.count) {
    const opening = [];
    for (let i = sockets.length; i < o.count && opening.length < CONNECT_AT_ONCE; i++) {
      const socket = new RawSocket((buffer, length) => onBytes(socket, buffer, length));
      opening.push(socket.open(filled(o.url, i), filledHeaders(o.headers, i), o.ready));
    }
    sockets.push(...(await Promise.all(opening)));
  }
  for (const socket of sockets) socket.fail = () => undefined;
  await sleep(o.settle * 1000);
  return sockets;
}

/** Sends by REST over whichever connection is free. */
class RestPublisher {
  constructor({ url, path, headers, body, connections = 32 }) {
    this.target = new URL(url);
    this.head = `POST ${path} HTTP/1.1\r\nHost: ${this.target.host}\r\n${headerLines(headers)}Content-Type: application/json\r\n`;
    this.body = body;
    this.count = connections;
    this.waiting = 0;
    this.idle = [];
  }

  async open() {
    const onAnswer = (connection, status, body) => {
      if (status >= 400) throw new Error(`${status} ${body}`);
      if (this.waiting > 0) {
        this.waiting--;
        connection.write(this.request());
      } else this.idle.push(connection);
    };
    this.idle = await Promise.all(
      Array.from({ length: this.count }, () => new HttpConnection(onAnswer).open(this.target)),
    );
  }

  send() {
    const connection = this.idle.pop();
    if (connection) connection.write(this.request());
    else this.waiting++;
  }

  request() {
    const body =
      this.body?.replace('{content}', CONTENT) ?? JSON.stringify({ content: CONTENT, client_message_id: randomUUID() });
    return `${this.head}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
  }
}

/** Sends frames on a connection of its own; what comes back on it is not counted. */
class SocketPublisher {
  constructor({ url, headers }) {
    this.url = url;
    this.headers = headers;
  }

  async open() {
    this.socket = await new RawSocket(() => undefined).open(this.url, this.headers, o.ready);
  }

  send() {
    this.socket.send(
      JSON.stringify({
        ...{ type: 'send_message', room_id: o.rooms[0], content: CONTENT, client_message_id: randomUUID() },
      }),
    );
  }
}

/** Counts deliveries of messages that every subscriber gets, and when the last one got each. */
class Fanout {
  constructor() {
    this.subscribers = o.count - o.stalled;
    this.publisher = o.publish.by === 'rest' ? new RestPublisher(o.publish) : new SocketPublisher(o.publish);
    this.delivered = 0;
    this.complete = 0;
    this.sentAt = [];
    this.latency = new Histogram();
    this.refill = () => undefined;
  }

  async open() {
    const sockets = await openSockets((socket, buffer, length) => this.read(socket, buffer, length));
    await this.publisher.open();
    this.sockets = sockets;
    this.publish();
    await this.allComplete('the first message');
    for (const socket of sockets.slice(0, o.stalled)) {
      socket.stalled = true;
      socket.socket.pause();
    }
    if (o.stalled > 0) this.restart();
  }

  /** From here on only those count that read. */
  restart() {
    this.counting = new Set(this.sockets.slice(o.stalled));
    this.delivered = 0;
    this.complete = 0;
    this.sentAt = [];
  }

  read(socket, buffer, length) {
    if (socket.stalled) return;
    this.delivered += marksIn(socket, buffer, length);
    const each = this.counting ? this.subscribers : o.count;
    for (; (this.complete + 1) * each <= this.delivered; this.complete++)
      this.latency.add(performance.now() - this.sentAt[this.complete]);
    this.refill();
  }

  publish() {
    this.sentAt.push(performance.now());
    this.publisher.send();
  }

  start() {
    if (o.rate === 0) {
      this.refill = () => {
        while (this.sentAt.length - this.complete < o.window) this.publish();
      };
      this.refill();
      return;
    }
    const began = performance.now();
    const before = this.sentAt.length;
    const tick = () => {
      if (this.stopped) return;
      while (this.sentAt.length - before < ((performance.now() - began) / 1000) * o.rate) this.publish();
      setTimeout(tick, 1);
    };
    tick();
  }

  stop() {
    this.stopped = true;
    this.refill = () => undefined;
  }

  async allComplete(what) {
    const until = performance.now() + LOST_MS;
    while (this.complete < this.sentAt.length) {
      if (performance.now() > until)
        throw new Error(`${what}: ${this.delivered} deliveries, ${this.sentAt.length} messages to ${o.count} sockets`);
      await sleep(5);
    }
  }
}

async function fanout() {
  const run = new Fanout();
  await run.open();
  run.start();
  await sleep(o.warmup * 1000);
  run.latency = new Histogram();
  const [from, delivered] = [performance.now(), run.delivered];
  process.send?.('measuring');
  await sleep(o.seconds * 1000);
  const seconds = (performance.now() - from) / 1000;
  const ok = run.delivered - delivered;
  const { latency } = run;
  process.send?.('measured');
  run.stop();
  await run.allComplete('at the end');
  const closed = run.sockets.filter((socket) => socket.closed).length;
  return { ok, failed: 0, seconds, rate: ok / seconds, ...quantiles(latency), closed };
}

async function echo() {
  let answered = 0;
  let latency = new Histogram();
  const send = (socket) => {
    socket.sentAt.push(performance.now());
    socket.send(socket.frame.replace('{uuid}', () => randomUUID()));
  };
  const sockets = await openSockets((socket, buffer, length) => {
    for (let n = marksIn(socket, buffer, length); n > 0; n--) {
      answered++;
      latency.add(performance.now() - socket.sentAt.shift());
      send(socket);
    }
  });
  for (const [i, socket] of sockets.entries()) {
    socket.sentAt = [];
    socket.frame = filled(o.frame, i);
    for (let n = 0; n < o.inFlight; n++) send(socket);
  }
  await sleep(o.warmup * 1000);
  latency = new Histogram();
  const [from, before] = [performance.now(), answered];
  process.send?.('measuring');
  await sleep(o.seconds * 1000);
  const seconds = (performance.now() - from) / 1000;
  const ok = answered - before;
  process.send?.('measured');
  return { ok, failed: 0, seconds, rate: ok / seconds, ...quantiles(latency) };
}

async function idle() {
  const from = performance.now();
  const sockets = await openSockets(() => undefined);
  const connectSeconds = (performance.now() - from) / 1000 - o.settle;
  process.send?.('opened');
  await sleep(o.seconds * 1000);
  process.send?.('measured');
  // The server's memory is read now: the sockets must stay for it.
  await sleep(1000);
  const closed = sockets.filter((socket) => socket.closed).length;
  return { ok: o.count - closed, failed: closed, connectSeconds };
}

function quantiles(latency) {
  return { p50: latency.quantile(0.5), p99: latency.quantile(0.99) };
}

console.log(JSON.stringify(await { fanout, echo, idle }[o.mode]()));
process.exit(0);
