/**
 * `npm run bench:ai`: many chats are answered at once, each by a model that writes 50 tokens a second; how much later than
 * from the model itself a token comes out of our socket, and what it costs there, on the UI stream and on Responses; how long an
 * answer takes to begin, and what one that waits for its model keeps in memory. Environment: BENCH_RUNS (3), BENCH_SECONDS (8),
 * BENCH_CHATS (200), BENCH_STARTS (200), BENCH_WAITS (1000). Writes its table into bench/README.md; BENCH_DRY=1 prints it alone.
 */
import { fileURLToPath } from 'node:url';
import { startMs, waitingBytes } from './lib/ai-waits.mjs';
import { DEMO_TENANT, openCluster, startOurs } from './lib/cluster.mjs';
import { runLoad, startServer } from './lib/processes.mjs';
import { table, writeSection } from './lib/report.mjs';
import { median, residentBytes } from './lib/stats.mjs';

const RUNS = Number(process.env.BENCH_RUNS ?? 3);
const SECONDS = Number(process.env.BENCH_SECONDS ?? 8);
const CHATS = Number(process.env.BENCH_CHATS ?? 200);
const STARTS = Number(process.env.BENCH_STARTS ?? 200);
const WAITS = Number(process.env.BENCH_WAITS ?? 1000);
const PER_SECOND = 50;
const WARMUP = 2;
const TOKENS = Math.ceil((SECONDS + WARMUP + CHATS * 0.005 + 1) * PER_SECOND);
const LOAD = fileURLToPath(new URL('./lib/ai-load.mjs', import.meta.url));
const MODEL = fileURLToPath(new URL('./reference/model.mjs', import.meta.url));
const COMMITS = 'SELECT xact_commit::integer AS n FROM pg_stat_database WHERE datname = $1';
const LIMITS = {
  chat_connections: null,
  ai_requests_per_minute: null,
  ws_messages_per_second: null,
  runs_at_once: null,
  runs_at_once_per_user: null,
  sse_streams: null,
  sse_streams_per_user: null,
};

const cluster = await openCluster();
const model = await startServer(
  process.execPath,
  [MODEL, JSON.stringify({ tokens: TOKENS, perSecond: PER_SECOND })],
  {},
  /listens on/,
);
try {
  const url = /listens on (http:\S+)/.exec(model.output)[1];
  const server = await startOurs(cluster, 'ai', {
    // Nobody is attached while it is measured but for what is kept in memory.
    nodeArguments: ['--inspect=127.0.0.1:0', ...(process.env.BENCH_PROFILE ? ['--cpu-prof'] : [])],
    more: { OPENAI_BASE_URL: url, OPENAI_MODEL: 'bench' },
  });
  try {
    await cluster.sql('ai', 'UPDATE tenants SET limits = $1 WHERE tenant_id = $2', [
      JSON.stringify(LIMITS),
      DEMO_TENANT,
    ]);
    await new Promise((resolve) => setTimeout(resolve, 3000));
    const idle = residentBytes(server.pid);
    const runs = [];
    for (let run = 0; run < RUNS; run++) {
      const load = { count: CHATS, seconds: SECONDS, warmup: WARMUP, model: url };
      const bare = await runLoad(LOAD, { ...load, mode: 'bare' }, { model: model.pid });
      const ours = await answered(server, { ...load, mode: 'ours', url: server.url, headers: server.headers });
      const ui = await answered(server, { ...load, mode: 'ui', url: server.url, headers: server.headers });
      const responses = await answered(server, {
        ...load,
        mode: 'responses',
        url: server.url,
        headers: server.headers,
      });
      runs.push({ bare, ui, responses, ours: { ...ours, memory: ours.memory - idle } });
      const told = (r) => `${Math.round(r.rate)} tokens/s p50 ${r.p50.toFixed(2)} p99 ${r.p99.toFixed(2)} ms`;
      const cost = (r) => `${told(r)}, ${r.cpu.node.toFixed(0)} µs`;
      process.stderr.write(
        `bare ${told(bare)} · ours ${cost(ours)} · UI stream ${cost(ui)} · Responses ${cost(responses)}\n`,
      );
    }
    const waits = { server, cluster, model: url, chat, limits: LIMITS };
    const before = { start: await startMs(waits, STARTS), waiting: await waitingBytes(waits, WAITS) };
    const text = table(rows(runs, before));
    if (process.env.BENCH_DRY) console.log(text);
    else await writeSection('ai', text);
  } finally {
    await server.stop();
  }
} finally {
  await model.stop();
  await cluster.close();
}

async function answered(server, load) {
  const chats = [];
  for (let i = 0; i < CHATS; i++) chats.push(await chat(server));
  let [memory, before, after] = [0];
  const commits = async () => (await cluster.sql('ai', COMMITS, ['ai']))[0].n;
  const result = await runLoad(LOAD, { ...load, chats }, { node: server.pid, postgres: cluster.pid }, (message) => {
    if (message === 'measuring') before = commits();
    if (message !== 'measured') return;
    memory = residentBytes(server.pid);
    after = commits();
  });
  if (result.ended !== CHATS) throw new Error(`${result.ended} of ${CHATS} answers were completed`);
  return { ...result, memory, transactions: ((await after) - (await before)) / SECONDS };
}

async function chat({ url, headers }) {
  const answer = await fetch(`${url}/api/v1/chats/`, {
    method: 'POST',
    headers: { ...headers, 'Content-Type': 'application/json' },
    body: JSON.stringify({ user_id: headers['X-User-Id'] }),
  });
  if (answer.status !== 201) throw new Error(`making a chat answered ${answer.status}`);
  return (await answer.json()).id;
}

function rows(runs, before) {
  const of = (pick) => median(runs.map(pick));
  const row = (what, value, aim = '') => ({ 'what of it': what, is: value, aim });
  const ms = (p) => `${of((r) => r.bare[p]).toFixed(2)} : ${of((r) => r.ours[p]).toFixed(2)}`;
  return [
    row('chats that stream at once · tokens/s', `${CHATS} · ${Math.round(of((r) => r.ours.rate))}`),
    row('from the model’s write to the reader, p50 ms, bare : ours', ms('p50')),
    row('the same, p99 ms', ms('p99')),
    row('added per token, p50 ms', of((r) => r.ours.p50 - r.bare.p50).toFixed(2)),
    row('added per token, p99 ms', of((r) => r.ours.p99 - r.bare.p99).toFixed(2), '≤ 10'),
    row('CPU of the server per token, µs', of((r) => r.ours.cpu.node).toFixed(0), '≤ 60'),
    row('the same on the UI stream (Vercel AI SDK), µs', of((r) => r.ui.cpu.node).toFixed(0), '≤ 75'),
    row('the same on Responses (OpenAI), µs', of((r) => r.responses.cpu.node).toFixed(0), '≤ 75'),
    row('CPU of PostgreSQL per token, µs', of((r) => r.ours.cpu.postgres).toFixed(0)),
    row('transactions/s of the database', of((r) => r.ours.transactions).toFixed(0)),
    row('from a message’s commit to the request at the model, p50 ms', before.start.toFixed(1), '≤ 15'),
    row(
      `what each of ${WAITS} answers that wait for their first token keeps, KB`,
      (before.waiting / 1000).toFixed(1),
      '≤ 20',
    ),
    row('memory over that of the idle server, MB', (of((r) => r.ours.memory) / 1e6).toFixed(0)),
  ];
}
