/**
 * Connects of a room's thousand members who have nothing to catch up on, against nats-server and the bare socket server, in
 * turns: 50 under way and at most 2,000 a second, and all in the same moment. Each turn has users and a room that the
 * server has not seen yet; they come twice, the second time within a minute.
 */
import { bare } from '../ws-sides.mjs';
import { startNats } from '../nats.mjs';
import { cpuText, ratioRow } from './rows.mjs';
import { GONE_SECONDS, log, microsPer, openOurs, spent, startClients } from './world.mjs';

const COUNT = 1000;
const RUNS = Number(process.env.BENCH_RUNS ?? 5);
/** How the figures of issue 16 were taken; 0: as fast as it goes. */
const RATE = Number(process.env.BENCH_CONNECT_RATE ?? 2000);
const AT_ONCE = 50;
const WAYS = { paced: { rate: RATE > 0 ? RATE : 1e9, atOnce: AT_ONCE }, crowd: { rate: 0 } };
const TIMES = ['first', 'again'];

export const CONNECT_ROWS = ['connects/s, 50', 'connects/s, all', '… the same users', '… against the bare'];

/** Sides with `target(n)`: where the clients of the n-th turn connect. */
async function openSides(cluster) {
  const rounds = (RUNS + 1) * Object.keys(WAYS).length;
  const server = await openOurs(cluster, { rooms: rounds, members: COUNT, users: rounds * COUNT });
  const nats = await startNats();
  const reference = await bare(cluster, { rooms: rounds, stub: true });
  const bareUrl = `${reference.url.replace('http', 'ws')}/ws`;
  const chat = { side: 'chat', url: server.socketUrl, key: server.key, perClient: 1 };
  return {
    ours: { ...server, database: true, target: (n) => ({ ...chat, from: n * COUNT }) },
    ...(nats && { nats: { ...nats, target: (n) => ({ side: 'nats', url: nats.url, from: 0, room: `room${n}` }) } }),
    bare: { ...reference, database: false, target: (n) => ({ side: 'bare', url: bareUrl, from: 0, room: `room${n}` }) },
  };
}

/** One turn of a side: the same thousand, first and again. */
async function turn(clients, cluster, side, n, how) {
  const one = {};
  for (const time of TIMES) {
    const options = { ...side.target(n), ...how, count: COUNT };
    const cost = await spent(side, side.database ? cluster : undefined, () => clients.ask('connect', options));
    if (cost.result.faults > 0 || cost.result.delivered > 0) throw new Error('there was something to catch up on');
    one[time] = { ...cost, rate: COUNT / cost.result.seconds, load: cost.result.cpuMicros };
    await clients.ask('leave', { seconds: side.database ? GONE_SECONDS : 1 });
  }
  return one;
}

/** Per way and side the turns; the first one of each warms up. */
async function measure(cluster, clients, sides) {
  const results = {};
  let n = 0;
  for (let run = -1; run < RUNS; run++)
    for (const [way, how] of Object.entries(WAYS)) {
      for (const [name, side] of Object.entries(sides)) {
        const one = await turn(clients, cluster, side, n, how);
        const text = TIMES.map((time) => `${time} ${one[time].rate.toFixed(0)}/s`).join(', ');
        log(
          `connects ${way} ${name}: ${text}, load ${one.first.load.toFixed(0)} µs, ${one.first.result.refused} refused`,
        );
        if (run >= 0) ((results[way] ??= {})[name] ??= []).push(one);
      }
      n++;
    }
  return results;
}

export async function connects(cluster) {
  const sides = await openSides(cluster);
  const clients = startClients();
  try {
    return rows(await measure(cluster, clients, sides));
  } finally {
    await clients.stop();
    for (const side of Object.values(sides)) await side.stop();
  }
}

function rows({ paced, crowd }) {
  const of = (way, time, reference) => {
    const cost = (all) =>
      all &&
      microsPer(
        all.map((one) => one[time]),
        () => COUNT,
      );
    return {
      unit: 'connects/s',
      pairs: way.ours.map((one, i) => [one[time].rate, way[reference]?.[i][time].rate]),
      cpu: cpuText(cost(way.ours), cost(way[reference])),
    };
  };
  const pace = RATE > 0 ? `, at most ${RATE}/s` : '';
  return [
    ratioRow({ ...of(paced, 'first', 'nats'), name: `connects/s, 50 under way${pace}: nats`, limits: [0.35, 0.6] }),
    ratioRow({ ...of(crowd, 'first', 'nats'), name: 'connects/s, all in the same moment: nats' }),
    ratioRow({ ...of(crowd, 'again', 'nats'), name: '… the same users within a minute: nats' }),
    ratioRow({ ...of(crowd, 'first', 'bare'), name: '… against the bare socket server' }),
  ];
}
