import { describeRedis, RedisServer } from '../support/cluster/redis';
import { createTestDatabase, type TestDatabase } from '../support/database';
import { eventually } from '../support/embedded/processes';
import { Api, type Bodies } from '../support/http/api';
import { createRoom, getRoom, sendMany } from '../support/rooms';
import { SERVED_MASTER_KEY, type ServerProcess, Servers } from '../support/server-process';
import { ChangesFollower } from '../support/tenant-changes';
import { LONG_DATABASE_DEADLINE } from '../support/timing';
import { WsClient } from '../support/ws/client';

const SHARED = {
  ...{ MASTER_API_KEY: SERVED_MASTER_KEY, JWT_SECRET: 'j'.repeat(32), ENCRYPTION_KEY: 'ab'.repeat(32) },
  ...{ DATABASE_ALLOW_UNSAFE: 'true', DEMO: 'false', UI_ENABLED: 'false', DRAIN_DELAY_MS: '0', RUN_DRAIN_MS: '0' },
  ...LONG_DATABASE_DEADLINE,
};

interface Node {
  readonly server: ServerProcess;
  readonly url: string;
}

describeRedis('two servers on one database', () => {
  const servers = new Servers();
  let redis: RedisServer;
  let database: TestDatabase;

  beforeEach(async () => {
    redis = await RedisServer.start();
    database = await createTestDatabase();
  });
  afterEach(async () => {
    await servers.cleanUp();
    await redis.stop();
    await database.drop();
  });

  const envOf = (name: string, { port }: RedisServer): Readonly<Record<string, string>> => ({
    ...SHARED,
    ...{ DATABASE_URL: database.url, REDIS_URL: `redis://127.0.0.1:${port}`, CLUSTER_NODE_NAME: name },
  });
  const start = (name: string): Promise<Node> => servers.start({ env: envOf(name, redis) });

  /** The lines of a start that is refused, below "ChatAPI could not start:". */
  async function refusal(env: Readonly<Record<string, string>>): Promise<string[]> {
    const { code, lines } = await servers.launch({ env }).failure();
    expect([code, lines[0]]).toEqual([1, 'ChatAPI could not start:']);
    return lines.slice(1);
  }

  const healthOf = async ({ url }: Node): Promise<unknown[]> => {
    const health = await fetch(`${url}/health`);
    const { status, bus } = (await health.json()) as { readonly status: string; readonly bus?: string };
    return [health.status, status, bus, (await fetch(`${url}/health/ready`)).status];
  };
  const everywhere = (nodes: readonly Node[], bus: string): Promise<unknown> =>
    eventually(`the bus is ${bus} on all`, async () => {
      const all = await Promise.all(nodes.map(healthOf));
      // Whatever the bus does, nobody leaves the load balancer for it.
      for (const health of all) expect(health).toEqual([200, 'ok', expect.any(String), 200]);
      return all.every((health) => health[2] === bus);
    });

  it('a message sent on one comes over a socket of the other, at once, and by polling while Redis is away', async () => {
    const [a, b] = await Promise.all([start('a'), start('b')]);
    await everywhere([a, b], 'live');
    const master = new Api(a.url, { 'x-master-key': SERVED_MASTER_KEY });
    await eventually('each shows both, by their names', async () => {
      const { nodes } = (await master.get<Bodies['StatsDto']>('/admin/stats')).body;
      return nodes?.map(({ name }) => name).join() === 'a,b';
    });
    const { body: tenant } = await master.post<Bodies['TenantCreatedDto']>('/admin/tenants', { name: 'two' });
    const credentials = (user: string): Record<string, string> => ({ 'x-api-key': tenant.api_key, 'x-user-id': user });
    const alice = new Api(a.url, credentials('alice'));
    const room = await createRoom(alice, 'group', ['alice', 'bob']);
    const bob = await WsClient.connect(b.url.replace('http', 'ws'), { headers: credentials('bob') });
    await bob.frame('hello');
    const reach = async (content: string): Promise<void> => {
      expect((await alice.post(`/rooms/${room.room_id}/messages`, { content })).status).toBe(201);
      await eventually(`bob has "${content}"`, () => bob.frames.some((frame) => frame['content'] === content));
    };
    await reach('through Redis');
    // What is in no table comes by the bus or not at all.
    const typist = await WsClient.connect(a.url.replace('http', 'ws'), { headers: credentials('alice') });
    await typist.frame('hello');
    await eventually('bob sees alice type', () => {
      typist.send({ type: 'typing.start', room_id: room.room_id });
      return bob.got('typing').length > 0;
    });
    const { body: metrics } = await new Api(b.url).get<string>('/metrics');
    expect(metrics).toMatch(/^chatapi_bus_up 1$/m);

    await redis.kill();
    await everywhere([a, b], 'down');
    await reach('without Redis');
    await redis.restart();
    await everywhere([a, b], 'live');
    await reach('through Redis again');
    expect(bob.frames.filter(({ type }) => type === 'message').map((frame) => frame['seq'])).toEqual([1, 2, 3]);
    for (const { server } of [a, b]) {
      expect(server.log.filter(({ level }) => level >= 50)).toEqual([]);
      expect(new Set(server.log.map(({ node }) => node)).size).toBe(1);
    }
  });

  it('one collector has what both commit for a back end, and what one leaves behind that is killed', async () => {
    const [a, b] = await Promise.all([start('a'), start('b')]);
    await everywhere([a, b], 'live');
    const master = new Api(a.url, { 'x-master-key': SERVED_MASTER_KEY });
    const limits = { requests_per_second: null };
    const { body: tenant } = await master.post<Bodies['TenantCreatedDto']>('/admin/tenants', { name: 'feed', limits });
    const on = (node: Node): Api => new Api(node.url, { 'x-api-key': tenant.api_key, 'x-user-id': 'ann' });
    const room = await createRoom(on(a), 'group', ['bob']);
    const follower = await ChangesFollower.begin(on(b));
    const running = (): Promise<readonly { n: number }[]> =>
      database.sql(`SELECT count(*)::int AS n FROM jobs WHERE kind = 'feed' AND state = 'running'`);
    const most: number[] = [];
    for (let n = 0; n < 20; n++) {
      await Promise.all([a, b].map((node) => sendMany(on(node), room.room_id, 3)));
      most.push((await running())[0]?.n ?? NaN);
      await follower.read(7);
    }
    expect(Math.max(...most)).toBeLessThanOrEqual(1);
    // It dies before it has said what it has committed, or just after it: nobody can know.
    await sendMany(on(a), room.room_id, 1);
    await a.server.kill('SIGKILL');
    const { last_rev } = await getRoom(on(b), room.room_id);
    await follower.reach(room.room_id, last_rev);
    const revs = follower.of(room.room_id).map(({ rev }) => rev);
    expect(revs).toEqual([...new Set(revs)].sort((x, y) => x - y));
    expect(follower.of(room.room_id).filter(({ type }) => type === 'message')).toHaveLength(121);
  });

  it('none without REDIS_URL starts beside them', async () => {
    await start('a');
    const { REDIS_URL: _, ...alone } = envOf('alone', redis);
    expect(await refusal(alone)).toEqual([expect.stringMatching(/^Servers with REDIS_URL run on this database\./)]);
  });

  it('they start beside none without REDIS_URL', async () => {
    const { REDIS_URL: _, ...alone } = envOf('alone', redis);
    await servers.start({ env: alone });
    expect(await refusal(envOf('a', redis))).toEqual([
      expect.stringMatching(/^Another server runs without REDIS_URL on this database/),
    ]);
  });

  it('one with another Redis does not start beside the first, and does where that is gone', async () => {
    const another = await RedisServer.start();
    try {
      const { server } = await start('a');
      expect(await refusal(envOf('b', another))).toEqual([
        expect.stringMatching(/^REDIS_URL leads to another Redis than that of the servers which run on this database/),
      ]);
      await server.kill('SIGKILL');
      const moved = await servers.start({ env: envOf('b', another) });
      await everywhere([moved], 'live');
    } finally {
      await another.stop();
    }
  });

  it('one starts while Redis is away', async () => {
    await redis.kill();
    const a = await start('a');
    await everywhere([a], 'down');
    await redis.restart();
    await everywhere([a], 'live');
  });
});
