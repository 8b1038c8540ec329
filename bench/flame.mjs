/**
 * `npm run bench:flame`: where the server's time goes while it stores messages over REST (the load of bench:rest, one
 * room, 32 connections). Profiles the built server, draws bench/flame/send.svg and writes the table of bench/README.md.
 * `npm run bench:flame -- /path/to/another/dist/main.js` profiles that build too, in turns, as send-before.svg.
 * Environment: BENCH_RUNS (3, of which the least disturbed is drawn), BENCH_SECONDS (5).
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openCluster, startOurs } from './lib/cluster.mjs';
import { dataOf, frames, selfTimes, svg } from './lib/flame-graph.mjs';
import { load } from './lib/processes.mjs';
import { table, writeSection } from './lib/report.mjs';

const RUNS = Number(process.env.BENCH_RUNS ?? 3);
const SECONDS = Number(process.env.BENCH_SECONDS ?? 5);
const BODY = JSON.stringify({ content: 'abcdefghij'.repeat(20), client_message_id: '{uuid}' });
const picture = (name) => fileURLToPath(new URL(`./flame/${name}.svg`, import.meta.url));
/** The monotonic clock in µs, which V8 stamps its samples with. */
const now = () => Number(process.hrtime.bigint() / 1000n);

const before = process.argv[2];
const sides = { send: undefined, ...(before === undefined ? {} : { 'send-before': resolve(before) }) };
const least = {};
const cluster = await openCluster();
try {
  for (let run = 1; run <= RUNS; run++)
    for (const [name, main] of Object.entries(sides)) {
      const profiled = await profile(`${name.replace('-', '_')}_${run}`, main);
      process.stderr.write(`${name}: ${profiled.us.toFixed(1)} µs per message\n`);
      if (profiled.us < (least[name]?.us ?? Infinity)) least[name] = profiled;
    }
  for (const [name, profiled] of Object.entries(least)) draw(name, profiled);
  await writeSection('flame', comparison());
} finally {
  await cluster.close();
}

/** One server under load, from start to end: its frames, and what a message cost its main thread. */
async function profile(database, main) {
  const directory = join(cluster.directory, `profile_${database}`);
  const server = await startOurs(cluster, database, {
    main,
    nodeArguments: ['--cpu-prof', '--cpu-prof-dir', directory],
  });
  const [room] = await server.rooms(1);
  const target = { url: server.url, paths: [`/rooms/${room}/messages`], headers: server.headers, body: BODY };
  await load({ ...target, seconds: 1 }, {});
  await cluster.sql(database, 'ANALYZE');
  const { rate, failed, sample } = await load({ ...target, seconds: SECONDS }, {});
  const to = now();
  if (failed > 0) throw new Error(`${failed} sends failed, e.g. ${sample}`);
  await server.stop();
  const file = JSON.parse(readFileSync(join(directory, readdirSync(directory)[0]), 'utf8'));
  const root = frames(file, to - SECONDS * 1e6, to);
  return { root, messages: rate * SECONDS, us: root.total / (rate * SECONDS) };
}

function draw(name, { root, messages, us }) {
  const perMessage = Object.entries(selfTimes(root)).map(([group, time]) => [
    group,
    Number((time / messages).toFixed(2)),
  ]);
  const title = `Storing a message over REST: ${us.toFixed(0)} µs of the server's main thread`;
  writeFileSync(picture(name), svg(root, title, Object.fromEntries(perMessage)));
}

/** µs per message of each group, in each of the two pictures that is there. */
function comparison() {
  const data = Object.entries({ before: 'send-before', now: 'send' })
    .filter(([, name]) => existsSync(picture(name)))
    .map(([column, name]) => [column, dataOf(readFileSync(picture(name), 'utf8'))]);
  const largest = (group) => Math.max(...data.map(([, times]) => times[group] ?? 0));
  const rows = [...new Set(data.flatMap(([, times]) => Object.keys(times)))]
    .filter((group) => largest(group) >= 0.2)
    .sort((a, b) => largest(b) - largest(a))
    .map((group) => [group, (times) => times[group] ?? 0]);
  const all = ['all', (times) => Object.values(times).reduce((sum, us) => sum + us, 0)];
  return table(
    [...rows, all].map(([group, us]) => ({
      'self time, µs per message': group,
      ...Object.fromEntries(data.map(([column, times]) => [column, us(times).toFixed(1)])),
    })),
  );
}
