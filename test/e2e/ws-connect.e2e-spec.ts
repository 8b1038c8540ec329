import { startTestApp, type TestApp, type TestTenant } from '../support/app';
import { WsClient } from '../support/ws/client';

describe('opening /ws', () => {
  let app: TestApp;
  let tenant: TestTenant;

  beforeAll(async () => {
    app = await startTestApp();
    tenant = await app.tenant();
  });
  afterAll(() => app.close());

  it('says hello first', async () => {
    const client = await WsClient.connect(app.url, { headers: { 'x-api-key': tenant.apiKey, 'x-user-id': 'alice' } });
    await client.frame('hello');
    expect(client.frames[0]).toEqual({
      type: 'hello',
      connection_id: expect.stringMatching(/^conn_[0-9a-f]{32}$/),
      user_id: 'alice',
      tenant_id: tenant.tenantId,
      epoch: 1,
      heartbeat_ms: 30_000,
      limits: { ws_messages_per_second: 10, other_frames_per_second: 100, frame_bytes: 262_144 },
    });
    await client.close();
  });
});
