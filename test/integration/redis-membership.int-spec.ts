import { describeRedis, RedisServer } from '../support/cluster/redis';
import { type RedisNode, RedisNodes } from '../support/cluster/redis-nodes';
import { leasesSuite } from '../support/suites/leases-suite';
import { nodeRegistrySuite } from '../support/suites/node-registry-suite';
import { untilPasses } from '../support/suites/port-fixture';

const LONG_MS = 600_000;
const SURE = { isComplete: true, isSettling: false };
const MISSING = { isComplete: true, isSettling: true };
const UNKNOWN = { isComplete: false, isSettling: true };

/** What a node is told of some keys. */
async function told({ leases }: RedisNode, ...keys: string[]): Promise<object> {
  const { held, ...others } = await leases.heldAmong(keys);
  return { held: [...held].sort(), ...others };
}

let redis: RedisServer;
let nodes: RedisNodes;
let lost: string[];
let returned: string[];

describeRedis('leases and nodes through Redis', () => {
  beforeAll(async () => {
    redis = await RedisServer.start();
  });
  afterAll(() => redis.stop());

  leasesSuite('Redis', async () => {
    const made = await RedisNodes.on(redis);
    await made.settle();
    return {
      ...{ port: made.get(0).leases, peer: made.get(1).leases },
      advance: (ms) => made.advance(ms),
      close: () => made.close(),
    };
  });

  nodeRegistrySuite('Redis', async () => {
    const made = await RedisNodes.on(redis);
    return {
      ...{ port: made.get(0).nodes, peer: made.get(1).nodes, errors: made.errors },
      advance: (ms) => made.advance(ms),
      close: () => made.close(),
    };
  });

  describe('when', () => {
    beforeEach(async () => {
      nodes = await RedisNodes.on(redis);
      await nodes.settle();
      [lost, returned] = [[], []];
      for (const { name, nodes: registry } of nodes.all) {
        registry.onNodeLost((node) => void lost.push(`${node.name} for ${name}`));
        registry.onReturned(() => void returned.push(name));
      }
    });
    afterEach(() => nodes.close());

    redisForgets();
    redisStandsStill();
    nodeIsGone();
    nodeIsCutOff();
  });
});

function redisForgets(): void {
  it('Redis is killed and comes back empty: all is held again, and nobody is said to hold nothing for 30 s', async () => {
    const [one, two] = [nodes.get(0), nodes.get(1)];
    await one.leases.holdLease('before', 'c', LONG_MS);
    await one.leases.holdLease('dropped', 'c', LONG_MS);
    await redis.kill();
    await untilPasses(() => expect(nodes.all.map(({ commands }) => commands.isLive)).not.toContain(true));
    expect(await told(two, 'before', 'none')).toEqual({ held: [], ...UNKNOWN });
    await one.leases.holdLease('meanwhile', 'c', LONG_MS);
    await one.leases.dropLease('dropped', 'c');
    expect(await one.leases.claim('work', 'c', LONG_MS)).toBe(false);
    expect((await two.nodes.nodes()).map(({ name }) => name)).toEqual(['n0', 'n1', 'n2']);
    await redis.restart();
    await nodes.back();
    const all = ['before', 'meanwhile', 'dropped', 'none'];
    expect(await told(two, ...all)).toEqual({ held: ['before', 'meanwhile'], ...UNKNOWN });
    await nodes.live(25_000);
    expect(await told(two, ...all)).toEqual({ held: ['before', 'meanwhile'], ...UNKNOWN });
    await nodes.live(5000);
    expect(await told(two, ...all)).toEqual({ held: ['before', 'meanwhile'], ...SURE });
    expect([nodes.generationChanges.sort(), lost, returned]).toEqual([['n0', 'n1', 'n2'], [], []]);
    expect(one.leases.size).toBe(2);
  });

  it('Redis is away for longer than two minutes: a surer answer is not waited for any more', async () => {
    await redis.kill();
    await untilPasses(() => expect(nodes.get(0).commands.isLive).toBe(false));
    nodes.advance(119_000);
    expect(await told(nodes.get(0), 'k')).toEqual({ held: [], ...UNKNOWN });
    nodes.advance(1000);
    expect(await told(nodes.get(0), 'k')).toEqual({ held: [], isComplete: false, isSettling: false });
    await redis.restart();
    await nodes.back();
    expect(await told(nodes.get(0), 'k')).toEqual({ held: [], ...UNKNOWN });
  });
}

function redisStandsStill(): void {
  it('Redis hangs for a minute and has forgotten nothing: no node is taken for lost', async () => {
    const [one, two] = [nodes.get(0), nodes.get(1)];
    await one.leases.holdLease('k', 'c', 30_000);
    redis.freeze();
    nodes.advance(60_000);
    redis.thaw();
    await two.nodes.heartbeat();
    expect(await told(two, 'k')).toEqual({ held: [], ...UNKNOWN });
    await one.leases.holdLease('k', 'c', 30_000);
    await nodes.live(25_000);
    expect(await told(two, 'k')).toEqual({ held: ['k'], ...UNKNOWN });
    expect([lost, returned]).toEqual([[], []]);
  });

  it('Redis was away for so long that some nodes’ time is over: they are waited for', async () => {
    const [one, two, three] = [nodes.get(0), nodes.get(1), nodes.get(2)];
    await one.leases.holdLease('k', 'c', LONG_MS);
    // Their beats lie apart, as those of nodes do.
    nodes.advance(4900);
    await two.nodes.heartbeat();
    await three.nodes.heartbeat();
    await redis.kill();
    nodes.advance(7000);
    await redis.restart();
    await nodes.back([two]);
    nodes.advance(4000);
    expect(await told(two, 'k')).toMatchObject({ isComplete: false });
    await nodes.back();
    expect(await told(two, 'k')).toMatchObject({ held: ['k'] });
    expect(lost).toEqual([]);
  });
}

function nodeIsGone(): void {
  it('a node is gone: its leases end with it, and whoever must be sure waits two minutes', async () => {
    const [one, two, dead] = [nodes.get(0), nodes.get(1), nodes.get(2)];
    await dead.leases.holdLease('k', 'c', LONG_MS);
    dead.commands.stop();
    await nodes.live(10_000, [one, two]);
    expect(await told(one, 'k')).toEqual({ held: ['k'], ...SURE });
    await nodes.live(10_000, [one, two]);
    expect(await told(one, 'k')).toEqual({ held: [], ...MISSING });
    expect(lost.sort()).toEqual(['n2 for n0', 'n2 for n1']);
    await nodes.live(95_000, [one, two]);
    expect(await told(two, 'k')).toEqual({ held: [], ...MISSING });
    await nodes.live(10_000, [one, two]);
    expect(await told(two, 'k')).toEqual({ held: [], ...SURE });
    expect(lost).toHaveLength(2);
  });

  it('a node is started again under its name: the one before is dead for sure', async () => {
    const [one, two, dead] = [nodes.get(0), nodes.get(1), nodes.get(2)];
    await dead.leases.holdLease('k', 'c', LONG_MS);
    dead.commands.stop();
    await nodes.live(20_000, [one, two]);
    const again = await nodes.start('n2');
    await again.nodes.heartbeat();
    // The one that has just come has nothing to hold yet, and has said so.
    await nodes.live(5000, [one, two, again]);
    expect(await told(one, 'k')).toEqual({ held: [], ...SURE });
  });
}

function nodeIsCutOff(): void {
  it('a node was cut off for a while: it is told, and what it holds counts again', async () => {
    const [one, two, cut] = [nodes.get(0), nodes.get(1), nodes.get(2)];
    await cut.leases.holdLease('k', 'c', LONG_MS);
    cut.proxy.cut();
    await untilPasses(() => expect(cut.commands.isLive).toBe(false));
    await nodes.live(20_000, [one, two]);
    expect(await told(one, 'k')).toEqual({ held: [], ...MISSING });
    expect(await told(cut, 'k')).toEqual({ held: [], ...UNKNOWN });
    await cut.leases.holdLease('meanwhile', 'c', LONG_MS);
    cut.proxy.pass();
    await nodes.back();
    expect(returned).toEqual(['n2']);
    expect(await told(one, 'k', 'meanwhile')).toEqual({ held: ['k', 'meanwhile'], ...SURE });
    expect(nodes.generationChanges).toEqual([]);
  });

  it('Redis forgets while a node is cut off: the others have not', async () => {
    const [one, two, cut] = [nodes.get(0), nodes.get(1), nodes.get(2)];
    cut.proxy.cut();
    await redis.kill();
    await redis.restart();
    await nodes.back([one, two]);
    await nodes.live(30_000, [one, two]);
    expect(await told(one, 'k')).toEqual({ held: [], ...MISSING });
    expect(lost.sort()).toEqual(['n2 for n0', 'n2 for n1']);
    await nodes.live(90_000, [one, two]);
    expect(await told(one, 'k')).toEqual({ held: [], ...SURE });
  });
}
