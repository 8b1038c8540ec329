import { startTestApp, type TestApp } from '../support/app';
import { createRoom, sendAll } from '../support/rooms';

describe('metrics', () => {
  let app: TestApp;

  beforeAll(async () => {
    app = await startTestApp();
  });
  afterAll(() => app.close());

  /** Sum of a series over the label values that are given. */
  async function value(name: string, labels: Record<string, string> = {}): Promise<number> {
    const text = (await app.anonymous.get<string>('/metrics')).body;
    const wanted = Object.entries(labels).map(([label, text]) => `${label}="${text}"`);
    const lines = text.split('\n').filter((line) => line.startsWith(name) && /^[{ ]/.test(line.slice(name.length)));
    const fitting = lines.filter((line) => wanted.every((label) => line.includes(label)));
    return fitting.reduce((sum, line) => sum + Number(line.split(' ').pop()), 0);
  }

  it('count refused credentials, forbidden calls and calls over the limit', async () => {
    const tenant = await app.tenant({ requests_per_second: 0 });
    const chatOnly = await app.tenant();
    const { api_key } = (
      await app.master.post<{ api_key: string }>(`/admin/tenants/${chatOnly.tenantId}/keys`, { name: 'chat' })
    ).body;
    expect((await app.anonymous.get('/rooms')).status).toBe(401);
    expect((await app.anonymous.with({ 'x-api-key': api_key }).get(`/admin/tenants/${chatOnly.tenantId}`)).status).toBe(
      403,
    );
    expect((await tenant.as('alice').get('/rooms')).status).toBe(429);
    expect(await value('chatapi_auth_failures_total', { reason: 'unauthenticated' })).toBe(1);
    expect(await value('chatapi_auth_failures_total', { reason: 'forbidden' })).toBe(1);
    expect(await value('chatapi_rate_limited_total', { family: 'rooms' })).toBe(1);
    expect(await value('chatapi_errors_total', { code: 'RATE_LIMIT_EXCEEDED' })).toBe(1);
  });

  it('count requests by route and messages by what became of them, and name no tenant, user or room', async () => {
    const tenant = await app.tenant();
    const alice = tenant.as('a-user-of-the-metrics-test');
    const before = await value('chatapi_append_items_total', { status: 'new' });
    const { room_id } = await createRoom(alice, 'group');
    await sendAll(alice, room_id, ['one', 'two']);
    expect(await value('chatapi_append_items_total', { status: 'new' })).toBe(before + 2);
    const labels = { method: 'POST', route: '/rooms/:room_id/messages', status: '201' };
    expect(await value('chatapi_http_requests_total', labels)).toBe(2);
    const text = (await app.anonymous.get<string>('/metrics')).body;
    for (const name of [tenant.tenantId, room_id, 'a-user-of-the-metrics-test']) expect(text).not.toContain(name);
  });

  it('count jobs by state', async () => {
    const tenant = '01900000-0000-7000-8000-0000000000d2';
    await app.database.sql(
      `INSERT INTO jobs (tenant_id, kind, key, payload, state) VALUES ($1, 'k', 'a', '{}', 'queued'),
      ($1, 'k', 'b', '{}', 'queued'), ($1, 'k', 'c', '{}', 'dead')`,
      [tenant],
    );
    expect(await value('chatapi_jobs', { state: 'queued' })).toBe(2);
    expect(await value('chatapi_jobs', { state: 'dead' })).toBe(1);
    expect(await value('chatapi_jobs', { state: 'running' })).toBe(0);
  });
});

describe('METRICS_PUBLIC=false', () => {
  it('asks for the master key', async () => {
    const app = await startTestApp({ env: { METRICS_PUBLIC: 'false' } });
    try {
      expect((await app.anonymous.get('/metrics')).status).toBe(401);
      expect((await app.anonymous.with({ 'x-master-key': 'wrong' }).get('/metrics')).status).toBe(401);
      expect((await app.master.get('/metrics')).status).toBe(200);
    } finally {
      await app.close();
    }
  });
});
