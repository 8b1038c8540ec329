/**
 * `npm run bench:compare -- BEFORE AFTER`: two builds, or two versions of Node, under the same loads in one run. A side is
 * a checkout that is built, with `@` and a Node.js after it where another one is to run it:
 *
 *     npm run bench:compare -- ../before .               the commit before against this one
 *     npm run bench:compare -- . .@/opt/node24/bin/node  this one on two versions of Node
 *
 * A pair is one run of each side, in turns of A B and B A; what is compared is CPU µs per unit of the server. A load
 * fails its limit (BENCH_LIMIT, 1.03) only if the whole 95 % interval of the median of the paired ratios lies beyond it.
 * Environment: BENCH_PAIRS (9), BENCH_SECONDS (3), BENCH_LOADS (rest,path,accepted,ai). Writes nothing.
 */
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DEMO_TENANT, openCluster, startOurs } from './lib/cluster.mjs';
import { load, runLoad, startServer } from './lib/processes.mjs';
import { table } from './lib/report.mjs';
import { median, medianRatio } from './lib/stats.mjs';
import { ours } from './lib/ws-sides.mjs';

const PAIRS = Number(process.env.BENCH_PAIRS ?? 9);
const SECONDS = Number(process.env.BENCH_SECONDS ?? 3);
const LIMIT = Number(process.env.BENCH_LIMIT ?? 1.03);
const WANTED = (process.env.BENCH_LOADS ?? 'rest,path,accepted,ai').split(',');
const file = (name) => fileURLToPath(new URL(name, import.meta.url));
const CHATS = 50;
const TOKENS_PER_SECOND = 50;
const AI_WARMUP = 2;
const SEND = '{"type":"send_message","room_id":"{room}","content":"^!","client_message_id":"{uuid}","request_id":"^!"}';
const SEND_BODY = JSON.stringify({ content: 'abcdefghij'.repeat(20), client_message_id: '{uuid}' });

const sides = process.argv.slice(2).map((argument) => {
  const [directory, node = process.execPath] = argument.split('@');
  return { argument, directory: resolve(directory), node };
});
if (sides.length !== 2) {
  console.error('usage: npm run bench:compare -- BEFORE[@NODE] AFTER[@NODE]');
  process.exit(1);
}

const cluster = await openCluster();
let databases = 0;

/** Each starts a server of a side, and says how one run of its load goes. */
const LOADS = {
  /** Durable sends into 100 rooms, 32 connections. */
  async rest(how) {
    const server = await startOurs(cluster, `rest_${++databases}`, how('dist/main.js'));
    const paths = (await server.rooms(100)).map((room) => `/rooms/${room}/messages`);
    const { url, headers } = server;
    return {
      ...server,
      run: (seconds) => load({ url, paths, headers, body: SEND_BODY, seconds }, { node: server.pid }),
    };
  },
  /** REST → PostgreSQL → 1,000 sockets. */
  path: (how) =>
    sockets({ rooms: 1, members: 1000, users: 1000 }, how('dist/main.js'), ({ publish }) => ({
      mode: 'fanout',
      publish: publish.rest,
    })),
  /** send_message → message.accepted, the append stubbed. */
  accepted: (how) =>
    sockets({ rooms: 50, members: 1, users: 50, stub: true }, how('bench/lib/stubbed-server.mjs'), () => ({
      ...{ mode: 'echo', count: 50, inFlight: 4, frame: SEND, ready: '"type":"hello"' },
    })),
  /** Tokens of 50 answers at once. */
  async ai(how) {
    const tokens = Math.ceil((SECONDS + AI_WARMUP + 2) * TOKENS_PER_SECOND);
    const options = JSON.stringify({ tokens, perSecond: TOKENS_PER_SECOND });
    const model = await startServer(process.execPath, [file('./reference/model.mjs'), options], {}, /listens on/);
    const modelUrl = /listens on (http:\S+)/.exec(model.output)[1];
    const database = `ai_${++databases}`;
    const more = { OPENAI_BASE_URL: modelUrl, OPENAI_MODEL: 'bench' };
    const server = await startOurs(cluster, database, { ...how('dist/main.js'), more });
    const limits = { chat_connections: null, ai_requests_per_minute: null, ws_messages_per_second: null };
    await cluster.sql(database, 'UPDATE tenants SET limits = $1 WHERE tenant_id = $2', [
      JSON.stringify(limits),
      DEMO_TENANT,
    ]);
    const target = { mode: 'ours', model: modelUrl, url: server.url, headers: server.headers, count: CHATS };
    return {
      ...server,
      stop: () => Promise.all([server.stop(), model.stop()]),
      run: async (seconds) => {
        const chats = await Promise.all(Array.from({ length: CHATS }, () => newChat(server)));
        return runLoad(
          file('./lib/ai-load.mjs'),
          { ...target, chats, seconds, warmup: AI_WARMUP },
          { node: server.pid },
        );
      },
    };
  },
};

async function sockets(world, how, options) {
  const server = await ours(cluster, world, how);
  const target = { ...server.load, ...options(server) };
  return {
    ...server,
    run: (seconds) => runLoad(file('./lib/ws-load.mjs'), { ...target, seconds }, { node: server.pid }),
  };
}

async function newChat({ url, headers }) {
  const answer = await fetch(`${url}/api/v1/chats/`, {
    method: 'POST',
    headers: { ...headers, 'Content-Type': 'application/json' },
    body: JSON.stringify({ user_id: headers['X-User-Id'] }),
  });
  if (answer.status !== 201) throw new Error(`making a chat answered ${answer.status}`);
  return (await answer.json()).id;
}

async function compare(name) {
  const servers = [];
  const costs = [[], []];
  const rates = [[], []];
  try {
    for (const { directory, node } of sides)
      servers.push(await LOADS[name]((main) => ({ main: resolve(directory, main), node })));
    for (const server of servers) {
      await server.run(1);
      if (server.database) await cluster.sql(server.database, 'ANALYZE');
    }
    for (let pair = 0; pair < PAIRS; pair++)
      for (const at of pair % 2 === 0 ? [0, 1] : [1, 0]) {
        const { rate, cpu } = await servers[at].run(SECONDS);
        costs[at].push(cpu.node);
        rates[at].push(rate);
        process.stderr.write(`${name} ${'AB'[at]} ${Math.round(rate)}/s, node ${cpu.node.toFixed(2)} µs\n`);
      }
  } finally {
    for (const server of servers) await server.stop();
  }
  return row(name, costs, rates);
}

function row(name, costs, rates) {
  const { median: middle, from, to } = medianRatio(costs[1].map((cost, i) => cost / costs[0][i]));
  return {
    load: name,
    'units/s, before : after': rates.map((all) => Math.round(median(all))).join(' : '),
    'CPU µs per unit': costs.map((all) => median(all).toFixed(2)).join(' : '),
    ratio: middle.toFixed(3),
    '95 %': `${from.toFixed(3)}–${to.toFixed(3)}`,
    verdict: from > LIMIT ? 'dearer' : to <= LIMIT ? 'holds' : 'inconclusive',
  };
}

const rows = [];
try {
  for (const name of WANTED) rows.push(await compare(name));
} finally {
  await cluster.close();
}
console.log(`A = ${sides[0].argument}, B = ${sides[1].argument}; limit ${LIMIT}\n\n${table(rows)}`);
process.exitCode = rows.some((one) => one.verdict === 'dearer') ? 1 : 0;
