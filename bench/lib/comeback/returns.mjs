/**
 * What one connect costs, in a crowd of a thousand that come in the same moment, without other traffic, each in 10 rooms of 101
 * members: the first one, with 20 messages of each room to send and without any; and a return within a minute after
 * everything was acknowledged. What the server takes when nothing is done is taken off.
 */
import { cpuText, mostRow } from './rows.mjs';
import { cpuOf, fill, GONE_SECONDS, log, microsPer, openOurs, sleep, spent, startClients } from './world.mjs';

const COUNT = Number(process.env.BENCH_CLIENTS ?? 1000);
const RUNS = Number(process.env.BENCH_RUNS ?? 3);
const RETURNS = 2;
const PER_CLIENT = 10;
const MEMBERS = 100;
const MISSED = 20;
const IDLE_SECONDS = 5;
/** Part of a connect is what it leaves for a little later. */
const AFTER_SECONDS = 1;

export const RETURN_ROWS = ['a return', 'first connect, 10 rooms, 20', 'first connect, 10 rooms, nothing'];

/** What a second takes of both when nobody comes. */
async function idleCost(server, cluster) {
  const before = cpuOf(server, cluster);
  await sleep(IDLE_SECONDS);
  const after = cpuOf(server, cluster);
  return {
    node: (after.node - before.node) / IDLE_SECONDS,
    postgres: (after.postgres - before.postgres) / IDLE_SECONDS,
  };
}

/** One crowd of users, in ms of both in all. */
async function crowd({ server, cluster, clients, idle }, from, what) {
  const target = { side: 'chat', url: server.socketUrl, key: server.key, perClient: PER_CLIENT, rate: 0 };
  const cost = await spent(server, cluster, async () => {
    // Every client looks at its messages: it acknowledges them afterwards.
    const result = await clients.ask('connect', { ...target, from, count: COUNT, checkEvery: 1 });
    await sleep(AFTER_SECONDS);
    return result;
  });
  const { seconds, faults, delivered, refused } = cost.result;
  if (faults > 0) throw new Error(`${faults} messages out of order`);
  for (const name of ['node', 'postgres']) cost[name] -= idle[name] * (seconds + AFTER_SECONDS);
  log(
    `${what}: ${(cost.node / COUNT).toFixed(2)} + ${(cost.postgres / COUNT).toFixed(2)} ms, all live after ` +
      `${seconds.toFixed(1)} s, ${delivered} messages, ${refused} refused`,
  );
  return cost;
}

/** Crowds: user blocks of `COUNT`, each with rooms of its own; the first one warms up. */
async function measure(all) {
  const { clients, server, cluster } = all;
  const costs = { first: [], empty: [], again: [] };
  const leave = () => clients.ask('leave', { seconds: GONE_SECONDS });
  for (let n = 0; n <= 2 * RUNS; n++) {
    const isEmpty = n > RUNS;
    all.idle = await idleCost(server, cluster);
    const first = await crowd(all, n * COUNT, isEmpty ? 'first connect, nothing missed' : 'first connect');
    if (n > 0) costs[isEmpty ? 'empty' : 'first'].push(first);
    if (!isEmpty) {
      const { refused, example } = await clients.ask('acknowledge');
      if (refused > 0) log(`${refused} acks were answered with an error and sent again: ${example}`);
    }
    await leave();
    // Cursors are new to the database: without statistics the plans of the first crowds are chance.
    if (n === 0) await cluster.sql(server.database, 'VACUUM ANALYZE');
    for (let time = 0; !isEmpty && time < RETURNS; time++) {
      const again = await crowd(all, n * COUNT, 'a return');
      if (again.result.delivered > 0) throw new Error('a return brought messages that were acknowledged');
      if (n > 0) costs.again.push(again);
      await leave();
    }
  }
  return costs;
}

export async function returns(cluster) {
  const blocks = 2 * RUNS + 1;
  const rooms = (blocks * COUNT * PER_CLIENT) / MEMBERS;
  const server = await openOurs(cluster, { rooms, members: MEMBERS, users: blocks * COUNT });
  const clients = startClients();
  try {
    // Room r has the users (r · members) mod users and those that follow: a block's rooms recur with every lap of the users.
    const lap = (blocks * COUNT) / MEMBERS;
    const filled = ((RUNS + 1) * COUNT) / MEMBERS;
    await fill(
      cluster,
      server.database,
      server.rooms.filter((_, r) => r % lap < filled),
      MISSED,
    );
    return rows(await measure({ server, cluster, clients }));
  } finally {
    await clients.stop();
    await server.stop();
  }
}

function rows({ first, empty, again }) {
  const row = (name, costs, node, postgres) =>
    mostRow({
      ...{ name, unit: 'CPU ms, node + PostgreSQL', digits: 2 },
      figures: [
        { values: costs.map((cost) => cost.node / COUNT), must: node?.[0], stretch: node?.[1] },
        { values: costs.map((cost) => cost.postgres / COUNT), must: postgres?.[0], stretch: postgres?.[1] },
      ],
      cpu: cpuText(microsPer(costs, () => COUNT)).replace(' : –', ''),
    });
  return [
    row('a return within a minute, nothing missed', again, [0.5, 0.25], [0.2, 0.05]),
    row('first connect, 10 rooms, 20 missed in each', first, [1.5, 0.8], [0.6, 0.3]),
    row('first connect, 10 rooms, nothing in them', empty),
  ];
}
