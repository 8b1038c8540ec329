/**
 * `npm run bench:ws`: the socket, ours against the bare servers of bench/reference, in alternation (A B A B …), medians.
 * Environment: BENCH_RUNS (5), BENCH_SECONDS (4), BENCH_CASES (names of `CASES`, by comma; rows of the others stay as
 * they are in bench/README.md), BENCH_SIDES (`bare` leaves ours out and writes nothing: a trial of the load itself).
 */
import { fileURLToPath } from 'node:url';
import { openCluster } from './lib/cluster.mjs';
import { load, runLoad } from './lib/processes.mjs';
import { readRows, table, writeSection } from './lib/report.mjs';
import { median, residentBytes } from './lib/stats.mjs';
import { bare, ours } from './lib/ws-sides.mjs';

const RUNS = Number(process.env.BENCH_RUNS ?? 5);
const SECONDS = Number(process.env.BENCH_SECONDS ?? 4);
const WITH_OURS = process.env.BENCH_SIDES !== 'bare';
const WS_LOAD = fileURLToPath(new URL('./lib/ws-load.mjs', import.meta.url));
const IDLE_SECONDS = Number(process.env.BENCH_IDLE_SECONDS ?? 30);
/** Both sides give back what starting them took, in this time: what is measured over it is what connections cost. */
const SETTLE_SECONDS = Number(process.env.BENCH_SETTLE_SECONDS ?? 45);
const ROOM = { rooms: 1, members: 1000, users: 1000 };
const SEND =
  '{"type":"send_message","room_id":"{room}","content":"CONTENT","client_message_id":"{uuid}","request_id":"^!"}';
const CPU = 'CPU µs per unit of node, ours : reference';
const FRAME = SEND.replace('CONTENT', 'abcdefghij'.repeat(20));

const cluster = await openCluster();

/** Sides that are there; ours is left out on request, so that the load can be tried alone. */
function sidesOf(makers) {
  return Promise.all(Object.entries(makers).map(async ([key, make]) => ({ key, ...(await make()) })));
}

/** Runs `one(side)` in alternation over freshly started sides; per side the results of all runs. */
async function alternate(makers, one) {
  const wanted = Object.fromEntries(Object.entries(makers).filter(([key]) => WITH_OURS || !key.startsWith('ours')));
  const sides = await sidesOf(wanted);
  const results = Object.fromEntries(sides.map((side) => [side.key, []]));
  try {
    for (const side of sides) {
      await one(side, 1);
      if (side.database) await cluster.sql(side.database, 'ANALYZE');
    }
    for (let run = 0; run < RUNS; run++)
      for (const side of sides) {
        const result = await one(side, SECONDS);
        results[side.key].push(result);
        process.stderr.write(`${side.key} ${summary(result)}\n`);
      }
  } finally {
    for (const side of sides) await side.stop();
  }
  return results;
}

function summary({ rate, p50, p99, cpu, closed }) {
  const more = closed ? `, ${closed} closed` : '';
  return `${Math.round(rate)}/s p50 ${p50.toFixed(2)} p99 ${p99.toFixed(2)} ms, node ${cpu.node.toFixed(2)} µs${more}`;
}

/** A load of `ws-load.mjs` on one side. */
function socketLoad(side, options) {
  return runLoad(WS_LOAD, { ...side.load, ...options }, { node: side.pid });
}

const fanout =
  (by, more = {}) =>
  (side, seconds) =>
    socketLoad(side, { mode: 'fanout', publish: side.publish[by], seconds, ...more });

const of = (results, pick) => (results ? median(results.map(pick)) : undefined);
const rate = (result) => result.rate;
const p99 = (result) => result.p99;

/** CPU µs of the server per unit: ratios shift between machines, and this says why. */
function cpuOf(results) {
  if (results?.[0].cpu === undefined) return '–';
  const micros = median(results.map(({ cpu }) => cpu.node));
  return micros.toFixed(micros < 20 ? 2 : 0);
}

/**
 * One row; `ratio` is better the smaller or the larger it is, as `must` says.
 * @param mine, theirs the results of all runs of either side
 * @param pick the figure of one result
 * @param digits of the figures
 */
function row(name, unit, [mine, theirs], pick, [must, stretch], digits = 0) {
  const [own, reference] = [of(mine, pick), of(theirs, pick)];
  const figure = (value) => (value === undefined ? '–' : value.toFixed(digits));
  const ratio = own === undefined || !reference ? undefined : own / reference;
  return {
    case: name,
    unit,
    ours: figure(own),
    reference: figure(reference),
    ratio: ratio === undefined ? '–' : ratio.toFixed(2),
    must,
    stretch,
    [CPU]: `${cpuOf(mine)} : ${cpuOf(theirs)}`,
  };
}

const CASES = {
  /** REST → PostgreSQL → 1,000 sockets. */
  async path() {
    const results = await alternate(
      { ours: () => ours(cluster, ROOM), bare: () => bare(cluster, ROOM) },
      fanout('rest'),
    );
    return [row('fan-out, whole path', 'deliveries/s', [results.ours, results.bare], rate, ['≥ 0.50', '≥ 0.75'])];
  },

  /** The same without a log: what is left is the delivery. */
  async delivery() {
    const stub = { ...ROOM, stub: true };
    const results = await alternate(
      {
        ours: () => ours(cluster, stub),
        bare: () => bare(cluster, stub),
        string: () => bare(cluster, { ...stub, fan: 'string' }),
      },
      fanout('socket'),
    );
    const { ours: mine, bare: coalesced, string } = results;
    return [
      row('fan-out, log stubbed', 'deliveries/s', [mine, coalesced], rate, ['≥ 0.75', '≥ 0.90']),
      row('… against ws.send(string)', 'deliveries/s', [mine, string], rate, ['≥ 4', '≥ 8']),
    ];
  },

  /** 50 messages a second: nothing to coalesce. */
  async turn() {
    const stub = { ...ROOM, stub: true };
    const results = await alternate(
      { ours: () => ours(cluster, stub), bare: () => bare(cluster, { ...stub, fan: 'frame' }) },
      fanout('socket', { rate: 50 }),
    );
    const cpu = (result) => result.cpu.node;
    return [
      row('one message per turn', 'CPU µs per delivery', [results.ours, results.bare], cpu, ['≤ 1.3', '≤ 1.1'], 2),
    ];
  },

  /** The same on the whole path. */
  async latency() {
    const results = await alternate(
      { ours: () => ours(cluster, ROOM), bare: () => bare(cluster, ROOM) },
      fanout('rest', { rate: 50 }),
    );
    return [row('send to the last of 1,000', 'p99 ms', [results.ours, results.bare], p99, ['≤ 1.5', '≤ 1.2'], 2)];
  },

  memory5000: () => memory(5000),
  memory10000: () => memory(10_000),

  /** send_message → message.accepted, the append stubbed. */
  async accepted() {
    const world = { rooms: 50, members: 1, users: 50, stub: true };
    const results = await alternate(
      { ours: () => ours(cluster, world), bare: () => bare(cluster, { ...world }) },
      (side, seconds) => socketLoad(echoTarget(side), { mode: 'echo', count: 50, inFlight: 4, frame: FRAME, seconds }),
    );
    return [
      row('send → accepted, append stubbed', 'sends/s', [results.ours, results.bare], rate, ['≥ 0.50', '≥ 0.70']),
    ];
  },

  /** Durable sends of ours, by socket and by REST: 50 rooms, 50 senders, one send outstanding each. */
  async durable() {
    const world = { rooms: 50, members: 1, users: 50 };
    const bySocket = (side, seconds) => socketLoad(side, { mode: 'echo', count: 50, frame: FRAME, seconds });
    const byRest = ({ url, headers, load: { rooms }, pid }, seconds) =>
      load(
        {
          ...{ url, headers, seconds, connections: 50 },
          paths: rooms.map((room) => `/rooms/${room}/messages`),
          body: JSON.stringify({ content: 'abcdefghij'.repeat(20), client_message_id: '{uuid}' }),
        },
        { node: pid },
      );
    const results = await alternate(
      { ours: () => ours(cluster, world), oursRest: () => ours(cluster, world) },
      (side, seconds) => (side.key === 'ours' ? bySocket : byRest)(side, seconds),
    );
    return [row('durable sends, against our REST', 'sends/s', [results.ours, results.oursRest], rate, ['≥ 1.3', ''])];
  },

  /** One of 100 stops reading 1.6 MB a second; the others' time, with and without it. */
  async stalled() {
    const world = { rooms: 1, members: 100, users: 100 };
    const options = { count: 100, rate: 100, bytes: 16_000 };
    const results = await alternate(
      {
        oursStalled: () => ours(cluster, world),
        ours: () => ours(cluster, world),
        bareStalled: () => bare(cluster, world),
      },
      (side, seconds) =>
        fanout('rest', { ...options, stalled: side.key.endsWith('Stalled') ? 1 : 0 })(side, 2 * seconds),
    );
    return [
      row('a reader that stops: the others', 'p99 ms', [results.oursStalled, results.ours], p99, ['≤ 1.2', ''], 2),
    ];
  },
};

/** Bare sockets sit in no room here: a reply is all that they get. */
function echoTarget(side) {
  return side.key === 'bare' ? { ...side, load: { ...side.load, url: side.publish.socket.url } } : side;
}

/** Server memory per idle connection over its memory at the start; a server of its own for each run. */
async function memory(count) {
  const world = { rooms: count / 10, members: 100, users: count };
  const makers = { ours: () => ours(cluster, world), bare: () => bare(cluster, { rooms: count / 10, stub: true }) };
  const results = {};
  for (let run = 0; run < RUNS; run++)
    for (const [key, make] of Object.entries(makers)) {
      if (key === 'ours' && !WITH_OURS) continue;
      const side = await make();
      try {
        (results[key] ??= []).push(await idleBytes(key, side, count));
      } finally {
        await side.stop();
      }
    }
  const kib = (bytes) => bytes / 1024;
  return [row(`memory, ${count} idle`, 'KiB per connection', [results.ours, results.bare], kib, ['≤ 2', '≤ 1.5'], 1)];
}

const mib = (bytes) => Math.round(bytes / 1024 / 1024);

async function idleBytes(key, side, count) {
  const started = residentBytes(side.pid);
  await new Promise((resolve) => setTimeout(resolve, SETTLE_SECONDS * 1000));
  const before = residentBytes(side.pid);
  let after;
  const url = side.load.url.replace('?sync=manual', '');
  const options = { ...side.load, url, mode: 'idle', count, seconds: IDLE_SECONDS };
  const result = await runLoad(WS_LOAD, options, {}, (message) => {
    if (message === 'measured') after = residentBytes(side.pid);
  });
  if (result.failed > 0) throw new Error(`${key}: ${result.failed} connections were closed`);
  const bytes = (after - before) / count;
  process.stderr.write(
    `${key} ${mib(started)} MiB started, ${mib(before)} settled, ${mib(after)} with ${count} connections: ` +
      `${(bytes / 1024).toFixed(1)} KiB each, ${Math.round(count / result.connectSeconds)} connects/s\n`,
  );
  return bytes;
}

try {
  const wanted = process.env.BENCH_CASES?.split(',') ?? Object.keys(CASES);
  const rows = [];
  for (const name of wanted) rows.push(...(await CASES[name]()));
  if (WITH_OURS) await writeSection('ws', table(inOrder(merged(readRows('ws'), rows))));
  else console.log(table(rows));
} finally {
  await cluster.close();
}

/** What was measured now replaces the rows of its case. */
function merged(old, rows) {
  const names = new Set(rows.map((each) => each.case));
  const kept = old.filter((each) => !names.has(each.case)).map((each) => ({ ...each, [CPU]: each[CPU] ?? '–' }));
  return [...kept, ...rows];
}

function inOrder(rows) {
  const order = [
    'fan-out, whole',
    'fan-out, log',
    '… against',
    'one message',
    'send to',
    'memory',
    'send →',
    'durable',
    'a reader',
  ];
  const place = (each) => order.findIndex((name) => each.case.startsWith(name));
  return [...rows].sort((a, b) => place(a) - place(b));
}
