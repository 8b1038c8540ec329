import { startTestApp, type TestApp, type TestTenant } from '../support/app';
import { bearer, mintToken } from '../support/auth';
import { type Api, errorOf } from '../support/http/api';
import { until } from '../support/poll';
import { bodyOf, createRoom } from '../support/rooms';
import { createKey, withKey } from '../support/tenants';
import { WsClient } from '../support/ws/client';
import { keyOf } from '../support/ws/socket-app';

interface Whoami {
  readonly limits: Readonly<Record<string, { readonly limit: number | null; readonly left: number | null }>>;
}

interface Answer {
  readonly allowed: boolean;
  readonly route: string | null;
  readonly rule: string | null;
  readonly why: string | null;
  readonly depends_on: string | null;
}

describe('who a caller is, and what they may', () => {
  let app: TestApp;
  let tenant: TestTenant;
  let foreign: TestTenant;
  let token: Api;
  let chatKey: Api;

  beforeAll(async () => {
    app = await startTestApp();
    tenant = await app.tenant();
    foreign = await app.tenant();
    token = bearer(app.anonymous, (await mintToken(tenant.key, 'alice', 60)).token);
    chatKey = withKey(app, (await createKey(app, tenant, { scopes: ['chat'] })).api_key);
  });
  afterAll(() => app.close());

  const ask = async (client: Api, method: string, path: string): Promise<Answer> =>
    bodyOf(await client.post<Answer>('/can-i', { method, path }));

  describe('GET /whoami', () => {
    it('tells of the master key that it is for all tenants', async () => {
      expect(bodyOf(await app.master.get('/whoami'))).toEqual({
        credential: 'master',
        tenant_id: null,
        user_id: null,
        key_id: null,
        scopes: [],
        expires_at: null,
        limits: {},
      });
    });

    it('tells of a key its tenant and scopes, and the user that came with it', async () => {
      const key = { credential: 'key', tenant_id: tenant.tenantId, expires_at: null };
      expect(bodyOf(await tenant.key.get('/whoami'))).toMatchObject({
        ...key,
        user_id: null,
        key_id: expect.stringMatching(/^key_[0-9a-f]{32}$/) as string,
        scopes: ['chat', 'admin'],
      });
      const { api_key, key_id } = await createKey(app, tenant, { scopes: ['admin'] });
      const bob = withKey(app, api_key).with({ 'x-user-id': 'bob' });
      expect(bodyOf(await bob.get('/whoami'))).toMatchObject({ ...key, user_id: 'bob', key_id, scopes: ['admin'] });
    });

    it('tells of a token its user and when it ends', async () => {
      const { expires_at, ...told } = bodyOf(await token.get<{ expires_at: string }>('/whoami'));
      expect(told).toMatchObject({
        credential: 'token',
        tenant_id: tenant.tenantId,
        user_id: 'alice',
        scopes: ['chat'],
      });
      expect(Date.parse(expires_at) - Date.now()).toBeGreaterThan(0);
      expect(Date.parse(expires_at) - Date.now()).toBeLessThanOrEqual(60_000);
    });

    it('tells what is left of the limits', async () => {
      const own = await app.tenant({ ai_requests_per_minute: 500, ws_connections: null, rooms: 3, users: 9 });
      const alice = own.as('alice');
      await createRoom(alice, 'group', ['bob']);
      const socket = await WsClient.admitted(app.url, { headers: keyOf(own, 'alice') });
      const { limits } = bodyOf(await alice.get<Whoami>('/whoami'));
      expect(limits).toMatchObject({
        requests_per_second: { limit: 100 },
        ai_requests_per_minute: { limit: 500 },
        ws_connections: { limit: null, left: null },
        ws_connections_per_user: { limit: 20, left: 19 },
        chat_connections: { limit: 50, left: 50 },
        users: { limit: 9, left: 7 },
        rooms: { limit: 3, left: 2 },
      });
      // Counted before it is answered.
      expect(limits['requests_per_second']?.left).toBeLessThan(100);
      // Again, should the minute end between the two calls.
      const [said, left] = await until(
        async () => [
          Number((await own.key.get('/api/channels')).headers.get('x-ratelimit-remaining')),
          bodyOf(await alice.get<Whoami>('/whoami')).limits['ai_requests_per_minute']?.left,
        ],
        ([before, after]) => before === after,
      );
      expect(left).toBe(said);
      expect(said).toBeLessThan(500);
      expect(bodyOf(await own.key.get<Whoami>('/whoami')).limits).not.toHaveProperty('ws_connections_per_user');
      await socket.close();
    });

    it('is closed to what is no credential', async () => {
      for (const client of [app.anonymous, bearer(app.anonymous, 'x.y.z'), withKey(app, 'chatapi_no')])
        expect((await client.get('/whoami')).status).toBe(401);
      expect(errorOf(await app.anonymous.get('/whoami')).message).toBe(
        'X-Master-Key, X-API-Key or a Bearer token is required',
      );
    });
  });

  describe('POST /can-i', () => {
    /** Whether master, admin key, chat key and token may: y or n each. */
    it.each([
      ['GET /health', 'yyyy'],
      ['GET /admin/tenants', 'ynnn'],
      ['POST /admin/tenants', 'ynnn'],
      ['GET /admin/tenants/{own}', 'yynn'],
      ['GET /admin/tenants/{foreign}', 'ynnn'],
      ['GET /admin/dead-letters?tenant_id={foreign}', 'ynnn'],
      ['GET /admin/dead-letters?tenant_id={own}', 'yyyn'],
      ['POST /tokens', 'nyyn'],
      ['GET /rooms', 'nyyy'],
      ['GET /ws', 'nyyy'],
      ['GET /whoami', 'yyyy'],
      ['DELETE /whoami', 'nnnn'],
      ['GET /no/such/route', 'nnnn'],
    ])('%s: %s', async (call, expected) => {
      const [method = '', path = ''] = call
        .replace('{own}', tenant.tenantId)
        .replace('{foreign}', foreign.tenantId)
        .split(' ');
      const user = { 'x-user-id': 'alice' };
      const callers = [app.master, tenant.key.with(user), chatKey.with(user), token];
      const answers = await Promise.all(callers.map((client) => ask(client, method, path)));
      expect(answers.map(({ allowed }) => (allowed ? 'y' : 'n')).join('')).toBe(expected);
      for (const { allowed, why } of answers) expect(why === null).toBe(allowed);
    });

    it('says which rule decides, and with what the call would be refused', async () => {
      expect(await ask(token, 'GET', '/admin/tenants')).toEqual({
        allowed: false,
        route: 'GET /admin/tenants',
        rule: 'the master key only',
        why: 'This route needs the master key (403)',
        depends_on: null,
      });
      expect(await ask(tenant.key, 'GET', '/rooms')).toMatchObject({ why: 'X-User-Id is required (401)' });
      expect(await ask(tenant.key, 'PUT', '/rooms/')).toMatchObject({
        route: null,
        rule: null,
        why: 'PUT is not allowed here; allowed: GET, HEAD, POST (405)',
      });
      expect(await ask(tenant.key, 'GET', '/room')).toMatchObject({ route: null, why: 'Route not found (404)' });
    });

    it('says what is left to the room and the chat', async () => {
      const room = await ask(token, 'POST', '/rooms/room_1/messages');
      expect(room).toMatchObject({ allowed: true, route: 'POST /rooms/{room_id}/messages', depends_on: 'membership' });
      const chat = '/api/v1/chats/01900000-0000-7000-8000-000000000000';
      expect(await ask(token, 'GET', chat)).toMatchObject({ allowed: true, depends_on: 'ownership' });
      expect(await ask(tenant.key, 'GET', chat)).toMatchObject({ allowed: true, depends_on: null });
    });

    it.each([
      ['method', { method: 'TRACE', path: '/rooms' }],
      ['path', { method: 'GET', path: 'rooms' }],
      ['path', { method: 'GET' }],
    ])('refuses a bad %s', async (field, body) => {
      const answer = await token.post('/can-i', body);
      expect([answer.status, errorOf(answer).field]).toEqual([400, field]);
    });

    it('says the same as the calls themselves', async () => {
      const user = { 'x-user-id': 'alice' };
      const callers = { master: app.master, admin: tenant.key.with(user), chat: chatKey.with(user), token };
      for (const [name, client] of Object.entries(callers))
        for (const path of [
          '/admin/tenants',
          '/admin/dead-letters',
          '/rooms',
          '/api/channels',
          '/subscriptions',
          '/whoami',
        ]) {
          const { allowed } = await ask(client, 'GET', path);
          const { status } = await client.get(path);
          expect([name, path, allowed]).toEqual([name, path, status !== 401 && status !== 403]);
        }
    });
  });
});
