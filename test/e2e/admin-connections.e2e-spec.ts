import { startTestApp, type TestApp, type TestTenant } from '../support/app';
import { bearer, mintToken } from '../support/auth';
import { type Bodies, errorOf } from '../support/http/api';
import { until } from '../support/poll';
import { bodyOf, createRoom } from '../support/rooms';
import { createKey, withKey } from '../support/tenants';
import { closeAll, WsClient } from '../support/ws/client';
import { keyOf } from '../support/ws/socket-app';

type Connections = Bodies['ConnectionsDto'];
type Connection = Bodies['ConnectionDto'];

const LIST = '/admin/connections';

describe('open connections, for operators', () => {
  let app: TestApp;
  let tenant: TestTenant;
  let foreign: TestTenant;
  const clients: WsClient[] = [];

  beforeAll(async () => {
    app = await startTestApp();
  });
  beforeEach(async () => {
    [tenant, foreign] = await Promise.all([app.tenant(), app.tenant()]);
  });
  afterEach(() => closeAll(clients));
  afterAll(() => app.close());

  async function open(userId: string, of = tenant, headers: Record<string, string> = {}): Promise<WsClient> {
    const client = await WsClient.admitted(app.url, { headers: { ...keyOf(of, userId), ...headers } });
    clients.push(client);
    return client;
  }

  const list = async (query = '', by = tenant.key): Promise<Connections> =>
    bodyOf(await by.get<Connections>(`${LIST}${query}`));
  const only = async (): Promise<Connection> => {
    const { items } = await list();
    const [connection] = items;
    if (connection === undefined || items.length > 1) throw new Error(`not one connection but ${items.length}`);
    return connection;
  };

  it('are told with who, where from, since when, with what, and how they keep up', async () => {
    await createRoom(tenant.as('bob'), 'group', ['alice']);
    const before = Date.now();
    const client = await open('alice', tenant, { 'user-agent': `client ${'x'.repeat(300)}` });
    const { connection_id } = await client.frame('hello');
    // What it was sent at its beginning is on its way for a moment.
    const connection = await until(only, ({ rooms, queue_bytes }) => rooms === 1 && queue_bytes === 0);
    expect(connection).toEqual({
      connection_id,
      node_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      user_id: 'alice',
      path: '/ws',
      since: expect.any(String),
      address: expect.stringMatching(/^(::ffff:)?127\.0\.0\.1$/),
      agent: `client ${'x'.repeat(193)}`,
      credential: { kind: 'key', key_id: expect.any(String), key_name: 'first key', key_prefix: expect.any(String) },
      rooms: 1,
      bytes_in: expect.any(Number),
      bytes_out: expect.any(Number),
      queue_bytes: 0,
    });
    expect(Date.parse(connection.since)).toBeGreaterThanOrEqual(before);
    expect(tenant.apiKey.startsWith(connection.credential.key_prefix ?? '-')).toBe(true);
    await client.ask({ type: 'ping' });
    const later = await only();
    expect(later.bytes_in).toBeGreaterThan(connection.bytes_in);
    expect(later.bytes_out).toBeGreaterThan(connection.bytes_out);
  });

  it('of a token name the key that minted it', async () => {
    const { token } = await mintToken(tenant.key, 'bob');
    clients.push(await WsClient.admitted(app.url, { headers: { authorization: `Bearer ${token}` } }));
    expect((await only()).credential).toMatchObject({ kind: 'token', key_name: 'first key' });
  });

  it('are listed page by page, of one user where that is asked for, and of no other tenant', async () => {
    for (const user of ['alice', 'bob', 'alice']) await open(user);
    await open('alice', foreign);
    const pages = [await list('?limit=2')];
    pages.push(await list(`?limit=2&cursor=${pages[0]?.next ?? ''}`));
    expect(pages.map(({ items }) => items.map(({ user_id }) => user_id))).toEqual([['alice', 'bob'], ['alice']]);
    expect(pages[1]?.next).toBeNull();
    expect((await list('?user_id=alice')).items).toHaveLength(2);
    const theirs = await list(`?tenant_id=${foreign.tenantId}`, app.master);
    expect(theirs.items).toHaveLength(1);
  });

  it.each([
    ['', 1013],
    ['?code=1013', 1013],
    ['?code=4003', 4003],
    ['?code=4004', 4004],
  ])('are closed: %s with %d', async (query, code) => {
    const client = await open('alice');
    const other = await open('alice');
    const { connection_id } = await client.frame('hello');
    expect((await tenant.key.delete(`${LIST}/${String(connection_id)}${query}`)).status).toBe(204);
    expect((await client.ended()).code).toBe(code);
    expect(client.got('error')).toHaveLength(code === 1013 ? 0 : 1);
    expect(other.isOpen).toBe(true);
    await until(list, ({ items }) => items.length === 1);
    expect((await tenant.key.delete(`${LIST}/${String(connection_id)}`)).status).toBe(404);
  });

  it('of another tenant, and what is none, are 404 and stay', async () => {
    const client = await open('alice', foreign);
    const { connection_id } = await client.frame('hello');
    for (const id of [String(connection_id), 'conn_1', `conn_${'0'.repeat(32)}`])
      expect((await tenant.key.delete(`${LIST}/${id}`)).status).toBe(404);
    expect((await tenant.key.get(`${LIST}?tenant_id=${foreign.tenantId}`)).status).toBe(404);
    expect(client.isOpen).toBe(true);
  });

  it('are the business of operators', async () => {
    const chat = withKey(app, (await createKey(app, tenant, { scopes: ['chat'] })).api_key);
    const token = bearer(app.anonymous, (await mintToken(tenant.key, 'alice')).token);
    for (const client of [chat, token])
      expect([(await client.get(LIST)).status, (await client.delete(`${LIST}/conn_1`)).status]).toEqual([403, 403]);
    const nobodys = [await app.master.get(LIST), await app.master.delete(`${LIST}/conn_1`)];
    for (const answer of nobodys) expect([answer.status, errorOf(answer).field]).toEqual([400, 'tenant_id']);
  });

  it.each([
    ['cursor', 'cursor=nonsense'],
    ['user_id', 'user_id=a,b'],
    ['limit', 'limit=0'],
  ])('a bad %s is 400', async (field, query) => {
    const answer = await tenant.key.get(`${LIST}?${query}`);
    expect([answer.status, errorOf(answer).field]).toEqual([400, field]);
    const code = await tenant.key.delete(`${LIST}/conn_1?code=1000`);
    expect([code.status, errorOf(code).field]).toEqual([400, 'code']);
  });
});
