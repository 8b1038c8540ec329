/**
 * HTTP load from raw keep-alive sockets, a process of its own: `node http-load.mjs '<json>'` prints one JSON line.
 * Closed loop: each connection sends when its answer is there. Open loop (`rate`): requests are due by the clock, and
 * latency counts from when a request was due, so a server that stalls is charged for it.
 * Options: url, paths[], body or bodies[], headers{}, connections, seconds, warmup, rate. In a body, `{uuid}` is a new id
 * each time, and `{round}` says how often all the bodies have been sent, from 1.
 */
import { randomUUID } from 'node:crypto';
import { headerLines, HttpConnection } from './http-connection.mjs';
import { Histogram } from './stats.mjs';

const o = { connections: 32, seconds: 4, warmup: 1, rate: 0, method: 'POST', ...JSON.parse(process.argv[2]) };
const target = new URL(o.url);
const headers = headerLines(o.headers);
const bodies = o.bodies ?? (o.body === undefined ? undefined : [o.body]);
let sent = 0;
let result;

function requestText() {
  const n = sent++;
  const path = o.paths[n % o.paths.length];
  const head = `${o.method} ${path} HTTP/1.1\r\nHost: ${target.host}\r\n${headers}`;
  if (bodies === undefined) return `${head}\r\n`;
  const body = bodies[n % bodies.length]
    .replace('{uuid}', () => randomUUID())
    .replace('{round}', () => 1 + Math.floor(n / bodies.length));
  return `${head}Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}

/** `due`: from when its latency counts. */
function send(connection, due) {
  connection.due = due;
  connection.write(requestText());
}

function reset() {
  result = { latency: new Histogram(), ok: 0, failed: 0, statuses: {}, sample: undefined };
}

/** Sends what is due by the clock to whichever connection is free; what finds none waits, and is charged for it. */
class OpenLoop {
  constructor(connections, rate) {
    this.idle = [...connections];
    this.due = [];
    this.rate = rate;
  }

  start() {
    const began = performance.now();
    let scheduled = 0;
    const tick = () => {
      for (const wanted = ((performance.now() - began) / 1000) * this.rate; scheduled < wanted; scheduled++) {
        const at = began + (scheduled * 1000) / this.rate;
        const free = this.idle.pop();
        if (free) send(free, at);
        else this.due.push(at);
      }
      setTimeout(tick, 1);
    };
    tick();
  }

  next(connection) {
    const at = this.due.shift();
    if (at === undefined) this.idle.push(connection);
    else send(connection, at);
  }
}

/** Each connection sends when its answer is there. */
class ClosedLoop {
  constructor(connections) {
    this.connections = connections;
  }

  start() {
    for (const connection of this.connections) send(connection, performance.now());
  }

  next(connection) {
    send(connection, performance.now());
  }
}

function count(connection, status, body) {
  result.latency.add(performance.now() - connection.due);
  result.statuses[status] = (result.statuses[status] ?? 0) + 1;
  if (status < 400) {
    result.ok++;
    return;
  }
  result.failed++;
  result.sample ??= `${status} ${body.slice(0, 200)}`;
}

async function run() {
  let loop;
  const onAnswer = (connection, status, body) => {
    count(connection, status, body);
    loop.next(connection);
  };
  reset();
  const connections = await Promise.all(
    Array.from({ length: o.connections }, () => new HttpConnection(onAnswer).open(target)),
  );
  loop = o.rate ? new OpenLoop(connections, o.rate) : new ClosedLoop(connections);
  loop.start();
  await new Promise((resolve) => setTimeout(resolve, o.warmup * 1000));
  reset();
  process.send?.('measuring');
  const from = performance.now();
  await new Promise((resolve) => setTimeout(resolve, o.seconds * 1000));
  const seconds = (performance.now() - from) / 1000;
  const { latency, ok, failed, statuses, sample } = result;
  const quantiles = { p50: latency.quantile(0.5), p99: latency.quantile(0.99) };
  console.log(JSON.stringify({ ok, failed, statuses, sample, seconds, rate: ok / seconds, ...quantiles }));
  process.exit(0);
}

await run();
