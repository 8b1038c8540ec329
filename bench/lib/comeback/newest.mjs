/**
 * `GET /rooms/{id}/messages?order=desc&limit=50` of one hot room, 32 connections, against the bare reference of the hot routes
 * in pairs. Both answers have the same fields and the same size, to one per cent. Where ours has an ETag, also what it
 * answers to somebody who has that page.
 */
import { fileURLToPath } from 'node:url';
import { DEMO_TENANT } from '../cluster.mjs';
import { load, startServer } from '../processes.mjs';
import { median } from '../stats.mjs';
import { cpuText, ratioRow } from './rows.mjs';
import { fill, log, openOurs } from './world.mjs';

const PAIRS = Number(process.env.BENCH_PAIRS ?? 9);
const SECONDS = Number(process.env.BENCH_SECONDS ?? 2);
const WARMUP = 0.5;
const WARM_REQUESTS = 5000;
const WARM_RUNS = 10;
const CONNECTIONS = 32;
const MEMBERS = 50;
const MESSAGES = 1000;
const LIMIT = 50;
const REFERENCE = fileURLToPath(new URL('../../reference/routes.mjs', import.meta.url));

export const NEWEST_ROWS = ['GET newest', '… by who has'];

async function openSides(cluster) {
  const server = await openOurs(cluster, { rooms: 1, members: MEMBERS, users: MEMBERS });
  const [room] = server.rooms;
  await fill(cluster, server.database, [room], MESSAGES);
  const path = `/rooms/${room}/messages?order=desc&limit=${LIMIT}`;
  const options = { connection: cluster.admin(server.database), tenant: DEMO_TENANT, userId: 'alice' };
  const bare = await startServer(process.execPath, [REFERENCE, JSON.stringify(options)], {}, /listens on/);
  bare.url = /listens on (http:\S+)/.exec(bare.output)[1];
  return { ours: { ...server, path }, bare: { ...bare, headers: {}, path } };
}

async function page({ url, path, headers }) {
  const answer = await fetch(url + path, { headers });
  const text = await answer.text();
  if (answer.status !== 200 || JSON.parse(text).length !== LIMIT)
    throw new Error(`${path} answered ${answer.status}: ${text.slice(0, 300)}`);
  return { bytes: Buffer.byteLength(text), tag: answer.headers.get('ETag') };
}

export async function newest(cluster) {
  const sides = await openSides(cluster);
  try {
    const [mine, theirs] = [await page(sides.ours), await page(sides.bare)];
    log(`newest ${LIMIT}: ${mine.bytes} bytes, bare ${theirs.bytes}`);
    if (Math.abs(mine.bytes / theirs.bytes - 1) > 0.01) throw new Error('the answers differ in size');
    const tagged = { ...sides.ours, headers: { ...sides.ours.headers, 'If-None-Match': mine.tag } };
    const wanted = mine.tag === null ? sides : { ...sides, tagged };
    return rows(await alternate(cluster, wanted));
  } finally {
    for (const side of Object.values(sides)) await side.stop();
  }
}

async function one(cluster, name, { url, path, headers, pid }) {
  const options = { url, headers, paths: [path], method: 'GET', connections: CONNECTIONS, seconds: SECONDS };
  const result = await load({ ...options, warmup: WARMUP }, { node: pid, postgres: cluster.pid });
  if (result.failed > 0) throw new Error(`${name}: ${result.failed} failed, e.g. ${result.sample}`);
  log(
    `newest ${name}: ${result.rate.toFixed(0)}/s, p99 ${result.p99.toFixed(2)} ms, CPU µs node ` +
      `${result.cpu.node.toFixed(0)}, PostgreSQL ${result.cpu.postgres.toFixed(0)}`,
  );
  return result;
}

/** By requests, not by time: on a busy machine a second is too short for a compiler. */
async function warmUp(cluster, name, side) {
  for (let answered = 0, runs = 0; answered < WARM_REQUESTS && runs < WARM_RUNS; runs++)
    answered += (await one(cluster, `${name}, warming up`, side)).ok;
}

/** A B, B A, … */
async function alternate(cluster, sides) {
  const names = Object.keys(sides);
  const results = Object.fromEntries(names.map((name) => [name, []]));
  for (const name of names) await warmUp(cluster, name, sides[name]);
  for (let pair = 0; pair < PAIRS; pair++)
    for (const name of pair % 2 === 0 ? names : [...names].reverse())
      results[name].push(await one(cluster, name, sides[name]));
  return results;
}

function rows({ ours, bare, tagged }) {
  const cost = (results) => {
    const of = (name) => median(results.map(({ cpu }) => cpu[name]));
    return { node: of('node'), postgres: of('postgres') };
  };
  const against = (results) => ({
    unit: 'requests/s',
    pairs: results.map(({ rate }, i) => [rate, bare[i].rate]),
    cpu: cpuText(cost(results), cost(bare)),
  });
  const main = ratioRow({ ...against(ours), name: `GET newest ${LIMIT}, one hot room: bare`, limits: [0.9, 1.5] });
  return tagged ? [main, ratioRow({ ...against(tagged), name: '… by who has that page (304)' })] : [main];
}
