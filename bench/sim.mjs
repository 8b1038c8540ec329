/**
 * What an installation of several nodes needs, on paper (docs/scale.md): from sockets, rooms, readers and rates to cores, Redis,
 * PostgreSQL and bytes. The sums are closed forms of the unit costs below; how uneven the parts are loaded comes from
 * events that are drawn (`uneven`).
 *
 *   node bench/sim.mjs                       the table of docs/scale.md; --write puts it there, --check compares
 *   node bench/sim.mjs --sockets 200000 --messages 20000 --audience 10 --routing A
 *   node bench/sim.mjs --point point.json    a measured point: { inputs, units?, measured: { nodeCores, redisCores, … } }
 *
 * A point is refused (exit 1) where a sum lies more than 30 % from what was measured. Cores of a point are those beyond what the
 * idle nodes, Redis and PostgreSQL use.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { format, resolveConfig } from 'prettier';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { table } from './lib/report.mjs';

const PAGE = fileURLToPath(new URL('../docs/scale.md', import.meta.url));
export const TOLERANCE = 0.3;

/** The design's load: a million sockets. `routing` A: every node hears every hint; B: only those that follow its room. */
export const PAPER_INPUTS = {
  sockets: 1_000_000,
  socketsPerNode: 20_000,
  rooms: 2_000_000,
  roomsPerNode: 100_000,
  /** Durable messages a second. */
  messages: 100_000,
  /** Live readers of a message. */
  audience: 10,
  /** Acknowledgements of reading a second, each a POST. */
  acks: 100_000,
  bytes: 600,
  routing: 'B',
};

/** µs of CPU each, if nothing else is said. docs/scale.md has where each was measured. */
export const UNITS = {
  socketKiB: 27,
  sendNode: 77,
  delivery: 5,
  hintMade: 2.7,
  hintSent: 2.5,
  hintTaken: 5,
  hintSkipped: 2,
  ackNode: 107,
  ackPostgres: 119,
  ackNodeBatched: 10,
  ackPostgresBatched: 15,
  sendPostgres: 55,
  /** What one Redis passes on in a second with its core full, and the share of it that is used. */
  redisReceptions: 650_000,
  redisShare: 0.35,
  redisPublication: 4,
  limiterCallsPerRequest: 0.1,
  limiterCall: 14,
  presenceRenewal: 15,
  presenceEverySeconds: 25,
  resubscription: 5,
  /** Per 1,000 rooms whose heads are read, in ms. */
  headsNodeMs: 5.4,
  headsPostgresMs: 8.8,
  shardMessages: 10_000,
  backendsPerNode: 6,
  walBytes: 1500,
  storedBytes: 700,
  comebacksPerSecond: 180,
  busyShare: 0.6,
  coresPerMachine: 4,
};

const cores = (perSecond, micros) => (perSecond * micros) / 1e6;

/** What the nodes do, in cores, and what of it goes through Redis. */
function nodeWork({ messages, audience, acks, routing }, nodes, unit) {
  const others = nodes - 1;
  // Of the other nodes, those with at least one of the readers.
  const reached = others * (1 - (1 - 1 / nodes) ** audience);
  const heard = routing === 'A' ? messages * others : messages * reached;
  const published = nodes > 1 ? messages : 0;
  const part = {
    sends: cores(messages, unit.sendNode),
    deliveries: cores(messages * audience, unit.delivery),
    hintsOut: cores(published, unit.hintMade + unit.hintSent),
    hintsIn: cores(messages * reached, unit.hintTaken) + cores(heard - messages * reached, unit.hintSkipped),
    acks: cores(acks, unit.ackNode),
  };
  const nodeCores = Object.values(part).reduce((sum, each) => sum + each, 0);
  return { ...part, nodeCores, others, reached, heard, published };
}

/** All sums of one load, by name. @param more units that differ */
export function demand(inputs, more = {}) {
  const unit = { ...UNITS, ...more };
  const nodes = inputs.nodes ?? Math.max(1, Math.ceil(inputs.sockets / inputs.socketsPerNode));
  const { messages, acks } = inputs;
  const { others, heard, published, ...work } = nodeWork(inputs, nodes, unit);
  const shards = Math.ceil(messages / unit.shardMessages);
  const bus = heard / unit.redisReceptions;
  return {
    nodes,
    socketsGiB: (inputs.sockets * unit.socketKiB) / 2 ** 20,
    ...work,
    broadcastReceptions: messages * others,
    broadcastCores: cores(messages * others, unit.hintSkipped),
    broadcastMBps: (messages * others * inputs.bytes) / 1e6,
    acksPostgres: cores(acks, unit.ackPostgres),
    acksBatched: cores(acks, unit.ackNodeBatched),
    acksPostgresBatched: cores(acks, unit.ackPostgresBatched),
    machines: Math.ceil(work.nodeCores / unit.busyShare / unit.coresPerMachine),
    busReceptions: heard,
    busMBps: (heard * inputs.bytes) / 1e6,
    busCores: bus,
    busInstances: Math.max(1, Math.ceil(bus / unit.redisShare)),
    redisCores: bus + cores(published, unit.redisPublication),
    limiterCores: cores(messages * unit.limiterCallsPerRequest, unit.limiterCall),
    presenceCores: cores(inputs.sockets / unit.presenceEverySeconds, unit.presenceRenewal),
    subscriptions: nodes * (inputs.roomsPerNode + inputs.sockets / nodes),
    resubscribeSeconds: cores(inputs.roomsPerNode + inputs.sockets / nodes, unit.resubscription),
    postgresCores: cores(messages, unit.sendPostgres),
    walMBps: (messages * unit.walBytes) / 1e6,
    shards,
    backendsPerShard: nodes * unit.backendsPerNode,
    storedTBPerDay: (messages * unit.storedBytes * 86_400) / 1e12,
    movedPerNode: others > 0 ? inputs.sockets / nodes / others : 0,
    comebackSeconds: others > 0 ? inputs.sockets / nodes / others / unit.comebacksPerSecond : 0,
    resyncPostgresCoreSeconds: (nodes * (inputs.roomsPerNode / 1000) * unit.headsPostgresMs) / 1000,
  };
}

/** What the design's table has for its load (cluster.md §9.3). */
export const PAPER = {
  nodes: 50,
  socketsGiB: 27,
  sends: 8,
  deliveries: 5,
  hintsOut: 0.5,
  hintsIn: 4.5,
  reached: 9,
  broadcastReceptions: 5e6,
  broadcastCores: 10,
  broadcastMBps: 3000,
  acks: 11,
  acksPostgres: 12,
  nodeCores: 30,
  machines: 13,
  busReceptions: 900_000,
  busMBps: 540,
  busCores: 1.4,
  busInstances: 4,
  limiterCores: 0.14,
  presenceCores: 0.6,
  subscriptions: 6e6,
  resubscribeSeconds: 0.6,
  postgresCores: 6,
  walMBps: 150,
  shards: 10,
  backendsPerShard: 300,
  storedTBPerDay: 6,
  movedPerNode: 408,
  comebackSeconds: 3,
  resyncPostgresCoreSeconds: 45,
};

/** Rows of what was said and what the sums are; `isOff` beyond the tolerance, also where there is no such sum. */
export function deviations(sums, said) {
  return Object.entries(said).map(([what, value]) => {
    const off = Math.abs((sums[what] ?? NaN) / value - 1);
    return { what, said: value, sum: sums[what], off, isOff: !(off <= TOLERANCE) };
  });
}

/**
 * How uneven nodes, Redis instances and primaries are loaded: messages are drawn one by one, each of a tenant (sizes by Zipf's law,
 * each on one primary), of any room, with readers on any nodes. Worst share by mean share of each.
 */
export function uneven(inputs, { messages = 50_000, tenants = 1000, skew = 0.8, seed = 1 } = {}) {
  const random = randomOf(seed);
  const { nodes, busInstances, shards } = demand(inputs);
  const weights = Array.from({ length: tenants }, (_, i) => (i + 1) ** -skew);
  const bounds = cumulative(weights);
  const shardOf = weights.map(() => Math.floor(random() * shards));
  const work = {
    nodes: new Float64Array(nodes),
    redis: new Float64Array(busInstances),
    shards: new Float64Array(shards),
  };
  let reached = 0;
  for (let m = 0; m < messages; m++) {
    const tenant = below(bounds, random());
    const sender = Math.floor(random() * nodes);
    work.nodes[sender] += UNITS.sendNode + UNITS.hintMade + UNITS.hintSent;
    const there = new Set();
    for (let r = 0; r < inputs.audience; r++) {
      const node = Math.floor(random() * nodes);
      there.add(node);
      work.nodes[node] += UNITS.delivery;
    }
    there.delete(sender);
    for (const node of there) work.nodes[node] += UNITS.hintTaken;
    reached += there.size;
    work.redis[Math.floor(random() * busInstances)] += there.size;
    work.shards[shardOf[tenant]] += 1;
  }
  const worst = (each) => Math.max(...each) / (each.reduce((sum, x) => sum + x, 0) / each.length);
  return {
    nodes: worst(work.nodes),
    redis: worst(work.redis),
    shards: worst(work.shards),
    reached: reached / messages,
  };
}

function cumulative(weights) {
  const all = weights.reduce((sum, each) => sum + each, 0);
  let sum = 0;
  return weights.map((each) => (sum += each / all));
}

function below(bounds, x) {
  const at = bounds.findIndex((bound) => x < bound);
  return at < 0 ? bounds.length - 1 : at;
}

function randomOf(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** What each sum is, in the order of the table. */
const ROWS = {
  nodes: ['node processes', 0],
  socketsGiB: ['memory of the sockets, GiB', 0],
  sends: ['nodes: sends, cores', 1],
  deliveries: ['nodes: deliveries, cores', 1],
  reached: ['other nodes that a message reaches', 1],
  hintsOut: ['nodes: hints made and sent, cores', 1],
  hintsIn: ['nodes: hints taken, cores', 1],
  broadcastReceptions: ['… sent to every node instead: receptions/s', 0],
  broadcastCores: ['… cores', 1],
  broadcastMBps: ['… MB/s', 0],
  acks: ['nodes: acks, each a POST, cores', 1],
  acksPostgres: ['PostgreSQL: acks, each a POST, cores', 1],
  acksBatched: ['nodes: acks in batches, cores', 1],
  acksPostgresBatched: ['PostgreSQL: acks in batches, cores', 1],
  nodeCores: ['nodes: all of it, cores', 1],
  machines: ['machines of 4 cores, 60 % busy', 0],
  busReceptions: ['Redis: receptions of hints/s', 0],
  busMBps: ['Redis: MB/s to nodes', 0],
  busCores: ['Redis: its core, full so many times', 2],
  busInstances: ['Redis: instances, 35 % busy', 0],
  limiterCores: ['Redis: rate limits, cores', 2],
  presenceCores: ['Redis: presence, cores', 2],
  subscriptions: ['Redis: subscriptions of all nodes', 0],
  resubscribeSeconds: ['a node subscribes anew, s', 2],
  postgresCores: ['PostgreSQL: appends, cores', 1],
  walMBps: ['PostgreSQL: WAL, MB/s', 0],
  shards: ['PostgreSQL: primaries', 0],
  backendsPerShard: ['PostgreSQL: connections to each', 0],
  storedTBPerDay: ['stored in a day at this rate, TB', 1],
  movedPerNode: ['a node dies: sockets that each other gets', 0],
  comebackSeconds: ['… until it has let them in, s', 1],
  resyncPostgresCoreSeconds: ['Redis starts anew: PostgreSQL, core-seconds', 0],
};

const shown = (value, digits) => value.toLocaleString('en-US', { maximumFractionDigits: digits });

/** The table of docs/scale.md, of the design's load. */
export function paperTable() {
  const sums = demand(PAPER_INPUTS);
  return table(
    Object.entries(ROWS).map(([name, [what, digits]]) => ({
      what,
      'the sum': shown(sums[name], digits),
      'the design’s page': name in PAPER ? shown(PAPER[name], digits) : '–',
    })),
  );
}

function loadTable(inputs, units) {
  const sums = demand(inputs, units);
  return table(Object.entries(ROWS).map(([name, [what, digits]]) => ({ what, 'the sum': shown(sums[name], digits) })));
}

/** @returns the table of a measured point, and whether all of its sums are near enough */
export function pointTable({ inputs, units, measured }) {
  const rows = deviations(demand({ ...PAPER_INPUTS, ...inputs }, units), measured);
  const lines = rows.map(({ what, said, sum, off, isOff }) => ({
    what: ROWS[what]?.[0] ?? what,
    measured: said,
    'the sum': Number.isFinite(sum) ? shown(sum, 3) : 'there is none',
    off: Number.isFinite(off) ? `${Math.round(off * 100)} %` : '–',
    '≤30 %': isOff ? 'no' : 'yes',
  }));
  return { text: table(lines), isNear: rows.every(({ isOff }) => !isOff) };
}

const MARKED = /<!-- sim:begin -->[\s\S]*<!-- sim:end -->/;

/** docs/scale.md with the table of today. */
export async function withTable(page) {
  if (!MARKED.test(page)) throw new Error('docs/scale.md has no place for the table');
  const text = page.replace(MARKED, () => `<!-- sim:begin -->\n\n${paperTable()}\n\n<!-- sim:end -->`);
  return format(text, { ...(await resolveConfig(PAGE)), parser: 'markdown' });
}

async function main(args) {
  const option = (name) => args[args.indexOf(`--${name}`) + 1];
  if (args.includes('--point')) {
    const { text, isNear } = pointTable(JSON.parse(readFileSync(option('point'), 'utf8')));
    console.log(text);
    process.exitCode = isNear ? 0 : 1;
  } else if (args.includes('--write') || args.includes('--check')) {
    const page = readFileSync(PAGE, 'utf8');
    const now = await withTable(page);
    if (args.includes('--write')) writeFileSync(PAGE, now);
    else if (now !== page) throw new Error('docs/scale.md is not what bench/sim.mjs says; node bench/sim.mjs --write');
  } else {
    const given = Object.keys(PAPER_INPUTS).filter((name) => args.includes(`--${name}`));
    const numbers = given.map((name) => [name, name === 'routing' ? option(name) : Number(option(name))]);
    const inputs = { ...PAPER_INPUTS, ...Object.fromEntries(numbers) };
    console.log(given.length === 0 ? paperTable() : loadTable(inputs));
    const { nodes, redis, shards } = uneven(inputs);
    const times = [nodes, redis, shards].map((each) => `${each.toFixed(2)} ×`).join(', ');
    console.log(`\nThe busiest node, Redis and primary carry ${times} the mean (1,000 tenants, sizes by Zipf's law).`);
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await main(process.argv.slice(2));
