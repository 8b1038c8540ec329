import { startTestApp, type TestApp, type TestTenant } from '../support/app';
import { bearer, mintToken } from '../support/auth';
import { type Answer, type Api, type Bodies, errorOf } from '../support/http/api';
import { type ChannelBody, createChannel, dataOf, type Enveloped } from '../support/models';
import { createKey } from '../support/tenants';

const SECRET = 'sk-a-very-secret-key';

type Page = Bodies['ChannelPageDto'];

describe('model channels', () => {
  let app: TestApp;
  let tenant: TestTenant;

  beforeAll(async () => {
    app = await startTestApp();
  });
  beforeEach(async () => {
    tenant = await app.tenant();
  });
  afterAll(() => app.close());

  const get = (path: string): Promise<Answer<Enveloped<ChannelBody>>> => tenant.key.get(path);

  it('are made with defaults, and never show their key', async () => {
    const before = Date.now();
    const channel = await createChannel(tenant.key, { apiKey: SECRET });
    const { id, createdAt, updatedAt, ...rest } = channel;
    expect(id).toMatch(/^chan_[0-9a-f]{32}$/);
    expect(createdAt).toBeGreaterThanOrEqual(before - 60_000);
    expect(updatedAt).toBe(createdAt);
    expect(rest).toEqual({
      name: 'main',
      provider: 'openai-compatible',
      baseUrl: 'https://api.openai.com/v1',
      hasApiKey: true,
      model: 'gpt-4o-mini',
      priority: 0,
      weight: 1,
      enabled: true,
      maxTokens: null,
      temperature: null,
      timeoutMs: 600_000,
      timeouts: { firstMs: 120_000, idleMs: 60_000, totalMs: 600_000 },
      params: { maxTokensField: 'auto', streamOptions: 'auto', systemRole: 'system', extra: {} },
      models: {},
      authHeader: 'authorization',
      contextTokens: null,
      vision: false,
      prices: null,
      modelPrices: {},
      lastFaults: [],
    });
    const one = await get(`/api/channels/${id}`);
    expect(dataOf(one)).toEqual(channel);
    const all = await tenant.key.get('/api/channels');
    expect(JSON.stringify([one.body, all.body])).not.toContain(SECRET);
  });

  it('keep their key encrypted, each for itself', async () => {
    const { id } = await createChannel(tenant.key, { apiKey: SECRET });
    await createChannel(tenant.key, { apiKey: SECRET, name: 'other' });
    const rows = await app.database.sql<{ api_key: string }>(
      'SELECT api_key FROM model_channels WHERE api_key IS NOT NULL',
    );
    expect(new Set(rows.map((row) => row.api_key)).size).toBe(rows.length);
    expect(JSON.stringify(rows)).not.toContain(SECRET);
    expect(
      dataOf(await tenant.key.patch<Enveloped<ChannelBody>>(`/api/channels/${id}`, { apiKey: null })).hasApiKey,
    ).toBe(false);
  });

  it('are changed field by field; null takes an optional value away', async () => {
    const { id, ...made } = await createChannel(tenant.key, {
      apiKey: SECRET,
      maxTokens: 100,
      temperature: 0.7,
      weight: 3,
    });
    const patch = async (body: object): Promise<ChannelBody> =>
      dataOf(await tenant.key.patch<Enveloped<ChannelBody>>(`/api/channels/${id}`, body));
    const changed = await patch({ enabled: false, priority: 5, baseUrl: 'https://llm.example/v1/', model: 'big' });
    expect(changed).toMatchObject({
      ...made,
      enabled: false,
      priority: 5,
      baseUrl: 'https://llm.example/v1',
      model: 'big',
      updatedAt: expect.any(Number),
    });
    expect(await patch({ maxTokens: null, temperature: null })).toMatchObject({
      maxTokens: null,
      temperature: null,
      weight: 3,
      hasApiKey: true,
    });
    expect(await patch({})).toMatchObject({ enabled: false, model: 'big' });
  });

  it('A4, A7, A11: are told how to be asked and waited for, and changed in that field by field', async () => {
    const params = { maxTokensField: 'max_completion_tokens', streamOptions: false, extra: { top_k: 40 } };
    const { id, ...made } = await createChannel(tenant.key, {
      baseUrl: 'https://x.openai.azure.com/openai/deployments/d/?api-version=2024-06-01',
      authHeader: 'api-key',
      timeouts: { firstMs: 300_000, totalMs: 900_000 },
      params,
      models: { smart: 'gpt-5' },
      contextTokens: 2048,
      vision: true,
    });
    expect(made).toMatchObject({
      baseUrl: 'https://x.openai.azure.com/openai/deployments/d?api-version=2024-06-01',
      authHeader: 'api-key',
      timeoutMs: 900_000,
      timeouts: { firstMs: 300_000, idleMs: 60_000, totalMs: 900_000 },
      params: { ...params, systemRole: 'system' },
      models: { smart: 'gpt-5' },
      contextTokens: 2048,
      vision: true,
    });
    const patch = async (body: object): Promise<ChannelBody> =>
      dataOf(await tenant.key.patch<Enveloped<ChannelBody>>(`/api/channels/${id}`, body));
    expect(await patch({ timeouts: { idleMs: 5000 }, params: { systemRole: 'developer' } })).toMatchObject({
      timeouts: { firstMs: 300_000, idleMs: 5000, totalMs: 900_000 },
      params: { ...params, systemRole: 'developer' },
    });
    expect(await patch({ timeoutMs: 1000 })).toMatchObject({ timeoutMs: 1000, timeouts: { totalMs: 1000 } });
    const reset = { timeouts: { firstMs: null, totalMs: null }, models: {}, contextTokens: null };
    expect(await patch(reset)).toMatchObject({
      timeoutMs: 600_000,
      timeouts: { firstMs: 120_000, idleMs: 5000, totalMs: 600_000 },
      models: {},
      contextTokens: null,
      vision: true,
      authHeader: 'api-key',
    });
  });

  it.each([
    ['anthropic', 'https://api.anthropic.com/v1', 'claude-haiku-4-5', 'x-api-key'],
    ['google', 'https://generativelanguage.googleapis.com/v1beta', 'gemini-2.5-flash', 'x-goog-api-key'],
  ])(
    'of %s have defaults of their own, and what has no place in that protocol is refused',
    async (provider, ...own) => {
      const [baseUrl, model, authHeader] = own;
      const { id, ...made } = await createChannel(tenant.key, { provider });
      expect(made).toMatchObject({ provider, baseUrl, model, authHeader });
      const patch = (body: object): Promise<Answer<Enveloped<ChannelBody>>> =>
        tenant.key.patch(`/api/channels/${id}`, body);
      expect(dataOf(await patch({ authHeader: 'authorization' })).authHeader).toBe('authorization');
      expect(dataOf(await patch({ authHeader: null, params: { systemRole: 'user' } }))).toMatchObject({
        authHeader,
        params: { systemRole: 'user', maxTokensField: 'auto', streamOptions: 'auto' },
      });
      const strange = { params: { maxTokensField: 'max_completion_tokens' } };
      expect(errorOf(await patch(strange)).field).toBe('params.maxTokensField');
      expect(dataOf(await patch({ provider: 'openai-compatible', ...strange })).authHeader).toBe('authorization');
      expect(errorOf(await patch({ provider })).field).toBe('params.maxTokensField');
    },
  );

  it('are listed in the order in which they are tried', async () => {
    await createChannel(tenant.key, { name: 'b', priority: 1 });
    await createChannel(tenant.key, { name: 'c', priority: 0 });
    await createChannel(tenant.key, { name: 'a', priority: 1 });
    const page = dataOf(await tenant.key.get<Enveloped<Page>>('/api/channels'));
    expect(page).toMatchObject({ total: 3, offset: 0, limit: 50, hasMore: false });
    expect(page.channels.map(({ name }) => name)).toEqual(['c', 'a', 'b']);
    const next = dataOf(await tenant.key.get<Enveloped<Page>>('/api/channels?limit=1&offset=1'));
    expect([next.channels[0]?.name, next.total, next.hasMore]).toEqual(['a', 3, true]);
  });

  it('are gone when they are deleted', async () => {
    const { id } = await createChannel(tenant.key);
    expect((await tenant.key.delete(`/api/channels/${id}`)).status).toBe(204);
    for (const method of ['GET', 'PATCH', 'DELETE'])
      expect(
        errorOf(await tenant.key.call(method, `/api/channels/${id}`, method === 'PATCH' ? {} : undefined)).code,
      ).toBe('NOT_FOUND');
    await createChannel(tenant.key);
  });

  it('have a name of their own, in their tenant', async () => {
    await createChannel(tenant.key);
    const other = await createChannel(tenant.key, { name: 'other' });
    await createChannel((await app.tenant()).key);
    const body = { name: 'main', provider: 'echo' };
    expect(errorOf(await tenant.key.post('/api/channels', body))).toMatchObject({ code: 'CONFLICT', field: 'name' });
    expect(errorOf(await tenant.key.patch(`/api/channels/${other.id}`, { name: 'main' })).code).toBe('CONFLICT');
  });

  it('are at most 50, also when many are made at once', async () => {
    for (let i = 0; i < 48; i++) await createChannel(tenant.key, { name: `c${i}` });
    const more = Array.from({ length: 5 }, (_, i) =>
      tenant.key.post('/api/channels', { name: `x${i}`, provider: 'echo' }),
    );
    const statuses = (await Promise.all(more)).map(({ status }) => status).sort();
    expect(statuses).toEqual([201, 201, 409, 409, 409]);
  });

  it.each([
    ['provider', { provider: 'Anthropic' }],
    ['provider', { provider: undefined }],
    ['name', { name: '' }],
    ['name', { name: 'x'.repeat(101) }],
    ['baseUrl', { baseUrl: 'ftp://example.com' }],
    ['baseUrl', { baseUrl: 'https://user:pass@example.com' }],
    ['baseUrl', { baseUrl: 'https://example.com/v1?key=1' }],
    ['baseUrl', { baseUrl: 'http://127.0.0.1:11434/v1' }],
    ['baseUrl', { baseUrl: 'http://0x7f.1/v1' }],
    // S33
    ['baseUrl', { baseUrl: 'http://unix:/tmp/x:/' }],
    ['baseUrl', { baseUrl: 'http:example.com/v1' }],
    ['baseUrl', { baseUrl: 'https://example.com:/v1' }],
    ['baseUrl', { baseUrl: 'https://exam\tple.com/v1' }],
    ['baseUrl', { baseUrl: 'https://@example.com/v1' }],
    ['baseUrl', { baseUrl: 'http://[::ffff:169.254.169.254]/v1' }],
    ['temperature', { temperature: 2.1 }],
    ['temperature', { temperature: -0.1 }],
    ['temperature', { temperature: '1' }],
    ['maxTokens', { maxTokens: 0 }],
    ['timeoutMs', { timeoutMs: 1 }],
    ['timeouts.firstMs', { timeouts: { firstMs: 99 } }],
    ['timeouts.idleMs', { timeouts: { idleMs: '60000' } }],
    ['timeouts.totalMs', { timeouts: { totalMs: 3_600_001 } }],
    ['timeouts.totalMs', { timeoutMs: 1000, timeouts: { totalMs: 2000 } }],
    ['timeouts.first_ms', { timeouts: { first_ms: 1000 } }],
    ['params.maxTokensField', { params: { maxTokensField: 'tokens' } }],
    ['params.streamOptions', { params: { streamOptions: 'yes' } }],
    ['params.systemRole', { params: { systemRole: 'root' } }],
    ['params.extra', { params: { extra: [] } }],
    ['params.extra', { params: { extra: { model: 'x' } } }],
    ['params.extra', { params: { extra: { stream: false } } }],
    ['params.extra', { params: { extra: { a: 'x'.repeat(4096) } } }],
    ['params.maxTokensField', { provider: 'anthropic', params: { maxTokensField: 'max_tokens' } }],
    ['params.streamOptions', { provider: 'google', params: { streamOptions: false } }],
    ['params.systemRole', { provider: 'google', params: { systemRole: 'developer' } }],
    ['models', { models: { smart: 5 } }],
    ['models', { models: { smart: '' } }],
    ['models', { models: Object.fromEntries(Array.from({ length: 101 }, (_, i) => [`m${i}`, 'x'])) }],
    ['authHeader', { authHeader: 'x-key' }],
    ['contextTokens', { contextTokens: 255 }],
    ['priority', { priority: -1 }],
    ['weight', { weight: 1.5 }],
    ['base_url', { base_url: 'https://example.com' }],
  ])('refuse a bad %s: %j', async (field, fields) => {
    const answer = await tenant.key.post('/api/channels', { name: 'main', provider: 'openai-compatible', ...fields });
    expect(errorOf(answer)).toMatchObject({ code: 'VALIDATION_ERROR', field });
  });

  it('a URL is checked when it is changed, too', async () => {
    const { id } = await createChannel(tenant.key);
    const answer = await tenant.key.patch(`/api/channels/${id}`, { baseUrl: 'http://10.0.0.1/' });
    expect(errorOf(answer)).toMatchObject({ code: 'VALIDATION_ERROR', field: 'baseUrl' });
  });

  it('are the business of admin keys alone', async () => {
    const { id } = await createChannel(tenant.key);
    const { api_key } = await createKey(app, tenant);
    const callers: Record<string, [Api, number]> = {
      nobody: [app.anonymous, 401],
      master: [app.master, 401],
      'a chat key': [app.anonymous.with({ 'x-api-key': api_key }), 403],
      'a user': [bearer(app.anonymous, (await mintToken(tenant.key, 'alice')).token), 403],
    };
    for (const [name, [client, status]] of Object.entries(callers))
      for (const [method, path, body] of [
        ['GET', '/api/channels', undefined],
        ['POST', '/api/channels', { name: 'x', provider: 'echo' }],
        ['GET', `/api/channels/${id}`, undefined],
        ['PATCH', `/api/channels/${id}`, {}],
        ['DELETE', `/api/channels/${id}`, undefined],
      ] as const)
        expect([name, method, (await client.call(method, path, body)).status]).toEqual([name, method, status]);
    expect((await tenant.as('alice').get('/api/channels')).status).toBe(200);
  });

  it('are made once for one Idempotency-Key, and remember no key', async () => {
    const once = tenant.key.with({ 'idempotency-key': 'make-it' });
    const body = { name: 'main', provider: 'openai-compatible', apiKey: SECRET };
    const first = await once.post<Enveloped<ChannelBody>>('/api/channels', body);
    const again = await once.post<Enveloped<ChannelBody>>('/api/channels', body);
    expect([again.status, again.body, again.headers.get('idempotent-replayed')]).toEqual([201, first.body, 'true']);
    const stored = await app.database.sql('SELECT result FROM idempotency_keys');
    expect(JSON.stringify(stored)).not.toMatch(/sk-|"api_key"/);
  });
});

describe('CHANNEL_ALLOW_PRIVATE=true', () => {
  it('lets channels lead to this host', async () => {
    const app = await startTestApp({ env: { CHANNEL_ALLOW_PRIVATE: 'true' } });
    try {
      const { key } = await app.tenant();
      const { baseUrl } = await createChannel(key, { baseUrl: 'http://127.0.0.1:11434/v1' });
      expect(baseUrl).toBe('http://127.0.0.1:11434/v1');
    } finally {
      await app.close();
    }
  });
});
