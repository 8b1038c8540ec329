import { Cluster, type ClusterNode, describeCluster } from '../support/cluster/cluster';
import { Crowd } from '../support/cluster/crowd';
import { randomOf } from '../support/convergence/simulator';
import { type History, historyFaults, type LogEntry } from '../support/message-history';
import { MessageWriters } from '../support/message-writers';

/** `npm run test:cluster`: five minutes, and on a PostgreSQL whose commits wait for the disk. */
const isLong = process.env['CLUSTER_LONG'] === '1';
const SECONDS = Number(process.env['CLUSTER_SECONDS'] ?? (isLong ? 300 : 30));
const SEED = Number(process.env['CLUSTER_SEED'] ?? 1 + Math.floor(Math.random() * 1e6));
/** Acknowledgements between two faults: the next one meets nodes at work. */
const WORK = 60;

type Fault = readonly [
  name: string,
  run: (cluster: Cluster, node: ClusterNode, work: () => Promise<void>) => Promise<void>,
];

const FAULTS: readonly Fault[] = [
  [
    'a node is killed',
    async (_, node, work) => {
      await node.end('SIGKILL');
      await work();
      await node.restart();
    },
  ],
  [
    'a node stands still',
    async (_, node, work) => {
      node.freeze();
      await work().finally(() => node.thaw());
    },
  ],
  [
    'a node is stopped',
    async (_, node, work) => {
      await node.end('SIGTERM');
      await work();
      await node.restart();
    },
  ],
  [
    'Redis is killed',
    async ({ redis }, _, work) => {
      await redis.kill();
      await work();
      await redis.restart();
    },
  ],
  [
    'Redis stands still',
    async ({ redis }, _, work) => {
      redis.freeze();
      await work().finally(() => redis.thaw());
    },
  ],
  [
    'a node is cut from Redis',
    async (_, { redis }, work) => {
      redis.cut();
      await work().finally(() => redis.pass());
    },
  ],
  [
    'PostgreSQL crashes',
    async ({ postgres }) => {
      await postgres.end('SIGKILL');
      await postgres.start();
    },
  ],
  [
    'two nodes and Redis are killed',
    async (cluster, node, work) => {
      const other = cluster.nodes.find((each) => each !== node) ?? node;
      await Promise.all([node.end('SIGKILL'), other.end('SIGKILL'), cluster.redis.kill()]);
      await work();
      await cluster.redis.restart();
      await Promise.all([node.restart(), other.restart()]);
    },
  ],
];

describeCluster('three nodes behind HAProxy, of which anything may fail', () => {
  let cluster: Cluster;
  let crowd: Crowd | undefined;
  let history: History;

  beforeAll(async () => {
    cluster = await Cluster.start(3, { isDurable: true, env: { DATABASE_DEADLINE_MS: '4000' } });
  });
  afterAll(async () => {
    for (const node of cluster.nodes) node.thaw();
    cluster.redis.thaw();
    await MessageWriters.abandonAll();
    await crowd?.stop();
    await cluster.stop();
  });

  it(`loses nothing that it acknowledged and stores no retry twice in ${SECONDS} s of faults, seed ${SEED}`, async () => {
    const random = randomOf(SEED);
    crowd = await Crowd.of(await cluster.tenant(), [cluster.url], { rooms: 4, perRoom: 5, writers: isLong ? 8 : 4 });
    const writers = new MessageWriters(crowd.target).start();
    const work = (): Promise<void> => writers.progress(WORK);
    const met: string[] = [];
    const end = performance.now() + SECONDS * 1000;
    // Each kind once at least, in an order of the seed.
    const order = FAULTS.map((fault) => ({ fault, at: random() })).sort((a, b) => a.at - b.at);
    for (let n = 0; n < (isLong ? FAULTS.length : 4) || performance.now() < end; n++) {
      const [name, run] = order[n % order.length]?.fault ?? FAULTS[0] ?? never();
      await work();
      met.push(name);
      await run(cluster, cluster.node(Math.floor(random() * 3)), work);
    }
    await work();
    await writers.finish();
    history = await writers.history();
    expect({ met, faults: await writers.faults() }).toEqual({ met, faults: [] });
    expect({ met, faults: await crowd.faults() }).toEqual({ met, faults: [] });
    process.stdout.write(`${JSON.stringify({ faults: met.length, ...writers.counts })}\n`);
  }, 1_800_000);

  describe('a history of it that is doctored is found out:', () => {
    const doctored = (edit: (log: LogEntry[]) => LogEntry[]): string[] => {
      const [[roomId, log] = ['', []], ...others] = history.logs;
      return historyFaults({ ...history, logs: new Map([[roomId, edit([...log])], ...others]) });
    };
    const renumbered = (log: LogEntry[]): LogEntry[] => log.map((entry, i) => ({ ...entry, seq: i + 1 }));

    it.each<[string, (log: LogEntry[]) => LogEntry[], RegExp]>([
      ['an acknowledged message is lost', (log) => log.slice(0, -20), /is lost/],
      ['one is lost and the others close up', (log) => renumbered(log.toSpliced(10, 1)), /is lost|was acknowledged as/],
      ['one is stored twice', (log) => renumbered([...log, ...log.slice(-1)]), /is there twice/],
      ['two change places', (log) => renumbered(log.toSpliced(10, 2, ...log.slice(10, 12).reverse())), /./],
      [
        'one says something else',
        (log) => log.with(5, { ...(log[5] ?? never()), content: 'else' }),
        /is not what was sent/,
      ],
    ])('%s', (_, edit, expected) => {
      expect(doctored((log) => log)).toEqual([]);
      expect(doctored(edit).join('\n')).toMatch(expected);
    });
  });
});

function never(): never {
  throw new Error('the history is too short');
}
