/**
 * One side of `bench/append.mjs`, a process of its own: keeps `inFlight` appends under way for some seconds and prints
 * one JSON line. `node append-side.mjs '<json>'`: {side, url, connection, admin, tenant, role, rooms[], inFlight, seconds,
 * warmup, lockMs, together}. With `together` it sends to all rooms that there are, by chance, says "warm", and measures from
 * the line on that it is sent then.
 */
import { createHash, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { batching, LEAN_APPEND, leanValues } from '../reference/lean-append.mjs';
import { Histogram } from './stats.mjs';

const require = createRequire(import.meta.url);
const { Client, Pool } = require('pg');
const { newUuid } = require('../../dist/common/ids');
const o = { inFlight: 256, seconds: 4, warmup: 1, ...JSON.parse(process.argv[2]) };
const CONTENT = 'abcdefghij'.repeat(20);
const HASH = createHash('sha256').update(CONTENT).digest();
const FUNCTION = `SELECT * FROM append_messages(0, $1, $2, $3, $4, $5, $6, $7, $8, '{}', '{}', '{}', '{}',
  '{}', '{}', '{}', '{}', '{}')`;

let n = 0;

function message() {
  return {
    tenantId: o.tenant,
    roomId: o.rooms[o.together ? Math.floor(Math.random() * o.rooms.length) : n++ % o.rooms.length],
    messageId: newUuid(),
    senderId: 'alice',
    clientMessageId: randomUUID(),
    bodyHash: HASH,
    content: CONTENT,
    metaText: null,
  };
}

function functionValues(batch) {
  const column = (pick) => batch.map(pick);
  return [
    column((m) => m.tenantId),
    column((m) => m.roomId),
    column((m) => m.messageId),
    column((m) => m.senderId),
    column((m) => m.clientMessageId),
    column((m) => m.bodyHash),
    column((m) => m.content),
    column((m) => m.metaText),
  ];
}

require('reflect-metadata');
const { SilentLog } = require('../../dist/platform/logging');
const { Metrics } = require('../../dist/platform/metrics');
const log = new SilentLog();
const metrics = new Metrics(log);

function appenderOn({ system, availability }) {
  const { AcknowledgedChanges } = require('../../dist/platform/database');
  const { Appender } = require('../../dist/modules/messages/appender/appender');
  const { AppendRepository } = require('../../dist/modules/messages/appender/append.repository');
  const { MessageFeed } = require('../../dist/modules/messages/message-feed');
  // Nobody listens: the events are made, as they are on a server without sockets.
  const feed = new MessageFeed(
    { publishEvents: () => undefined, touchRoom: () => undefined },
    { endOnMessage: () => undefined },
    { cancelled: () => undefined },
    { stored: () => undefined },
  );
  const repository = new AppendRepository(system, { of: () => [], appended: () => undefined }, { lockMs: o.lockMs });
  const appender = new Appender(repository, availability, metrics, feed, log, new AcknowledgedChanges());
  return (m) => appender.append(m);
}

const SIDES = {
  /** Ours as it is: queues, fairness, repeats, roles, deadlines. */
  async appender() {
    const { loadConfig } = require('../../dist/config');
    const { openDatabase } = require('../../dist/platform/database');
    const { Lifecycle } = require('../../dist/platform/lifecycle');
    const lifecycle = new Lifecycle(log);
    const { database } = loadConfig({ DATABASE_URL: o.url });
    return appenderOn(await openDatabase({ config: database, log, lifecycle, metrics, onProgress: () => undefined }));
  },
  /** The same on connections of its own, past the lock by which one server has a database to itself. */
  async node() {
    const { Availability } = require('../../dist/platform/database/availability');
    const { SystemDatabase } = require('../../dist/platform/database/database');
    const { createPool } = require('../../dist/platform/database/pool');
    const { roleNames } = require('../../dist/platform/database/roles');
    const { Runner } = require('../../dist/platform/database/runner');
    const { ScopedSource } = require('../../dist/platform/database/scoped-source');
    const { connection } = o;
    const roles = roleNames(o.role.replace(/_system$/, ''));
    const pool = createPool({ connection, size: 10, waitMs: 5000, roles, log });
    const availability = new Availability(connection, log);
    const system = new SystemDatabase(new Runner(pool, availability, 5000), roles, new ScopedSource());
    return appenderOn({ system, availability });
  },
  /** The append function, called in batches by a bare client. */
  async function() {
    const client = new Client(o.connection);
    await client.connect();
    await client.query(`SET ROLE ${o.role}`);
    return batching(
      async (batch) => (await client.query({ name: 'f', text: FUNCTION, values: functionValues(batch) })).rows,
    );
  },
  /** The append function, one message per call. */
  async single() {
    const pool = new Pool({ ...o.connection, max: 20 });
    pool.on('connect', (client) => client.query(`SET ROLE ${o.role}`));
    return (m) => pool.query({ name: 'f', text: FUNCTION, values: functionValues([m]) });
  },
  /** The lean batch: no membership, no roles, fails as a whole. */
  async lean() {
    const client = new Client(o.connection);
    await client.connect();
    return batching(
      async (batch) => (await client.query({ name: 'l', text: LEAN_APPEND, values: leanValues(batch, o.tenant) })).rows,
    );
  },
};

const analyst = new Client(o.admin);
await analyst.connect();
// Too many for a command line.
if (o.together) o.rooms = (await analyst.query('SELECT room_id FROM rooms')).rows.map((row) => row.room_id);
const append = await SIDES[o.side]();
let latency = new Histogram();
let stopped = false;

async function keepBusy() {
  while (!stopped) {
    const began = performance.now();
    await append(message());
    latency.add(performance.now() - began);
  }
}

for (let i = 0; i < o.inFlight; i++) void keepBusy();
await new Promise((resolve) => setTimeout(resolve, o.warmup * 1000));
if (o.together) {
  console.log('warm');
  await once(process.stdin, 'data');
} else {
  // A plan made on empty tables is up to five times slower; both sides get their statistics now.
  await analyst.query('ANALYZE');
  await new Promise((resolve) => setTimeout(resolve, 500));
}
latency = new Histogram();
const from = performance.now();
await new Promise((resolve) => setTimeout(resolve, o.seconds * 1000));
const seconds = (performance.now() - from) / 1000;
stopped = true;
console.log(JSON.stringify({ rate: latency.count / seconds, p50: latency.quantile(0.5), p99: latency.quantile(0.99) }));
process.exit(0);
