import { startTestApp, type TestApp, type TestTenant } from '../support/app';
import { bearer, mintToken } from '../support/auth';
import { type Api, type Bodies, errorOf } from '../support/http/api';
import { createPreset, dataOf, type Enveloped, type PresetBody } from '../support/models';
import { createKey } from '../support/tenants';

type Page = Bodies['PresetPageDto'];

const DEFAULT = {
  name: 'default',
  systemPrompt: 'You are a helpful assistant.',
  model: null,
  temperature: null,
  maxTokens: null,
  topP: null,
  stop: null,
  reasoningEffort: null,
  responseFormat: null,
  seed: null,
  contextMessages: 20,
  contextTokens: null,
  keepReasoning: false,
};

describe('presets', () => {
  let app: TestApp;
  let tenant: TestTenant;

  beforeAll(async () => {
    app = await startTestApp();
  });
  beforeEach(async () => {
    tenant = await app.tenant();
  });
  afterAll(() => app.close());

  const read = async (name: string, by: Api = tenant.key): Promise<PresetBody> =>
    dataOf(await by.get<Enveloped<PresetBody>>(`/api/presets/${name}`));
  const patch = async (name: string, body: object): Promise<PresetBody> =>
    dataOf(await tenant.key.patch<Enveloped<PresetBody>>(`/api/presets/${name}`, body));
  const list = async (query = ''): Promise<Page> =>
    dataOf(await tenant.key.get<Enveloped<Page>>(`/api/presets${query}`));

  it('are made, read, changed and deleted', async () => {
    const made = await createPreset(tenant.key, {
      model: 'gpt-4o',
      temperature: 0.25,
      maxTokens: 500,
      contextMessages: 0,
    });
    expect(made).toMatchObject({
      name: 'support',
      systemPrompt: 'Be brief.',
      model: 'gpt-4o',
      temperature: 0.25,
      maxTokens: 500,
    });
    expect(made.contextMessages).toBe(0);
    expect(made.createdAt).toBeGreaterThan(1_600_000_000_000);
    expect(await read('support')).toEqual(made);
    expect(await patch('support', { temperature: null, model: null, systemPrompt: '' })).toMatchObject({
      ...{ systemPrompt: '', model: null, temperature: null, maxTokens: 500, createdAt: made.createdAt },
    });
    expect((await tenant.key.delete('/api/presets/support')).status).toBe(204);
    for (const method of ['GET', 'PATCH', 'DELETE'])
      expect(
        errorOf(await tenant.key.call(method, '/api/presets/support', method === 'PATCH' ? {} : undefined)).code,
      ).toBe('NOT_FOUND');
  });

  it('A7: say all that an answer may be asked for, each of which null takes away', async () => {
    const options = {
      topP: 0.5,
      stop: ['END', '\n\n'],
      reasoningEffort: 'low',
      responseFormat: {
        type: 'json_schema',
        json_schema: { name: 'answer', schema: { type: 'object' }, strict: true },
      },
      seed: 7,
      contextTokens: 4096,
    };
    expect(await createPreset(tenant.key, options)).toMatchObject(options);
    expect(await patch('support', { seed: null, stop: ['.'] })).toMatchObject({ ...options, seed: null, stop: ['.'] });
    const nothing = Object.fromEntries(Object.keys(options).map((name) => [name, null]));
    expect(await patch('support', nothing)).toMatchObject(nothing);
    expect(await patch('default', options)).toMatchObject(options);
    expect(await patch('default', { keepReasoning: true })).toMatchObject({ ...options, keepReasoning: true });
    expect(await patch('default', { topP: 0.1 })).toMatchObject({ topP: 0.1, keepReasoning: true });
    expect(await patch('default', { keepReasoning: false })).toMatchObject({ keepReasoning: false });
  });

  it('`default` is always there: it can be changed, and goes back when it is deleted', async () => {
    const untouched = { ...DEFAULT, createdAt: null, updatedAt: null };
    expect(await read('default')).toEqual(untouched);
    expect(await patch('default', { systemPrompt: 'Speak like a pirate.' })).toMatchObject({
      systemPrompt: 'Speak like a pirate.',
      contextMessages: 20,
    });
    expect((await read('default')).createdAt).not.toBeNull();
    expect((await patch('default', { contextMessages: 5 })).systemPrompt).toBe('Speak like a pirate.');
    for (let i = 0; i < 2; i++) expect((await tenant.key.delete('/api/presets/default')).status).toBe(204);
    expect(await read('default')).toEqual(untouched);
    const answer = await tenant.key.post('/api/presets', { name: 'default', systemPrompt: '' });
    expect(errorOf(answer)).toMatchObject({ code: 'CONFLICT', field: 'name' });
  });

  it('`default` is listed first, once, whether it was changed or not; the others by name', async () => {
    for (const name of ['zebra', 'a-1', 'a_1']) await createPreset(tenant.key, { name });
    for (const change of [() => Promise.resolve(), () => patch('default', { contextMessages: 1 })]) {
      await change();
      const page = await list();
      expect(page.presets.map(({ name }) => name)).toEqual(['default', 'a-1', 'a_1', 'zebra']);
      expect(page).toMatchObject({ total: 4, offset: 0, limit: 50, hasMore: false });
      const next = await list('?limit=2&offset=1');
      expect(next.presets.map(({ name }) => name)).toEqual(['a-1', 'a_1']);
      expect([next.total, next.hasMore]).toEqual([4, true]);
    }
  });

  it('have a name of their own, in their tenant', async () => {
    await createPreset(tenant.key);
    await createPreset((await app.tenant()).key);
    const answer = await tenant.key.post('/api/presets', { name: 'support', systemPrompt: '' });
    expect(errorOf(answer)).toMatchObject({ code: 'CONFLICT', field: 'name' });
  });

  it('are at most 100 beside `default`, also when many are made at once', async () => {
    for (let i = 0; i < 98; i++) await createPreset(tenant.key, { name: `p${i}` });
    await patch('default', { contextMessages: 1 });
    const more = Array.from({ length: 5 }, (_, i) =>
      tenant.key.post('/api/presets', { name: `x${i}`, systemPrompt: '' }),
    );
    expect((await Promise.all(more)).map(({ status }) => status).sort()).toEqual([201, 201, 409, 409, 409]);
  });

  it.each([
    ['name', { name: 'Upper' }],
    ['name', { name: '' }],
    ['name', { name: 'x'.repeat(65) }],
    ['name', { name: 'a b' }],
    ['systemPrompt', { systemPrompt: undefined }],
    ['systemPrompt', { systemPrompt: 'x'.repeat(32_768) }],
    ['systemPrompt', { systemPrompt: 'ü'.repeat(20_000) }],
    ['temperature', { temperature: 2.01 }],
    ['contextMessages', { contextMessages: 201 }],
    ['topP', { topP: 1.1 }],
    ['stop', { stop: [] }],
    ['stop', { stop: ['a', 'b', 'c', 'd', 'e'] }],
    ['stop[0]', { stop: [''] }],
    ['reasoningEffort', { reasoningEffort: 'huge' }],
    ['responseFormat', { responseFormat: { type: 'xml' } }],
    ['responseFormat', { responseFormat: { type: 'json_schema' } }],
    ['responseFormat', { responseFormat: { type: 'json_schema', json_schema: { name: 'a b', schema: {} } } }],
    ['responseFormat', { responseFormat: { type: 'json_schema', json_schema: { name: 'a' } } }],
    ['responseFormat', { responseFormat: { type: 'text', extra: 1 } }],
    ['seed', { seed: 1.5 }],
    ['keepReasoning', { keepReasoning: 'yes' }],
    ['contextTokens', { contextTokens: 100 }],
    ['contextMessages', { contextMessages: -1 }],
    ['maxTokens', { maxTokens: 0 }],
    ['system_prompt', { system_prompt: 'x' }],
  ])('refuse a bad %s', async (field, fields) => {
    const answer = await tenant.key.post('/api/presets', { name: 'support', systemPrompt: 'x', ...fields });
    expect(errorOf(answer)).toMatchObject({ code: 'VALIDATION_ERROR', field });
  });

  it('take a prompt of 32 KB, and no longer one by a change', async () => {
    await createPreset(tenant.key, { systemPrompt: 'x'.repeat(32_766) });
    const answer = await tenant.key.patch('/api/presets/support', { systemPrompt: 'x'.repeat(32_767) });
    expect(errorOf(answer)).toMatchObject({ code: 'VALIDATION_ERROR', field: 'systemPrompt' });
  });

  it.each([
    ['NUL', '%00'],
    ['a long text', 'x'.repeat(2000)],
    ['capitals', 'DEFAULT'],
    ['an emoji', '%F0%9F%9A%80'],
  ])('%s cannot be a name, and does not exist', async (_, name) => {
    expect((await tenant.key.get(`/api/presets/${name}`)).status).toBe(404);
  });

  it('A16: are read by every caller of the tenant and written by its admin keys; a user reads no system prompt', async () => {
    await createPreset(tenant.key);
    const user = bearer(app.anonymous, (await mintToken(tenant.key, 'alice')).token);
    const withScopes = async (scopes: string[]): Promise<Api> =>
      app.anonymous.with({ 'x-api-key': (await createKey(app, tenant, { scopes })).api_key });
    const [chatKey, adminKey] = [await withScopes(['chat']), await withScopes(['admin'])];
    for (const client of [tenant.key, tenant.as('alice'), chatKey, adminKey, user]) {
      const preset = await read('support', client);
      expect(preset).toMatchObject({ name: 'support', systemPrompt: client === user ? null : expect.any(String) });
      const list = await client.get<{ data: { presets: { systemPrompt: string | null }[] } }>('/api/presets');
      for (const { systemPrompt } of list.body.data.presets) expect(systemPrompt === null).toBe(client === user);
    }
    const writes = [
      ['POST', '/api/presets', { name: 'mine', systemPrompt: 'x' }],
      ['PATCH', '/api/presets/support', {}],
      ['DELETE', '/api/presets/support', undefined],
    ] as const;
    for (const [method, path, body] of writes) {
      for (const client of [user, chatKey])
        expect(errorOf(await client.call(method, path, body)).code).toBe('AUTHORIZATION_ERROR');
      expect((await app.anonymous.call(method, path, body)).status).toBe(401);
      expect((await adminKey.call(method, path, body)).status).toBeLessThan(300);
    }
  });

  it('are always in an envelope, with an error where that is asked for; errors are as everywhere', async () => {
    const plain = await tenant.key.get('/api/presets/default');
    expect(Object.keys(plain.body)).toEqual(['success', 'data']);
    const bare = await tenant.key.with({ 'x-response-format': 'bare' }).get('/api/presets/default');
    expect(bare.body).toEqual(plain.body);
    const asked = await tenant.key.with({ 'x-response-format': 'envelope' }).get('/api/presets/default');
    expect(asked.body).toEqual({ ...plain.body, error: null });
    const missing = await tenant.key.get('/api/presets/nobody');
    expect(missing.body).toMatchObject({ success: false, data: null, error: { code: 'NOT_FOUND' } });
  });

  it('count by the minute, and are refused as RATE_LIMITED', async () => {
    const slow = await app.tenant({ ai_requests_per_minute: 0 });
    const answer = await slow.key.get('/api/presets');
    expect(errorOf(answer)).toMatchObject({
      code: 'RATE_LIMITED',
      message: expect.stringMatching(/^Rate limit exceeded\. Try again in \d+ seconds?$/),
    });
    expect(answer.headers.get('x-ratelimit-limit')).toBe('0');
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    expect((await slow.as('alice').get('/rooms')).status).toBe(200);
    const text = (await app.anonymous.get<string>('/metrics')).body;
    expect(text).toContain('chatapi_rate_limited_total{family="ai"} 1');
  });
});
