import { ModelCommands, RedisModel } from '../../../../test/support/cluster/redis-model';
import { leasesSuite } from '../../../../test/support/suites/leases-suite';
import { nodeRegistrySuite } from '../../../../test/support/suites/node-registry-suite';
import { ManualClock } from '../../../common/time';
import { type NodeMembership, redisMembership } from './membership';

/** Two nodes on a model of Redis. */
function setUp() {
  const clock = new ManualClock();
  const redis = new RedisModel(clock);
  const errors: unknown[] = [];
  const node = (): NodeMembership =>
    redisMembership({ commands: new ModelCommands(redis), installation: 'i', clock, about: {} }, (error) => {
      errors.push(error);
    });
  const nodes = [node(), node()] as const;
  const live = async (ms: number): Promise<void> => {
    for (let left = ms; left > 0; left -= 5000) {
      clock.advance(Math.min(left, 5000));
      for (const each of nodes) await each.nodes.heartbeat();
    }
  };
  return { clock, errors, nodes, live };
}

leasesSuite('a model of Redis', async () => {
  const { clock, nodes, live } = setUp();
  await live(40_000);
  const [{ leases: port }, { leases: peer }] = nodes;
  return { port, peer, advance: (ms) => clock.advance(ms), close: () => undefined };
});

nodeRegistrySuite('a model of Redis', () => {
  const { clock, errors, nodes } = setUp();
  const [{ nodes: port }, { nodes: peer }] = nodes;
  return {
    ...{ port, peer, errors },
    advance: (ms) => clock.advance(ms),
    close: async () => {
      for (const { nodes: registry } of nodes) await registry.leaveCluster();
    },
  };
});

describe('leases of a node', () => {
  it('are remembered as long as they last, and no longer', async () => {
    const { clock, nodes, live } = setUp();
    await live(40_000);
    const [{ leases }] = nodes;
    for (let n = 0; n < 1000; n++) {
      await leases.holdLease('k', `c${n}`, 10_000);
      clock.advance(1000);
    }
    expect(leases.size).toBeLessThan(100);
  });

  it('are dropped although nobody asks again, once Redis answers', async () => {
    const clock = new ManualClock();
    const redis = new RedisModel(clock);
    const commands = new ModelCommands(redis);
    const make = (with_: ModelCommands): NodeMembership =>
      redisMembership({ commands: with_, installation: 'i', clock, about: {} }, () => undefined);
    const [one, two] = [make(commands), make(new ModelCommands(redis))];
    for (const { nodes } of [one, two]) await nodes.heartbeat();
    await one.leases.holdLease('k', 'c', 600_000);
    commands.cut();
    await one.leases.dropLease('k', 'c');
    expect((await two.leases.heldAmong(['k'])).held).toEqual(new Set(['k']));
    commands.connect();
    await one.nodes.heartbeat();
    expect((await two.leases.heldAmong(['k'])).held).toEqual(new Set());
    expect(one.leases.size).toBe(0);
  });
});
