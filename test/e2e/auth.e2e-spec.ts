import { MASTER_KEY, startTestApp, type TestApp, type TestTenant } from '../support/app';
import { bearer, mintToken } from '../support/auth';
import { type Api, errorOf } from '../support/http/api';
import { createRoom } from '../support/rooms';
import { createKey, withKey } from '../support/tenants';

describe('who is calling', () => {
  let app: TestApp;
  let tenant: TestTenant;
  let token: Api;

  beforeAll(async () => {
    app = await startTestApp();
    tenant = await app.tenant();
    token = bearer(app.anonymous, (await mintToken(tenant.key, 'alice')).token);
  });
  afterAll(() => app.close());

  /** Who the server takes the caller for: the creator of a group is its admin. */
  async function actsAs(client: Api): Promise<string> {
    const { room_id } = await createRoom(client, 'group');
    const { body } = await client.get<{ user_id: string }[]>(`/rooms/${room_id}/members`);
    return body.map((member) => member.user_id).join();
  }

  describe('an API key with X-User-Id', () => {
    it('acts as that user', async () => {
      expect(await actsAs(tenant.as('carol'))).toBe('carol');
    });

    it.each([
      ['no credential', {}],
      ['a user alone', { 'x-user-id': 'alice' }],
      ['an empty key', { 'x-api-key': '', 'x-user-id': 'alice' }],
      ['a key of another form', { 'x-api-key': 'sk_live_1', 'x-user-id': 'alice' }],
      ['the master key', { 'x-api-key': MASTER_KEY, 'x-user-id': 'alice' }],
      ['two keys', { 'x-api-key': 'chatapi_a, chatapi_b', 'x-user-id': 'alice' }],
    ])('is refused with %s', async (_, headers) => {
      const answer = await app.anonymous.with(headers).get('/rooms');
      expect(answer.status).toBe(401);
      expect(errorOf(answer).code).toBe('AUTHENTICATION_ERROR');
    });

    it('is refused with a well-formed key that nobody has', async () => {
      const gone = await createKey(app, tenant);
      await app.master.delete(`/admin/tenants/${tenant.tenantId}/keys/${gone.key_id}`);
      const answer = await withKey(app, gone.api_key).get('/rooms');
      expect([answer.status, errorOf(answer).message]).toEqual([401, 'Invalid API key']);
    });

    it('needs X-User-Id: missing is 401', async () => {
      for (const client of [tenant.key, tenant.as('')]) {
        const answer = await client.get('/rooms');
        expect([answer.status, errorOf(answer).message]).toEqual([401, 'X-User-Id is required']);
      }
    });

    it.each(['a b', 'a,b', 'x'.repeat(129), 'agent_default', 'ü', 'a\tb'])(
      'needs a well-formed X-User-Id: %j is 400 and names the header',
      async (user) => {
        const answer = await tenant.as(user).get('/rooms');
        expect(answer.status).toBe(400);
        expect(errorOf(answer)).toMatchObject({ code: 'VALIDATION_ERROR', field: 'X-User-Id' });
      },
    );

    it.each(['a', '~!@#$%^&*()_+', 'x'.repeat(128), '{"a":1}', 'Agent_x'])('takes %s as a user id', async (user) => {
      expect((await tenant.as(user).get('/rooms')).status).toBe(200);
    });

    it('looks at the key before it looks at the user', async () => {
      const answer = await app.anonymous.with({ 'x-api-key': 'chatapi_x', 'x-user-id': 'a b' }).get('/rooms');
      expect(answer.status).toBe(401);
    });

    it('without the scope of the route is 403', async () => {
      const adminOnly = await createKey(app, tenant, { scopes: ['admin'] });
      const chatOnly = await createKey(app, tenant, { scopes: ['chat'] });
      const refused = [
        await withKey(app, adminOnly.api_key).get('/rooms'),
        await withKey(app, adminOnly.api_key).post('/tokens', { user_id: 'alice' }),
        await withKey(app, adminOnly.api_key).post('/ws/token'),
        await withKey(app, chatOnly.api_key).get(`/admin/tenants/${tenant.tenantId}`),
      ];
      expect(refused.map((answer) => answer.status)).toEqual([403, 403, 403, 403]);
      expect(new Set(refused.map((answer) => errorOf(answer).code))).toEqual(new Set(['AUTHORIZATION_ERROR']));
      expect((await withKey(app, adminOnly.api_key).get(`/admin/tenants/${tenant.tenantId}`)).status).toBe(200);
      expect((await withKey(app, chatOnly.api_key).get('/rooms')).status).toBe(200);
    });

    it('does not need X-User-Id on /tokens and /admin', async () => {
      expect((await tenant.key.post('/tokens', { user_id: 'alice' })).status).toBe(201);
      expect((await tenant.key.get(`/admin/tenants/${tenant.tenantId}`)).status).toBe(200);
      expect((await tenant.as('a b').get(`/admin/tenants/${tenant.tenantId}`)).status).toBe(200);
    });
  });

  describe('a user token', () => {
    it.each(['bob', 'a b', ''])('acts as its user and ignores X-User-Id %j', async (user) => {
      expect(await actsAs(token.with({ 'x-user-id': user }))).toBe('alice');
    });

    it('wins over an API key, also when it is bad', async () => {
      const other = await app.tenant();
      const keyOfOther = { 'x-api-key': other.apiKey, 'x-user-id': 'bob' };
      const { room_id } = await createRoom(token, 'group');
      expect((await token.with(keyOfOther).get(`/rooms/${room_id}`)).status).toBe(200);
      expect((await bearer(other.as('bob'), 'bad').get('/rooms')).status).toBe(401);
      expect((await other.as('bob').with({ authorization: 'Bearer' }).get('/rooms')).status).toBe(401);
    });

    it.each(['Basic YTpi', 'bearer', 'Token abc', ''])('is the only Authorization: %j alone is 401', async (value) => {
      expect((await app.anonymous.with({ authorization: value }).get('/rooms')).status).toBe(401);
    });

    it('is not meant by another scheme beside an API key', async () => {
      expect((await tenant.as('dora').with({ authorization: 'Basic YTpi' }).get('/rooms')).status).toBe(200);
    });

    it.each([
      ['POST', '/tokens', { user_id: 'alice' }],
      ['GET', '/admin/tenants', undefined],
      ['POST', '/admin/tenants', { name: 'x' }],
      ['GET', '/admin/tenants/TENANT', undefined],
      ['PATCH', '/admin/tenants/TENANT', { name: 'x' }],
      ['GET', '/admin/tenants/TENANT/keys', undefined],
      ['POST', '/admin/tenants/TENANT/keys', { name: 'x' }],
    ])('is refused on %s %s', async (method, path, body) => {
      const answer = await token.call(method, path.replace('TENANT', tenant.tenantId), body);
      expect([answer.status, errorOf(answer).code]).toEqual([403, 'AUTHORIZATION_ERROR']);
    });

    it('may create a dm of its own user and no other', async () => {
      expect((await token.post('/rooms', { type: 'dm', members: ['zoe'] })).status).toBe(201);
      expect((await token.post('/rooms', { type: 'dm', members: ['xavier', 'yann'] })).status).toBe(403);
      expect((await tenant.as('alice').post('/rooms', { type: 'dm', members: ['xavier', 'yann'] })).status).toBe(201);
    });
  });

  describe('the master key', () => {
    it('opens /admin of every tenant', async () => {
      const other = await app.tenant();
      for (const { tenantId } of [tenant, other])
        expect((await app.master.get(`/admin/tenants/${tenantId}`)).status).toBe(200);
    });

    it.each([
      ['GET', '/rooms'],
      ['POST', '/rooms'],
      ['POST', '/tokens'],
      ['POST', '/ws/token'],
      ['POST', '/acks'],
    ])('opens nothing else: not %s %s', async (method, path) => {
      expect((await app.master.with({ 'x-user-id': 'alice' }).call(method, path, undefined)).status).toBe(401);
    });

    it('does not stand in the way of another credential on other routes', async () => {
      expect((await tenant.as('dora').with({ 'x-master-key': 'nonsense' }).get('/rooms')).status).toBe(200);
    });

    it.each([`${MASTER_KEY}x`, MASTER_KEY.slice(1), MASTER_KEY.toUpperCase(), '', 'ü'])('%j is not it', async (key) => {
      const answer = await app.anonymous.with({ 'x-master-key': key }).get('/admin/tenants');
      expect([answer.status, errorOf(answer).code]).toEqual([401, 'AUTHENTICATION_ERROR']);
    });

    it('wins over other credentials on /admin, also when it is bad', async () => {
      const path = `/admin/tenants/${tenant.tenantId}`;
      expect((await tenant.key.with({ 'x-master-key': 'bad' }).get(path)).status).toBe(401);
      expect((await token.with({ 'x-master-key': MASTER_KEY }).get(path)).status).toBe(200);
    });

    it('is asked for by name where only it will do', async () => {
      const answer = await app.anonymous.get('/admin/tenants');
      expect([answer.status, errorOf(answer).message]).toEqual([401, 'X-Master-Key is required']);
    });
  });

  describe('a suspended tenant', () => {
    it('is refused with 403 on every door, and back when it is active again', async () => {
      const own = await app.tenant();
      const clients = [own.as('alice'), bearer(app.anonymous, (await mintToken(own.key, 'alice')).token)];
      await app.master.patch(`/admin/tenants/${own.tenantId}`, { status: 'suspended' });
      for (const client of clients) {
        const answer = await client.get('/rooms');
        expect([answer.status, errorOf(answer).message]).toEqual([403, 'This tenant is suspended']);
      }
      expect((await own.key.post('/tokens', { user_id: 'a' })).status).toBe(403);
      expect((await own.key.get(`/admin/tenants/${own.tenantId}`)).status).toBe(403);
      expect((await app.master.get(`/admin/tenants/${own.tenantId}`)).body).toMatchObject({ status: 'suspended' });
      await app.master.patch(`/admin/tenants/${own.tenantId}`, { status: 'active' });
      for (const client of clients) expect((await client.get('/rooms')).status).toBe(200);
    });
  });

  describe('allowed_origins', () => {
    const GOOD = 'https://app.example.com';

    it('refuses other origins with 403 for keys and tokens, and lets servers through', async () => {
      const own = await app.tenant(undefined, { allowed_origins: [GOOD, 'http://LOCALHOST:3000'] });
      const clients = [own.as('alice'), bearer(app.anonymous, (await mintToken(own.key, 'alice')).token)];
      for (const client of clients) {
        const statuses = [];
        for (const origin of [GOOD, 'http://localhost:3000', 'https://evil.example', `${GOOD}.evil.example`, 'null'])
          statuses.push((await client.with({ origin }).get('/rooms')).status);
        expect(statuses).toEqual([200, 200, 403, 403, 403]);
        expect((await client.get('/rooms')).status).toBe(200);
      }
    });

    it('null is any again, [] is none', async () => {
      const own = await app.tenant(undefined, { allowed_origins: [] });
      const evil = own.as('alice').with({ origin: 'https://evil.example' });
      expect(errorOf(await evil.get('/rooms')).code).toBe('AUTHORIZATION_ERROR');
      await app.master.patch(`/admin/tenants/${own.tenantId}`, { settings: { allowed_origins: null } });
      expect((await evil.get('/rooms')).status).toBe(200);
    });
  });
});
