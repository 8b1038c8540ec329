/**
 * 10,000 clients, each in 10 of 1,000 rooms with 20 messages missed in each room, come back in the same moment, while 20 others
 * are live in a room beside them: when all are live, what memory the server took for it at the top over that of the idle one, and
 * how long those who are live wait meanwhile.
 */
import { residentBytes } from '../stats.mjs';
import { cpuText, mostRow, ratioRow } from './rows.mjs';
import { allowSockets, fill, log, microsPer, openOurs, sleep, spent, startClients, startProbe } from './world.mjs';

const COUNT = Number(process.env.BENCH_CROWD ?? 10_000);
const RUNS = Number(process.env.BENCH_CROWD_RUNS ?? 1);
const PER_CLIENT = 10;
const MEMBERS = 100;
const MISSED = 20;
const WATCHERS = 20;
const RATE = 40;
const SETTLE_SECONDS = Number(process.env.BENCH_SETTLE_SECONDS ?? 30);
const CALM_SECONDS = Number(process.env.BENCH_CALM_SECONDS ?? 15);
const WARM_SECONDS = 2;
const SAMPLE_MS = 100;
const TIMEOUT_MS = 400_000;

export const CROWD_ROWS = ['all live', 'memory at the top', 'live p99 while'];

/** The most that a process had since it was called; `stop` says so. */
function watchMemory(pid) {
  let top = 0;
  const look = () => (top = Math.max(top, residentBytes(pid)));
  const timer = setInterval(look, SAMPLE_MS);
  return () => {
    clearInterval(timer);
    return look();
  };
}

async function run(cluster) {
  // One hundred users and ten rooms more: who is live beside the crowd shares no room with it.
  const users = COUNT + MEMBERS;
  const rooms = (users * PER_CLIENT) / MEMBERS;
  const server = await openOurs(cluster, { rooms, members: MEMBERS, users });
  const clients = startClients();
  let probe;
  try {
    await fill(cluster, server.database, server.rooms, MISSED);
    await sleep(SETTLE_SECONDS);
    const idle = residentBytes(server.pid);
    const beside = { room: server.rooms[COUNT / MEMBERS], from: COUNT, watchers: WATCHERS, rate: RATE };
    probe = await startProbe(server, [beside]);
    await sleep(WARM_SECONDS);
    await probe.ask('p99');
    await sleep(CALM_SECONDS);
    const [calm] = await probe.ask('p99');
    const top = watchMemory(server.pid);
    const target = { side: 'chat', url: server.socketUrl, key: server.key, perClient: PER_CLIENT, rate: 0 };
    const options = { ...target, from: 0, count: COUNT, timeoutMs: TIMEOUT_MS };
    const cost = await spent(server, cluster, () => clients.ask('connect', options));
    const bytes = (top() - idle) / COUNT;
    const [during] = await probe.ask('p99');
    report({ ...cost, idle, bytes, calm, during });
    return { ...cost, bytes, calm, during };
  } finally {
    await probe?.stop();
    await clients.stop();
    await server.stop();
  }
}

function report({ result, node, postgres, idle, bytes, calm, during }) {
  const { seconds, delivered, faults, refused, lost, cpuMicros } = result;
  log(
    `crowd: ${COUNT} live after ${seconds.toFixed(1)} s, ${delivered} messages, ${faults} out of order, ${refused} refused, ${lost} ended, ` +
      `CPU s node ${(node / 1000).toFixed(1)}, PostgreSQL ${(postgres / 1000).toFixed(1)}, load ${((cpuMicros * COUNT) / 1e6).toFixed(1)}; ` +
      `idle ${(idle / 2 ** 20).toFixed(0)} MiB, ${(bytes / 1024).toFixed(1)} KiB per connection more; ` +
      `p99 calm : storm ${calm.p99.toFixed(1)} : ${during.p99.toFixed(1)} ms of ${during.count}`,
  );
  if (faults > 0 || delivered < COUNT * PER_CLIENT * MISSED) throw new Error(`${delivered} messages, ${faults} faults`);
}

export async function crowd(cluster) {
  allowSockets(COUNT);
  const runs = [];
  for (let n = 0; n < RUNS; n++) runs.push(await run(cluster));
  const cpu = cpuText(microsPer(runs, () => COUNT)).replace(' : –', '');
  const values = (pick) => runs.map(pick);
  return [
    mostRow({
      ...{ name: `all live: ${COUNT} in 10 of their rooms, 20 missed in each`, unit: 's', cpu },
      figures: [{ values: values(({ result }) => result.seconds), must: 25, stretch: 10 }],
    }),
    mostRow({
      ...{ name: 'memory at the top of it, over idle', unit: 'KiB per connection' },
      figures: [{ values: values(({ bytes }) => bytes / 1024), must: 24, stretch: 12 }],
    }),
    ratioRow({
      ...{ name: 'live p99 while they come, before', unit: 'p99 ms, storm : calm', sense: '≤', digits: 1 },
      ...{ pairs: values(({ during, calm }) => [during.p99, calm.p99]), limits: [2] },
    }),
  ];
}
