import { LIMIT_DEFAULTS, SETTING_DEFAULTS } from '../../src/platform/auth';
import { startTestApp, type TestApp, type TestTenant } from '../support/app';
import { type Api, type Bodies, errorOf } from '../support/http/api';
import { until } from '../support/poll';
import { uuidOf, withKey } from '../support/tenants';

type TenantBody = Bodies['TenantDto'];

const UNKNOWN = `tenant_${'0'.repeat(32)}`;

/** How defaults are shown that the tenant has not changed. */
function inForce(defaults: object): object {
  return Object.fromEntries(
    Object.entries(defaults).map(([name, value]: [string, unknown]) => [
      name,
      { value, default: value, source: 'default' },
    ]),
  );
}

describe('tenants', () => {
  let app: TestApp;
  let tenant: TestTenant;

  beforeAll(async () => {
    app = await startTestApp();
  });
  beforeEach(async () => {
    tenant = await app.tenant({}, {});
  });
  afterAll(() => app.close());

  const path = (): string => `/admin/tenants/${tenant.tenantId}`;
  const patch = async (body: object, by: Api = app.master): Promise<TenantBody> => {
    // A fast machine makes more changes in a second than the master key may.
    const answer = await until(
      () => by.patch<TenantBody>(path(), body),
      ({ status }) => status !== 429,
    );
    expect([answer.status, answer.body]).toEqual([200, expect.anything()]);
    return answer.body;
  };

  describe('create', () => {
    it('answers 201 with exactly id, name, the first key, what is in force and the time', async () => {
      const { status, body } = await app.master.post<{ api_key: string }>('/admin/tenants', { name: 'Acme' });
      expect(status).toBe(201);
      expect(body).toEqual({
        tenant_id: expect.stringMatching(/^tenant_[0-9a-f]{32}$/),
        name: 'Acme',
        api_key: expect.stringMatching(/^chatapi_/),
        effective: expect.objectContaining({
          limits: inForce(LIMIT_DEFAULTS),
          settings: inForce({ ...SETTING_DEFAULTS, webhook: null }),
        }),
        created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      });
      expect((await withKey(app, body.api_key).get('/rooms')).status).toBe(200);
    });

    it('gives the first key the scopes chat and admin', async () => {
      const { body } = await tenant.key.get<{ keys: { scopes: string[] }[] }>(`${path()}/keys`);
      expect(body.keys.map((key) => key.scopes)).toEqual([['chat', 'admin']]);
    });

    it('takes settings and limits along', async () => {
      const own = await app.tenant({ requests_per_second: 7, tokens_per_day: null }, { response_format: 'envelope' });
      const { body } = await app.master.get<TenantBody>(`/admin/tenants/${own.tenantId}`);
      expect(body.limits).toEqual({ ...LIMIT_DEFAULTS, requests_per_second: 7 });
      expect(body.settings).toEqual({ response_format: 'envelope' });
      expect(body.effective).toEqual({
        limits: {
          ...inForce(LIMIT_DEFAULTS),
          requests_per_second: { value: 7, default: 100, source: 'tenant' },
          // Said, though it is the default.
          tokens_per_day: { value: null, default: null, source: 'tenant' },
        },
        settings: {
          ...inForce({ ...SETTING_DEFAULTS, webhook: null }),
          response_format: { value: 'envelope', default: 'bare', source: 'tenant' },
        },
      });
    });

    it('tells in every answer what is in force, and whose word it is', async () => {
      const webhook = { url: 'https://example.com/hook', events: ['room.created'] };
      const changed = await patch({ settings: { webhook, presence_room_limit: 7 }, limits: { users: 5 } });
      expect(changed.effective).toMatchObject({
        limits: { users: { value: 5, default: null, source: 'tenant' } },
        settings: {
          webhook: { value: webhook, default: null, source: 'tenant' },
          presence_room_limit: { value: 7, default: 200, source: 'tenant' },
        },
      });
      expect((await tenant.key.get<TenantBody>(path())).body.effective).toEqual(changed.effective);
      const { body } = await app.master.get<Bodies['TenantPageDto']>('/admin/tenants?limit=100');
      expect(body.tenants.find(({ tenant_id }) => tenant_id === tenant.tenantId)?.effective).toEqual(changed.effective);
      const back = await patch({
        settings: { webhook: null, presence_room_limit: null },
        limits: { users: 'default' },
      });
      expect(back.effective.limits).toEqual(inForce(LIMIT_DEFAULTS));
      expect(back.effective.settings).toEqual(inForce({ ...SETTING_DEFAULTS, webhook: null }));
    });

    it.each([
      ['name', {}],
      ['name', { name: '' }],
      ['name', { name: null }],
      ['name', { name: 7 }],
      ['name', { name: 'x'.repeat(201) }],
      ['name', { name: '\ud800' }],
      ['status', { name: 'x', status: 'active' }],
      ['tenant_id', { name: 'x', tenant_id: UNKNOWN }],
      ['limits.nonsense', { name: 'x', limits: { nonsense: 1 } }],
    ])('refuses a bad %s', async (field, body) => {
      const answer = await app.master.post('/admin/tenants', body);
      expect([answer.status, errorOf(answer).field]).toEqual([400, field]);
    });

    it('needs the master key', async () => {
      expect((await tenant.key.post('/admin/tenants', { name: 'x' })).status).toBe(403);
      expect((await app.anonymous.post('/admin/tenants', { name: 'x' })).status).toBe(401);
    });
  });

  describe('list and get', () => {
    it('lists oldest first, in pages, for the master key only', async () => {
      const second = await app.tenant();
      const { body: all } = await app.master.get<{ total: number }>('/admin/tenants');
      const { body } = await app.master.get<{ tenants: TenantBody[]; has_more: boolean }>(
        `/admin/tenants?limit=2&offset=${all.total - 2}`,
      );
      expect(body.tenants.map((t) => t.tenant_id)).toEqual([tenant.tenantId, second.tenantId]);
      expect(body).toMatchObject({ total: all.total, limit: 2, offset: all.total - 2, has_more: false });
      expect((await tenant.key.get('/admin/tenants')).status).toBe(403);
    });

    it('shows a tenant with its limits in force, and never a key', async () => {
      const { body } = await tenant.key.get<TenantBody>(path());
      expect(body).toEqual({
        tenant_id: tenant.tenantId,
        name: 'test',
        status: 'active',
        effective: expect.anything(),
        settings: {},
        limits: LIMIT_DEFAULTS,
        created_at: expect.any(String),
        updated_at: expect.any(String),
      });
    });

    it.each([
      ['an unknown id', UNKNOWN] as const,
      ['a malformed id', 'tenant_x'] as const,
      ['a long id', 'x'.repeat(4000)],
    ])('%s is 404', async (_, id) => {
      const answer = await app.master.get(`/admin/tenants/${id}`);
      expect([answer.status, errorOf(answer).message]).toEqual([404, 'Tenant not found']);
    });

    it('an admin key sees its own tenant; another one is as if it did not exist', async () => {
      const other = await app.tenant();
      for (const method of ['GET', 'PATCH']) {
        const body = method === 'PATCH' ? { name: 'x' } : undefined;
        const theirs = await tenant.key.call(method, `/admin/tenants/${other.tenantId}`, body);
        const nobodys = await tenant.key.call(method, `/admin/tenants/${UNKNOWN}`, body);
        const { request_id: _a, ...one } = errorOf(theirs);
        const { request_id: _b, ...two } = errorOf(nobodys);
        expect([theirs.status, one]).toEqual([404, two]);
      }
    });
  });

  describe('change', () => {
    it('merges: what is not sent stays', async () => {
      await patch({
        settings: { response_format: 'envelope', presence_room_limit: 5 },
        limits: { chat_connections: 3 },
      });
      const body = await patch({
        name: 'New',
        settings: { presence_room_limit: 6, while_answering: 'reject' },
        limits: { ws_connections: 0 },
      });
      expect(body).toMatchObject({ name: 'New', status: 'active' });
      expect(body.settings).toEqual({ response_format: 'envelope', presence_room_limit: 6, while_answering: 'reject' });
      expect(body.limits).toEqual({ ...LIMIT_DEFAULTS, chat_connections: 3, ws_connections: 0 });
    });

    it('null takes a setting back to its default', async () => {
      await patch({ settings: { response_format: 'envelope', presence_room_limit: 5 } });
      expect((await patch({ settings: { response_format: null } })).settings).toEqual({ presence_room_limit: 5 });
    });

    it('a limit is a number, 0, null for unlimited, or "default"', async () => {
      const names = Object.keys(LIMIT_DEFAULTS);
      const all = (value: unknown): object => ({ limits: Object.fromEntries(names.map((name) => [name, value])) });
      for (const value of [17, 0, 1_000_000_000, null])
        expect((await patch(all(value))).limits).toEqual(Object.fromEntries(names.map((name) => [name, value])));
      expect((await patch(all('default'))).limits).toEqual(LIMIT_DEFAULTS);
    });

    it.each([-1, 1.5, '7', 'unlimited', true, 1_000_000_001, [], {}])(
      'refuses the limit %j and names it',
      async (value) => {
        const answer = await app.master.patch(path(), { limits: { ws_connections: value } });
        expect([answer.status, errorOf(answer).field]).toEqual([400, 'limits.ws_connections']);
        expect(errorOf(answer).message).toContain('limits.ws_connections');
      },
    );

    it.each([
      ['limits', 'requests_per_minute'],
      ['limits', 'Requests_Per_Second'],
      ['settings', 'retention_weeks'],
      ['settings', 'constructor'],
      ['settings', 'toString'],
    ])('refuses %s.%s, which is not known (yet), by name', async (group, name) => {
      const answer = await app.master.patch(path(), { [group]: { [name]: 1 } });
      expect(answer.status).toBe(400);
      expect(errorOf(answer)).toMatchObject({ field: `${group}.${name}`, message: `Unknown field: ${group}.${name}` });
    });

    it.each([
      ['response_format', 'xml'],
      ['while_answering', 'wait'],
      ['presence_room_limit', -1],
      ['allowed_origins', 'https://a.example'],
      ['allowed_origins', ['*']],
      ['allowed_origins', ['https://a.example/app']],
      ['allowed_origins', ['https://good.example', 'https://a.*.example']],
      ['allowed_origins', ['ftp://a.example']],
    ])('refuses the setting %s %j', async (name, value) => {
      const answer = await app.master.patch(path(), { settings: { [name]: value } });
      expect(answer.status).toBe(400);
      expect(errorOf(answer).field).toMatch(new RegExp(`^settings\\.${name}`));
    });

    it('refuses several at once and lists them', async () => {
      const answer = await app.master.patch(path(), { name: '', status: 'gone', limits: { ws_connections: -1 } });
      const { field, details } = errorOf(answer);
      const fields = (details?.['errors'] as { field: string }[]).map((error) => error.field);
      expect([...fields].sort()).toEqual(['limits.ws_connections', 'name', 'status']);
      expect(field).toBe(fields[0]);
    });

    it('an admin key changes name and settings; status and limits need the master key', async () => {
      expect(await patch({ name: 'Mine', settings: { response_format: 'bare' } }, tenant.key)).toMatchObject({
        name: 'Mine',
      });
      for (const body of [{ status: 'suspended' }, { limits: { requests_per_second: null } }, { limits: {} }]) {
        const answer = await tenant.key.patch(path(), { name: 'Not this', ...body });
        expect([answer.status, errorOf(answer).code]).toEqual([403, 'AUTHORIZATION_ERROR']);
      }
      expect((await tenant.key.get(path())).body).toMatchObject({ name: 'Mine', status: 'active' });
    });

    it('is in force at once: the response format of the next answer', async () => {
      const alice = tenant.as('alice');
      expect((await alice.get('/rooms')).body).toHaveProperty('rooms');
      await patch({ settings: { response_format: 'envelope' } });
      expect((await alice.get('/rooms')).body).toEqual({ success: true, data: expect.anything(), error: null });
      const bare = await alice.get('/rooms', { headers: { 'x-response-format': 'bare' } });
      expect(bare.body).toHaveProperty('rooms');
      await patch({ settings: { response_format: null } });
      expect((await alice.get('/rooms')).body).toHaveProperty('rooms');
    });

    it('by another server is in force within 5 s', async () => {
      const alice = tenant.as('alice');
      expect((await alice.get('/rooms')).status).toBe(200);
      await app.database.sql(`UPDATE tenants SET limits = '{"requests_per_second": 0}' WHERE tenant_id = $1`, [
        uuidOf(tenant.tenantId),
      ]);
      await until(
        async () => (await alice.get('/rooms')).status,
        (status) => status === 429,
      );
    });

    it('two at once both count', async () => {
      await Promise.all([patch({ settings: { presence_room_limit: 9 } }), patch({ limits: { chat_connections: 9 } })]);
      expect((await app.master.get<TenantBody>(path())).body).toMatchObject({
        settings: { presence_room_limit: 9 },
        limits: { chat_connections: 9 },
      });
    });
  });
});
