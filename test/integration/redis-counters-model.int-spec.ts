import fc from 'fast-check';
import { CountersSimulator, scenarioOf } from '../support/cluster/counters-simulator';
import { TimedRedis } from '../support/cluster/held-commands';
import { describeRedis, RedisServer } from '../support/cluster/redis';

let server: RedisServer;
let redis: TimedRedis;

/** What every window must be; returns what `found` counts of all. */
async function holds(
  loses: boolean,
  most: (limit: number, sharing: number) => number,
  found: (taken: number, limit: number, sharing: number) => boolean,
): Promise<number> {
  let count = 0;
  const property = fc.asyncProperty(scenarioOf(loses), async (scenario) => {
    const { limit } = scenario;
    const simulator = new CountersSimulator(redis, scenario);
    await simulator.run();
    for (const nodes of simulator.windows()) {
      const taken = nodes.reduce((sum, each) => sum + each.taken, 0);
      const sharing = nodes.filter(({ isShare }) => isShare).length;
      expect(taken).toBeLessThanOrEqual(most(limit, sharing));
      if (found(taken, limit, sharing)) count++;
    }
  });
  await fc.assert(property, { numRuns: 300 });
  return count;
}

describeRedis('counters of three nodes, in whatever order their questions arrive and are answered', () => {
  beforeAll(async () => {
    server = await RedisServer.start();
    redis = await TimedRedis.on(server);
  });
  afterAll(async () => {
    redis.close();
    await server.stop();
  });

  it('never take more than the limit of any window, also by nodes that stood still and whose clocks are wrong', async () => {
    const full = await holds(
      false,
      (limit) => limit,
      (taken, limit) => taken > 0 && taken === limit,
    );
    expect(full).toBeGreaterThan(100);
  });

  it('take no more than that and the share of each node that has lost an answer', async () => {
    const shareOf = (limit: number): number => Math.min(limit, Math.max(1, Math.floor(limit / 3)));
    const shared = await holds(
      true,
      (limit, sharing) => limit + sharing * shareOf(limit),
      (taken, _, sharing) => taken > 0 && sharing > 0,
    );
    expect(shared).toBeGreaterThan(100);
  });
});
