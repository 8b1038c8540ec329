import { startTestApp, type TestApp, type TestTenant } from '../support/app';
import { type Answer, errorOf } from '../support/http/api';
import { SUBJECTS } from '../support/models/chat-model-fixture';
import { ProviderServer } from '../support/models/provider-server';
import { faults, type ProviderScript } from '../support/models/script';
import { type ChannelBody, createChannel, dataOf, type Enveloped } from '../support/models';

const SECRET = 'sk-secret-key';

interface Tested {
  readonly ok: boolean;
  readonly model: string;
  readonly latencyMs: number;
  readonly usage: { readonly promptTokens: number } | null;
  readonly error: { readonly reason: string; readonly hint: string; readonly providerMessage: string | null } | null;
}

let app: TestApp;
let tenant: TestTenant;

beforeAll(async () => {
  app = await startTestApp({ env: { CHANNEL_ALLOW_PRIVATE: 'true' } });
});
beforeEach(async () => {
  tenant = await app.tenant();
});
afterAll(() => app.close());

const test = (id: string): Promise<Answer<Enveloped<Tested>>> => tenant.key.post(`/api/channels/${id}/test`);

describe.each(Object.entries(SUBJECTS))('a channel of %s', (provider, { wire, asked }) => {
  let server: ProviderServer;

  beforeAll(async () => {
    server = await ProviderServer.start(wire);
  });
  afterEach(() => server.reset());
  afterAll(() => server.stop());

  const channel = (fields: object = {}): Promise<ChannelBody> =>
    createChannel(tenant.key, { provider, baseUrl: server.url, apiKey: SECRET, ...fields });

  it('answers chats', async () => {
    await channel({ model: 'm1' });
    server.next({ steps: [{ reasoning: 'hm' }, 'Hel', { bytewise: 'lö' }], usage: { prompt: 7, completion: 9 } });
    const answer = await tenant.key.post<Enveloped<object>>('/api/chat', { message: 'hello', userId: 'alice' });
    expect(dataOf(answer)).toMatchObject({
      response: 'Hellö',
      usage: { totalTokens: 16 },
    });
    expect(asked(await server.request(1))).toMatchObject({
      model: 'm1',
      texts: ['You are a helpful assistant.', 'hello'],
    });
  });

  it('is asked at the cost of its tenant, as long as a budget allows', async () => {
    const poor = await app.tenant({ tokens_per_day: 12 });
    const { id } = await createChannel(poor.key, { provider, baseUrl: server.url, apiKey: SECRET });
    const paid = (): Promise<Answer<Enveloped<Tested>>> => poor.key.post(`/api/channels/${id}/test`);
    server.next({ steps: ['Hi'], finish: 'length', usage: { prompt: 11, completion: 1 } });
    expect(dataOf(await paid())).toMatchObject({ ok: true });
    expect(errorOf(await paid())).toMatchObject({ code: 'QUOTA_EXCEEDED' });
    const said = await poor.key.post('/api/chat', { message: 'hello', userId: 'alice' });
    expect([said.status, errorOf(said).code]).toEqual([429, 'QUOTA_EXCEEDED']);
    expect(server.requests).toHaveLength(1);
  });

  it('is asked for one token, and tells what came, enabled or not', async () => {
    const { id } = await channel({ model: 'm1', enabled: false });
    server.next({ steps: ['Hi'], finish: 'length' });
    const tested = dataOf(await test(id));
    const usage = { promptTokens: 11, completionTokens: 1, totalTokens: 12, estimated: false };
    expect(tested).toEqual({ ok: true, model: 'm1', latencyMs: expect.any(Number), usage, error: null });
    expect(Number.isInteger(tested.latencyMs)).toBe(true);
    expect(asked(await server.request(1))).toMatchObject({ model: 'm1', maxTokens: 1 });
  });

  it.each<[string, ProviderScript]>([
    ['for thinking', { steps: [{ reasoning: 'hm' }], finish: 'length' }],
    ['for nothing that is shown', { steps: [], finish: 'length' }],
  ])('works where its token went %s', async (_, script) => {
    const { id } = await channel();
    server.next(script);
    expect(dataOf(await test(id))).toMatchObject({ ok: true, error: null });
  });

  it.each<[string, ProviderScript, object]>([
    ['a wrong key', faults.status(401), { reason: 'auth', status: 401, providerMessage: 'fault 401' }],
    ['an unknown model', faults.status(404), { reason: 'model', status: 404, providerMessage: 'fault 404' }],
    ['an error in its answer', faults.errorEvent(), { reason: 'provider', providerMessage: 'the model fell over' }],
    ['nothing', { steps: [] }, { reason: 'empty', status: null }],
    ['a cut', faults.cut(), { reason: 'provider', fault: expect.stringContaining('cut') }],
  ])('tells of %s what its page tells', async (_, script, error) => {
    const { id } = await channel();
    server.next(script);
    const answer = await test(id);
    const tested = dataOf(answer);
    expect(tested).toMatchObject({ ok: false, error });
    expect(tested.error?.hint).not.toBe('');
    expect(JSON.stringify(answer.body)).not.toMatch(/sk-secret|127\.0\.0\.1/);
    const page = dataOf(await tenant.key.get<Enveloped<ChannelBody>>(`/api/channels/${id}`));
    expect(page.lastFaults).toEqual([tested.error]);
  });

  it('is not closed by tests, however many of them fail', async () => {
    const { id } = await channel();
    server.otherwise = faults.status(500);
    for (let i = 0; i < 6; i++) expect(dataOf(await test(id)).ok).toBe(false);
    server.otherwise = {};
    expect((await tenant.key.post('/api/chat', { message: 'hello', userId: 'alice' })).status).toBe(200);
  });
});

describe('tests of channels', () => {
  it('ask the echo too', async () => {
    const { id } = await createChannel(tenant.key, { provider: 'echo' });
    expect(dataOf(await test(id))).toMatchObject({ ok: true, model: 'echo', error: null });
  });

  it('know no channel that is not there', async () => {
    const { id } = await createChannel((await app.tenant()).key);
    for (const each of [id, 'chan_1', 'environment']) expect(errorOf(await test(each)).code).toBe('NOT_FOUND');
  });

  it('say that nobody is there', async () => {
    const { id } = await createChannel(tenant.key, { baseUrl: 'http://127.0.0.1:1/v1' });
    expect(dataOf(await test(id))).toMatchObject({
      ...{ ok: false, usage: null },
      error: { reason: 'provider', fault: 'the connection failed (ECONNREFUSED)' },
    });
  });
});
