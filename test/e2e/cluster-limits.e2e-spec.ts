import { at, Cluster, describeCluster } from '../support/cluster/cluster';
import { until } from '../support/poll';
import { rateOf } from '../support/rate-headers';
import { createKey, keysPath } from '../support/tenants';
import { closeAll, WsClient } from '../support/ws/client';
import { keyOf } from '../support/ws/socket-app';

/** Per minute: the calls below take seconds, so that most tries lie within one window. */
const LIMIT = 60;
const CONNECTIONS = 30;

describeCluster('three nodes: limits and credentials', () => {
  let cluster: Cluster;
  const clients: WsClient[] = [];

  beforeAll(async () => {
    cluster = await Cluster.start(3);
  });
  afterEach(() => closeAll(clients));
  afterAll(() => cluster.stop());

  /** What nodes decided by their own share so far, since Redis was late or away for them: that is not exact. */
  async function fallbacks(): Promise<number> {
    const pages = await Promise.all(cluster.nodes.map(({ anonymous }) => anonymous.get<string>('/metrics')));
    const series = pages.flatMap(({ body }) =>
      body.split('\n').filter((line) => line.startsWith('chatapi_rate_fallback_total')),
    );
    return series.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
  }

  it('a rate limit is one for all of them: three times as many calls, as many as it allows are taken', async () => {
    const exact = await until(
      async () => {
        const tenant = await cluster.tenant({ requests_per_second: null, ai_requests_per_minute: LIMIT });
        const before = await fallbacks();
        const calls = Array.from({ length: 3 * LIMIT }, () => tenant.key.get('/api/v1/chats/user/alice'));
        const answers = await Promise.all(calls);
        const windows = new Set(answers.map((answer) => Math.round((rateOf(answer)?.reset ?? 0) / 30)));
        const shared = (await fallbacks()) - before;
        return { windows: windows.size, shared, statuses: answers.map(({ status }) => status) };
      },
      // What fell into two windows was allowed more.
      ({ windows, shared }) => windows === 1 && shared === 0,
    );
    expect(exact.statuses.filter((status) => status === 200)).toHaveLength(LIMIT);
    expect(exact.statuses.filter((status) => status === 429)).toHaveLength(2 * LIMIT);
  });

  it('a tenant that is at one node only gets all that its limit allows', async () => {
    const tenant = await cluster.tenant({ requests_per_second: null, ai_requests_per_minute: LIMIT });
    const [first] = cluster.nodes;
    if (first === undefined) throw new Error('there is no node');
    const taken = [];
    for (let n = 0; n < LIMIT; n++) taken.push((await at(first, tenant.key).get('/api/v1/chats/user/alice')).status);
    expect(taken).toEqual(taken.map(() => 200));
  });

  it('a limit of connections is one for all of them: of three times as many at once exactly so many come in', async () => {
    const tenant = await until(
      async () => {
        await closeAll(clients);
        const fresh = await cluster.tenant({ requests_per_second: null, ws_connections: CONNECTIONS });
        const before = await fallbacks();
        const tries = Array.from({ length: 3 * CONNECTIONS }, (_, n) =>
          WsClient.connect(cluster.node(n % 3).url, { headers: keyOf(fresh, `user${n}`) }),
        );
        for (const tried of await Promise.allSettled(tries))
          if (tried.status === 'fulfilled') clients.push(tried.value);
        return { fresh, shared: (await fallbacks()) - before };
      },
      ({ shared }) => shared === 0,
    ).then(({ fresh }) => fresh);
    expect(clients).toHaveLength(CONNECTIONS);
    // A place that becomes free at one node is free at every other one.
    await clients.shift()?.close();
    for (const { url } of cluster.nodes) {
      const client = await until(
        () => WsClient.connect(url, { headers: keyOf(tenant, 'late') }).catch(() => undefined),
        (connected) => connected !== undefined,
      );
      await client?.close();
    }
  });

  it('a key that is revoked at one node ends its sockets at the others', async () => {
    const tenant = await cluster.tenant();
    const { key_id, api_key } = await createKey(cluster, tenant);
    const headers = { 'x-api-key': api_key, 'x-user-id': 'carol' };
    for (const n of [1, 2]) clients.push(await WsClient.connect(cluster.node(n).url, { headers }));
    expect((await at(cluster.node(0), cluster.master).delete(`${keysPath(tenant)}/${key_id}`)).status).toBe(204);
    for (const client of clients) expect(await client.ended()).toMatchObject({ code: 4003 });
    for (const { anonymous } of cluster.nodes) {
      const refused = await until(
        () => anonymous.with(headers).get('/rooms'),
        ({ status }) => status !== 200,
      );
      expect(refused.status).toBe(401);
    }
  });
});
