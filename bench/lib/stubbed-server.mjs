/**
 * Our server with everything but the log: the append answers from memory. What is left is the cost of a request, or of
 * the delivery. `node stubbed-server.mjs` takes the same environment as the server, and BENCH_ADMIN, how to log in as
 * superuser (JSON); it prints what the server prints on its first start.
 */
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
require('reflect-metadata');
const { Client } = require('pg');
const { createApp } = require('../../dist/app');
const { loadConfig } = require('../../dist/config');
const { AppendRepository } = require('../../dist/modules/messages/appender/append.repository');
const { SilentLog } = require('../../dist/platform/logging');

const WRITE_MS = 50;
/** Room → last number: rooms that the bench makes begin at 0, and a stubbed message is one revision. */
const numbers = new Map();
const changed = new Set();

function next(roomId) {
  const number = (numbers.get(roomId) ?? 0) + 1;
  numbers.set(roomId, number);
  changed.add(roomId);
  return number;
}

Object.assign(AppendRepository.prototype, {
  append: async (batch) => {
    const at = new Date();
    return batch.map((m, i) => {
      const number = next(m.roomId);
      return { item: i + 1, status: 'new', message_id: m.messageId, seq: number, rev: number, created_at: at };
    });
  },
  lookup: async () => [],
  analyze: async () => undefined,
});

const admin = new Client(JSON.parse(process.env.BENCH_ADMIN));
await admin.connect();

/** Rooms' rows follow a little later: who connects afterwards has to find the room at its number. */
async function writeNumbers() {
  const rooms = [...changed];
  changed.clear();
  if (rooms.length > 0)
    await admin.query(
      `UPDATE rooms r SET last_seq = n.n, last_rev = n.n FROM unnest($1::uuid[], $2::bigint[]) n(room_id, n)
       WHERE r.room_id = n.room_id`,
      [rooms, rooms.map((room) => numbers.get(room))],
    );
  setTimeout(writeNumbers, WRITE_MS).unref();
}
await writeNumbers();

const app = await createApp(loadConfig(process.env), () => undefined, new SilentLog());
console.log(`listens on ${app.url}\n${app.firstStart.apiKey}\ncurl -X POST`);
process.on('SIGTERM', () => app.lifecycle.stop('done').then(() => process.exit(0)));
