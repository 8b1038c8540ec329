import { SystemClock } from '../../src/common/time';
import { RedisCommands } from '../../src/platform/cluster/redis/redis-commands';
import { RedisCounters } from '../../src/platform/cluster/redis/redis-counters';
import { Metrics } from '../../src/platform/metrics';
import { describeRedis, RedisServer } from '../support/cluster/redis';
import { type CounterNode, counterNodes } from '../support/cluster/counter-nodes';
import { TimedRedis } from '../support/cluster/held-commands';
import { RecordingLog } from '../support/recording-log';
import { turns } from '../support/realtime/model-log';
import { countersSuite } from '../support/suites/counters-suite';

const WINDOW = 1000;
let server: RedisServer;
let redis: TimedRedis;
let nodes: CounterNode[];

function withNodes(): void {
  beforeAll(async () => {
    server = await RedisServer.start();
  });
  beforeEach(async () => {
    redis = await TimedRedis.on(server);
    nodes = counterNodes(redis, [0, 400, -400]);
  });
  afterEach(() => redis.close());
  afterAll(() => server.stop());
}

function node(n: number): CounterNode {
  const found = nodes[n];
  if (found === undefined) throw new Error(`there is no node ${n}`);
  return found;
}

/** Of so many calls those that were taken. */
async function take(n: number, times: number, limit: number, windowMs = WINDOW): Promise<number> {
  let taken = 0;
  for (let i = 0; i < times; i++) if ((await node(n).counters.take('key', windowMs, limit)).count <= limit) taken++;
  return taken;
}

const asked = (): number => nodes.reduce((sum, { commands }) => sum + commands.count, 0);

describeRedis('counters in Redis', () => {
  beforeAll(async () => {
    server = await RedisServer.start();
  });
  afterAll(() => server.stop());

  countersSuite('Redis', async () => {
    const timed = await TimedRedis.on(server);
    timed.clock.advance(1);
    const [only] = counterNodes(timed, [0]);
    if (only === undefined) throw new Error('there is no node');
    return {
      port: only.counters,
      now: () => timed.clock.wallMs(),
      advance: (ms) => timed.clock.advance(ms),
      close: () => timed.close(),
    };
  });
});

describeRedis('counters of three nodes', () => {
  withNodes();

  it.each([
    [[100, 100, 100], 100],
    [[280, 10, 10], 100],
    [[1500, 1500, 1500], 1000],
  ])('offered %p of %p: exactly the limit is taken in every window, with few questions', async (offered, limit) => {
    let offers = 0;
    for (let window = 0; window < 4; window++) {
      const left = [...offered];
      let taken = 0;
      for (let turn = 0; left.some((each) => each > 0); turn++) {
        const n = turn % 3;
        const now = Math.min(left[n] ?? 0, Math.ceil((offered[n] ?? 0) / 10));
        left[n] = (left[n] ?? 0) - now;
        offers += now;
        taken += await take(n, now, limit);
      }
      expect(taken).toBe(limit);
      redis.clock.advance(WINDOW);
    }
    expect(asked() / offers).toBeLessThan(0.25);
    for (const { counts, commands } of nodes) expect([counts.fallbacks, counts.leases]).toEqual([0, commands.count]);
  });

  it('below the limit take all', async () => {
    expect(await Promise.all([take(0, 30, 100), take(1, 30, 100), take(2, 30, 100)])).toEqual([30, 30, 30]);
  });
});

describeRedis('counters of a node', () => {
  withNodes();

  it('remember a refusal until the window ends, and answer at once', async () => {
    await take(0, 50, 50);
    await take(1, 1, 50);
    const before = asked();
    for (const n of [0, 1]) expect(node(n).counters.take('key', WINDOW, 50)).not.toBeInstanceOf(Promise);
    expect([await take(0, 100, 50), await take(1, 100, 50), asked()]).toEqual([0, 0, before]);
    redis.clock.advance(WINDOW);
    expect(await take(1, 1, 50)).toBe(1);
  });

  it('answer at once from a lease, which dies with its window', async () => {
    await take(0, 200, 10_000);
    redis.clock.advance(WINDOW);
    await take(0, 1, 10_000);
    const before = asked();
    expect(await take(0, 20, 10_000)).toBe(20);
    expect(asked()).toBe(before);
    redis.clock.advance(10 * WINDOW);
    await take(0, 1, 10_000);
    expect(asked()).toBe(before + 1);
  });

  it('hold the keys of two windows per length, whatever lengths were used before', async () => {
    const { counters } = node(0);
    for (let i = 0; i < 50; i++) {
      await counters.take(`long ${i}`, 60 * WINDOW, 10);
      await counters.take(`short ${i}`, WINDOW, 10);
    }
    expect(counters.size).toBe(100);
    for (let i = 0; i < 2; i++) {
      redis.clock.advance(WINDOW);
      await counters.take('short', WINDOW, 10);
    }
    expect(counters.size).toBe(52);
    redis.clock.advance(120 * WINDOW);
    await counters.take('short', WINDOW, 10);
    expect(counters.size).toBe(1);
  });
});

describeRedis('counters whose Redis', () => {
  withNodes();

  it('is away take the share of the node, at once, and tell Redis of it when it is back in the same window', async () => {
    const { commands, counters, counts } = node(0);
    commands.isLive = false;
    expect(counters.take('key', 60 * WINDOW, 90)).toMatchObject({ count: 61 });
    expect(await take(0, 50, 90, 60 * WINDOW)).toBe(29);
    expect(await counters.count('key', 60 * WINDOW)).toBe(30);
    expect([commands.count, counts.fallbacks]).toEqual([0, 51]);
    redis.clock.advance(2 * WINDOW);
    commands.isLive = true;
    expect(await take(0, 1, 90, 60 * WINDOW)).toBe(1);
    const byOthers = await take(1, 100, 90, 60 * WINDOW);
    expect(byOthers + (await take(0, 100, 90, 60 * WINDOW))).toBe(59);
    expect(counts.fallbacks).toBe(51);
  });

  it('is away for all stay below the limit together, and each takes at least one', async () => {
    for (const each of nodes) each.commands.isLive = false;
    for (const [limit, share] of [
      [100, 33],
      [2, 1],
      [0, 0],
    ] as const) {
      expect([await take(0, 99, limit), await take(1, 99, limit), await take(2, 99, limit)]).toEqual(
        Array.from({ length: 3 }, () => share),
      );
      redis.clock.advance(WINDOW);
    }
  });

  it('did not answer decide by the share, whoever waited too, and do not ask again for a second', async () => {
    const { counters, commands } = node(0);
    commands.isHeld = true;
    const waiting = Array.from({ length: 40 }, async () => counters.take('key', 60 * WINDOW, 60));
    expect(commands.count).toBe(1);
    commands.onTheWay[0]?.lose();
    expect((await Promise.all(waiting)).filter(({ count }) => count <= 60)).toHaveLength(20);
    expect(await counters.count('key', 60 * WINDOW)).toBe(20);
    expect(counters.take('other', WINDOW, 60)).not.toBeInstanceOf(Promise);
    expect(commands.count).toBe(1);
    redis.clock.advance(1000);
    commands.isHeld = false;
    expect(await take(0, 100, 60, 60 * WINDOW)).toBe(40);
  });
});

describeRedis('counters whose Redis, at odd moments,', () => {
  withNodes();

  it('comes back empty in the middle of a window: who knew it to be used up still knows', async () => {
    await take(0, 60, 60);
    await redis.lose();
    expect(await take(0, 10, 60)).toBe(0);
  });

  it('answers late, after the window: nothing of it is spent', async () => {
    const { counters, commands } = node(0);
    commands.isHeld = true;
    const waiting = Promise.all([counters.take('key', WINDOW, 60), counters.take('key', WINDOW, 60)]);
    await commands.onTheWay[0]?.reach();
    redis.clock.advance(WINDOW);
    commands.onTheWay[0]?.answer();
    await turns();
    await commands.onTheWay[1]?.reach();
    commands.onTheWay[1]?.answer();
    expect((await waiting).map(({ count }) => count)).toEqual([1, 2]);
    commands.isHeld = false;
    expect(await take(1, 100, 60)).toBe(58);
  });
});

describeRedis('counters over a connection', () => {
  it('answer by the share while Redis hangs, and by Redis again when it does not', async () => {
    const frozen = await RedisServer.start();
    const commands = new RedisCommands(
      { url: `redis://127.0.0.1:${frozen.port}`, clientName: 'chatapi-test' },
      new RecordingLog(),
    );
    const metrics = new Metrics(new RecordingLog());
    const options = { installation: 'instance', nodes: () => 3 };
    const counters = new RedisCounters(commands, options, new SystemClock(), metrics);
    const countedAs = async (key: string): Promise<number> => (await counters.take(key, 3_600_000, 90)).count;
    try {
      expect(await countedAs('before')).toBe(61);
      commands.start();
      // From the share it begins with 61; this machine may be slow.
      for (let i = 0; (await countedAs(`live ${i}`)) !== 1; i++) await turns();
      frozen.freeze();
      expect(await Promise.all([countedAs('frozen'), countedAs('frozen')])).toEqual([61, 62]);
      expect(counters.take('frozen', 3_600_000, 90)).toMatchObject({ count: 63 });
      frozen.thaw();
      for (let i = 0; (await countedAs(`thawed ${i}`)) !== 1; i++) await turns();
      expect(await metrics.text()).toMatch(/chatapi_rate_fallback_total [1-9]/);
    } finally {
      commands.stop();
      await frozen.stop();
    }
  });
});
