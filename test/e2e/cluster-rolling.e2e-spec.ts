import { Cluster, describeCluster } from '../support/cluster/cluster';
import { Crowd } from '../support/cluster/crowd';
import { MessageWriters } from '../support/message-writers';
import { until } from '../support/poll';

/** Each of the three nodes is stopped and started so often; `npm run test:cluster`: ten times. */
const ROLLS = Number(process.env['CLUSTER_ROLLS'] ?? (process.env['CLUSTER_LONG'] === '1' ? 10 : 2));
/** Acknowledgements that a restart has to meet. */
const WORK = 100;

describeCluster('three nodes that are restarted one after the other', () => {
  let cluster: Cluster;
  let crowd: Crowd | undefined;

  beforeAll(async () => {
    cluster = await Cluster.start(3);
  });
  afterAll(async () => {
    await MessageWriters.abandonAll();
    await crowd?.stop();
    await cluster.stop();
  });

  it(`${ROLLS} times under load: no request fails, nothing is lost or stored twice, and sockets get all`, async () => {
    crowd = await Crowd.of(await cluster.tenant(), [cluster.url], { rooms: 4, perRoom: 5, writers: 4 });
    const writers = new MessageWriters(crowd.target).start();
    for (let roll = 0; roll < ROLLS; roll++)
      for (const [n, node] of cluster.nodes.entries()) {
        await writers.progress(WORK);
        expect(await node.end('SIGTERM')).toBe(0);
        await node.restart();
        // The next one goes when this one is served again.
        const ups = (): number => cluster.proxy.output.split(`Server nodes/node${n + 1} is UP`).length - 1;
        await until(
          async () => ups(),
          (times) => times > roll,
        );
      }
    await writers.finish();
    expect(await writers.faults()).toEqual([]);
    // A connection that a node closes just as HAProxy sends something on it may cost one of ten thousand its answer.
    expect(writers.refusals).toEqual([]);
    expect(writers.unanswered).toBeLessThanOrEqual(Math.ceil(writers.acks.length / 10_000));
    expect(await crowd.faults()).toEqual([]);
    process.stdout.write(`${JSON.stringify({ rolls: ROLLS, ...writers.counts })}\n`);
  });
});
