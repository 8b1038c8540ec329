import { randomUUID } from 'node:crypto';
import { type Clock, ManualClock, SystemClock } from '../../src/common/time';
import { ClusterIdentity } from '../../src/platform/cluster/redis/identity';
import { RedisCommands } from '../../src/platform/cluster/redis/redis-commands';
import { InstanceRepository } from '../../src/platform/database';
import { describeRedis, RedisServer } from '../support/cluster/redis';
import { openTestDatabase, type OpenTestDatabase } from '../support/open-database';
import { RecordingLog } from '../support/recording-log';
import { untilPasses } from '../support/suites/port-fixture';

/** No healthy answer takes so long. */
const PATIENT_MS = 60_000;

describeRedis('whether all nodes have the same Redis', () => {
  const installation = randomUUID();
  let site: OpenTestDatabase;
  let redis: RedisServer;
  let another: RedisServer;
  let connections: RedisCommands[];
  let log: RecordingLog;
  let clock: Clock;

  beforeAll(async () => {
    site = await openTestDatabase();
    redis = await RedisServer.start();
    another = await RedisServer.start();
  });
  beforeEach(async () => {
    connections = [];
    log = new RecordingLog();
    clock = new SystemClock();
    await site.database.sql('UPDATE instance SET cluster_nonce = NULL, cluster_seen_at = NULL');
  });
  afterEach(async () => {
    for (const connection of connections) connection.stop();
    for (const server of [redis, another]) {
      await server.kill();
      await server.restart();
    }
  });
  afterAll(async () => {
    await redis.stop();
    await another.stop();
    await site.close();
  });

  /** A node that is connected. */
  async function nodeOn(...servers: RedisServer[]): Promise<ClusterIdentity> {
    const own = servers.map(({ port }) => {
      const options = { url: `redis://127.0.0.1:${port}`, clientName: 'chatapi-test', deadlineMs: PATIENT_MS };
      return new RedisCommands(options, log);
    });
    for (const connection of own) connection.start();
    connections.push(...own);
    await untilPasses(() => expect(own.every(({ isLive }) => isLive)).toBe(true));
    return new ClusterIdentity(new InstanceRepository(site.open.system), own, installation, clock, log);
  }

  const seenAt = (time: string): Promise<object[]> =>
    site.database.sql(`UPDATE instance SET cluster_seen_at = ${time}`);
  const nobodySeesIt = (): Promise<object[]> => seenAt("clock_timestamp() - interval '1 hour'");
  const somebodySeesIt = (): Promise<object[]> => seenAt("clock_timestamp() + interval '1 hour'");

  it('the first one makes a nonce, all others find it', async () => {
    const [first, second] = [await nodeOn(redis), await nodeOn(redis)];
    await first.agree();
    await second.agree();
    expect([await first.look(), await second.look()]).toEqual(['same', 'same']);
    const [row] = await site.database.sql<{ seen: boolean }>(
      `SELECT cluster_seen_at > clock_timestamp() - interval '1 hour' AS seen FROM instance`,
    );
    expect(row?.seen).toBe(true);
  });

  it('of many that start at once on an empty Redis, none is refused', async () => {
    const nodes = await Promise.all(Array.from({ length: 5 }, () => nodeOn(redis)));
    await Promise.all(nodes.map((node) => node.agree()));
    expect(await Promise.all(nodes.map((node) => node.look()))).toEqual(['same', 'same', 'same', 'same', 'same']);
  });

  it('one that has another Redis is told so while somebody sees the first, and takes nothing', async () => {
    const [first, wrong] = [await nodeOn(redis), await nodeOn(another)];
    await first.agree();
    await somebodySeesIt();
    expect([await wrong.look(), await wrong.look()]).toEqual(['other', 'other']);
    expect(await first.look()).toBe('same');
  });

  it('one that runs says so each minute, once what was seen before Redis was emptied does not count any more', async () => {
    const [first, wrong] = [await nodeOn(redis), await nodeOn(another)];
    await first.agree();
    const time = new ManualClock();
    clock.monotonicMs = () => time.monotonicMs();
    const errors = async (afterMs: number): Promise<number> => {
      time.advance(afterMs);
      await somebodySeesIt();
      await wrong.watch();
      return log.lines.filter(({ level }) => level === 'error').length;
    };
    expect([await errors(0), await errors(9000), await errors(5000), await errors(50_000)]).toEqual([0, 0, 1, 1]);
    expect(await errors(10_000)).toBe(2);
    await nobodySeesIt();
    await wrong.agree();
    await wrong.watch();
    expect(await errors(60_000)).toBe(2);
  });

  it('a start with another Redis is refused, by one line', async () => {
    await (await nodeOn(redis)).agree();
    await somebodySeesIt();
    await expect((await nodeOn(another)).agree()).rejects.toThrow(
      /^REDIS_URL leads to another Redis than .*REDIS_URL$/,
    );
  });

  it('the same ones in another order are others', async () => {
    const [first, wrong] = [await nodeOn(redis, another), await nodeOn(another, redis)];
    await first.agree();
    await somebodySeesIt();
    expect(await wrong.look()).toBe('other');
  });

  it('a Redis that came back empty refuses nobody for good: the first that asks once nobody finds it makes a new nonce', async () => {
    const [one, two] = [await nodeOn(redis), await nodeOn(redis)];
    await one.agree();
    await redis.kill();
    expect(await two.look()).toBe('away');
    await redis.restart();
    const [back, again] = [await nodeOn(redis), await nodeOn(redis)];
    await somebodySeesIt();
    expect(await back.look()).toBe('other');
    await nobodySeesIt();
    expect(await back.look()).toBe('changing');
    expect([await back.look(), await again.look()]).toEqual(['same', 'same']);
  });

  it('a node that was away while the others moved to a new Redis finds that its own is none of theirs any more', async () => {
    const left = await nodeOn(redis);
    await left.agree();
    await nobodySeesIt();
    await (await nodeOn(another)).agree();
    await somebodySeesIt();
    expect(await left.look()).toBe('other');
    // And once they are gone, it may have it back.
    await nobodySeesIt();
    await left.agree();
    expect(await left.look()).toBe('same');
  });

  it('a start waits for no Redis that is away', async () => {
    await redis.kill();
    const options = { url: `redis://127.0.0.1:${redis.port}`, clientName: 'chatapi-test' };
    connections.push(new RedisCommands(options, log));
    connections[0]?.start();
    const store = new InstanceRepository(site.open.system);
    await new ClusterIdentity(store, connections, installation, clock, log).agree();
    expect(log.lines.map(({ message }) => message)).toContainEqual(expect.stringMatching(/^Redis is away: the server/));
  });
});
