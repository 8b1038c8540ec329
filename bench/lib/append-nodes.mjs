/**
 * Appenders of several processes on one database, 256 appends in flight each, all of them in all rooms: what they do
 * together, and the worst p99 of one of them, when a batch skips the rooms that another process holds and when it waits for
 * them. Whatever they did, no room may have a gap.
 */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { median } from './stats.mjs';

const SIDE = fileURLToPath(new URL('./append-side.mjs', import.meta.url));
const PROCESSES = [1, 2, 3];
/** Milliseconds that a batch waits for a room. */
const MODES = { skipping: 0, waiting: 50 };
const GAPS = `SELECT count(*)::int AS n FROM (
  SELECT r.last_seq, count(m.seq) AS stored, COALESCE(max(m.seq), 0) AS newest
  FROM rooms r LEFT JOIN messages m ON m.tenant_id = r.tenant_id AND m.room_id = r.room_id
  GROUP BY r.tenant_id, r.room_id, r.last_seq) x WHERE x.stored <> x.last_seq OR x.newest <> x.last_seq`;

/** A row for each number of processes: medians of the passes, in which all take turns. */
export async function compareNodes({ database: { rooms, ...database }, sql, runs, seconds }) {
  const results = new Map();
  for (let run = 0; run < runs; run++)
    for (const processes of PROCESSES)
      for (const [mode, lockMs] of Object.entries(MODES)) {
        const result = await together(processes, { ...database, lockMs, seconds }, sql);
        const key = `${mode} ${processes}`;
        results.set(key, [...(results.get(key) ?? []), result]);
        process.stderr.write(
          `${processes} ${mode}: ${Math.round(result.rate)}/s, worst p99 ${Math.round(result.p99)} ms\n`,
        );
      }
  const [{ n }] = await sql(GAPS);
  if (n > 0) throw new Error(`${n} rooms have a gap, or a message twice`);
  const of = (mode, processes, what) => median(results.get(`${mode} ${processes}`).map((result) => result[what]));
  return PROCESSES.map((processes) => ({
    processes,
    rooms: rooms.length,
    ...Object.fromEntries(
      Object.keys(MODES).flatMap((mode) => [
        [`${mode}, sum /s`, Math.round(of(mode, processes, 'rate'))],
        [`${mode}, of one`, `${Math.round((of(mode, processes, 'rate') / of('skipping', 1, 'rate')) * 100)} %`],
        [`${mode}, worst p99 ms`, Math.round(of(mode, processes, 'p99'))],
      ]),
    ),
  }));
}

/** Lets so many processes append at the same time; what they did in the same seconds. */
async function together(processes, options, sql) {
  const sides = Array.from({ length: processes }, () => startSide(options));
  await Promise.all(sides.map((side) => side.line()));
  // A plan made on empty tables is up to five times slower.
  await sql('ANALYZE');
  for (const side of sides) side.measure();
  const measured = await Promise.all(sides.map(async (side) => JSON.parse(await side.line())));
  await Promise.all(sides.map((side) => side.ended));
  return {
    rate: measured.reduce((sum, { rate }) => sum + rate, 0),
    p99: Math.max(...measured.map(({ p99 }) => p99)),
  };
}

function startSide(options) {
  const json = JSON.stringify({ side: 'node', inFlight: 256, together: true, ...options });
  const child = spawn(process.execPath, [SIDE, json], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    ended: new Promise((resolve) => child.once('exit', resolve)),
    measure: () => child.stdin.write('measure\n'),
    async line() {
      const { value, done } = await lines.next();
      if (done) throw new Error('a process ended before it had measured');
      return value;
    },
  };
}
