/**
 * A room's thousand members come back in the same moment with 500 messages each to catch up on, against the live fan-out of
 * the same server to the same members afterwards. 20 others are live in that room meanwhile, and 20 in another one: their
 * p99 before and during it. Every storm has a room and users of its own, that nobody has asked for yet.
 */
import { fileURLToPath } from 'node:url';
import { runLoad } from '../processes.mjs';
import { cpuText, ratioRow } from './rows.mjs';
import { fill, GONE_SECONDS, log, microsPer, openOurs, sleep, spent, startClients, startProbe } from './world.mjs';

const COUNT = 1000;
const WATCHERS = 20;
const MEMBERS = COUNT + WATCHERS;
const MISSED = 500;
const RUNS = Number(process.env.BENCH_RUNS ?? 3);
const CALM_SECONDS = Number(process.env.BENCH_CALM_SECONDS ?? 15);
const FANOUT_SECONDS = Number(process.env.BENCH_SECONDS ?? 4);
const WARM_SECONDS = 2;
const WS_LOAD = fileURLToPath(new URL('../ws-load.mjs', import.meta.url));

/** Messages a second, in the room of the storm (each is a delivery more to everybody) and beside it. */
const RATES = { same: 5, other: 40 };

export const HISTORY_ROWS = ['history deliveries', 'live p99 in the room', 'live p99 beside'];

/** One storm and, after it, the live fan-out. */
async function storm(cluster, server, clients, n) {
  const { rooms } = server;
  const other = { room: rooms.at(-1), from: (rooms.length - 1) * MEMBERS, watchers: WATCHERS, rate: RATES.other };
  const same = { room: rooms[n], from: n * MEMBERS + COUNT, watchers: WATCHERS, rate: RATES.same };
  const probe = await startProbe(server, [same, other]);
  try {
    await sleep(WARM_SECONDS);
    await probe.ask('p99');
    // The first storm only warms up.
    if (n > 0) await sleep(CALM_SECONDS);
    const calm = await probe.ask('p99');
    const target = { side: 'chat', url: server.socketUrl, key: server.key, perClient: 1, rate: 0 };
    const options = { ...target, from: n * MEMBERS, count: COUNT, timeoutMs: 180_000 };
    const cost = await spent(server, cluster, () => clients.ask('connect', options));
    const during = await probe.ask('p99');
    const { faults, delivered } = cost.result;
    if (faults > 0 || delivered < COUNT * MISSED) throw new Error(`${delivered} deliveries, ${faults} out of order`);
    return { ...cost, calm, during };
  } finally {
    await probe.stop();
    await clients.ask('leave', { seconds: GONE_SECONDS });
  }
}

function fanout(server, n) {
  const publish = { ...server.publish.rest, path: `/rooms/${server.rooms[n]}/messages` };
  const options = { ...server.load, mode: 'fanout', publish, count: COUNT, from: n * MEMBERS, seconds: FANOUT_SECONDS };
  return runLoad(WS_LOAD, options, { node: server.pid });
}

export async function history(cluster) {
  // One room to warm up with, and one for those who are live beside the storm.
  const count = RUNS + 2;
  const server = await openOurs(cluster, { rooms: count, members: MEMBERS, users: count * MEMBERS });
  const clients = startClients();
  const runs = [];
  try {
    await fill(cluster, server.database, server.rooms.slice(0, -1), MISSED);
    for (let n = 0; n <= RUNS; n++) {
      const back = await storm(cluster, server, clients, n);
      const live = await fanout(server, n);
      await sleep(GONE_SECONDS);
      report(n, back, live);
      if (n > 0) runs.push({ back, live });
    }
  } finally {
    await clients.stop();
    await server.stop();
  }
  return rows(runs);
}

function report(n, { result, calm, during }, live) {
  const p99s = calm.map((each, i) => `${each.p99.toFixed(1)} : ${during[i].p99.toFixed(1)} ms of ${during[i].count}`);
  log(
    `history ${n}: all live after ${result.seconds.toFixed(2)} s, ${(result.delivered / result.seconds).toFixed(0)} ` +
      `deliveries/s, load ${result.cpuMicros.toFixed(0)} µs per client, ${result.refused} refused; ` +
      `live ${live.rate.toFixed(0)}/s; p99 calm : storm in the room ${p99s[0]}, beside it ${p99s[1]}`,
  );
}

function rows(runs) {
  const rate = ({ result }) => result.delivered / result.seconds;
  const live = { node: runs.reduce((sum, run) => sum + run.live.cpu.node, 0) / runs.length };
  const p99s = (name, at) =>
    ratioRow({
      ...{ name, unit: 'p99 ms, storm : calm', sense: '≤', limits: [3, 2], digits: 1 },
      pairs: runs.map(({ back }) => [back.during[at].p99, back.calm[at].p99]),
    });
  return [
    ratioRow({
      ...{ name: 'history deliveries/s, 500 each: live fan-out', unit: 'deliveries/s', limits: [0.4, 0.7] },
      pairs: runs.map(({ back, live: after }) => [rate(back), after.rate]),
      cpu: cpuText(
        microsPer(
          runs.map(({ back }) => back),
          ({ result }) => result.delivered,
        ),
        live,
      ),
    }),
    p99s('live p99 in the room of the storm, before', 0),
    p99s('live p99 beside it, before', 1),
  ];
}
