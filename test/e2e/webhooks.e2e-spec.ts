import { startTestApp, type TestApp, type TestTenant } from '../support/app';
import { errorOf } from '../support/http/api';
import { notify } from '../support/notifications';
import { until } from '../support/poll';
import { bodyOf } from '../support/rooms';
import {
  type Answerer,
  deliveriesOf,
  type DeliveryBody,
  hookedTenant,
  Receiver,
  setWebhook,
  testWebhook,
} from '../support/webhooks/receiver';
import { WsClient } from '../support/ws/client';

let app: TestApp;
let receiver: Receiver;
let another: Receiver | undefined;
const clients: WsClient[] = [];

beforeAll(async () => {
  app = await startTestApp({
    env: {
      WEBHOOK_ALLOW_PRIVATE: 'true',
      WEBHOOK_RETRY_SECONDS: '1,1',
      WEBHOOK_TIMEOUT_MS: '1000',
      WEBHOOK_OFFLINE_DELAY_MS: '200',
    },
  });
});
afterAll(() => app.close());
beforeEach(async () => {
  receiver = await Receiver.start();
});
afterEach(async () => {
  expect(receiver.refused).toEqual([]);
  await Promise.all(clients.splice(0).map((client) => client.close()));
  await receiver.stop();
  await another?.stop();
  another = undefined;
});

async function connect(tenant: TestTenant, userId: string): Promise<WsClient> {
  const client = await WsClient.connect(app.url, { headers: tenant.as(userId).headers });
  clients.push(client);
  return client;
}

async function roomOf(tenant: TestTenant, members: readonly string[]): Promise<string> {
  const answer = await tenant.as('alice').post<{ room_id: string }>('/rooms', { type: 'group', name: 'r', members });
  return bodyOf(answer, 201).room_id;
}

async function say(tenant: TestTenant, roomId: string, content: string): Promise<string> {
  const answer = await tenant.as('alice').post<{ message_id: string }>(`/rooms/${roomId}/messages`, { content });
  return bodyOf(answer, 201).message_id;
}

function whenState(tenant: TestTenant, state: string, n = 1): Promise<readonly DeliveryBody[]> {
  return until(
    async () => (await deliveriesOf(app, tenant)).filter((each) => each.state === state),
    (found) => found.length >= n,
  );
}

describe('the settings of a webhook', () => {
  const path = (tenant: TestTenant): string => `/admin/tenants/${tenant.tenantId}`;

  it('show the secret once, and only when the URL is a new one', async () => {
    const tenant = await app.tenant();
    const first = await setWebhook(app, tenant, { url: receiver.url });
    expect(first).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    expect(await setWebhook(app, tenant, { url: receiver.url, events: ['room.created'] })).toBe('');
    const { body } = await app.master.get<{ settings: object }>(path(tenant));
    expect(body.settings).toEqual({ webhook: { url: receiver.url, events: ['room.created'] } });
    expect(JSON.stringify(body)).not.toContain('whsec_');
    const second = await setWebhook(app, tenant, { url: `${receiver.url}2` });
    expect(second).toMatch(/^whsec_/);
    expect(second).not.toBe(first);
    await setWebhook(app, tenant, null);
    expect((await app.master.get<{ settings: object }>(path(tenant))).body.settings).toEqual({});
    expect((await app.master.post(`${path(tenant)}/webhook/test`, {})).status).toBe(404);
    const [row] = await app.database.sql('SELECT * FROM webhooks WHERE secret IS NOT NULL AND secret LIKE $1', [
      '%whsec%',
    ]);
    expect(row).toBeUndefined();
  });

  it('are taken when a tenant is made', async () => {
    const settings = { webhook: { url: receiver.url } };
    const { body } = await app.master.post<{ webhook_secret?: string }>('/admin/tenants', { name: 'x', settings });
    expect(body.webhook_secret).toMatch(/^whsec_/);
  });

  it.each([
    'ftp://example.com/',
    'not a url',
    'http://user:secret@example.com/',
    'http://169.254.169.254/latest/meta-data',
    'http://0xA9FEA9FE/',
    // S33
    'http://unix:/tmp/x:/',
    'http:///example.com/',
    'https://example.com:0/',
    ' https://example.com/',
    'https:\\\\example.com/',
    'http://[fe80::1%25eth0]/',
    `https://example.com/${'x'.repeat(2048)}`,
    '',
  ])('refuse the URL %s', async (url) => {
    const tenant = await app.tenant();
    const answer = await app.master.patch(path(tenant), { settings: { webhook: { url } } });
    expect([answer.status, errorOf(answer).field]).toEqual([400, 'settings.webhook.url']);
  });

  it('refuse events that there are not', async () => {
    const tenant = await app.tenant();
    const webhook = { url: receiver.url, events: ['message.offline', 'message.read'] };
    expect((await app.master.patch(path(tenant), { settings: { webhook } })).status).toBe(400);
  });

  it('are the business of the tenant’s own admin keys', async () => {
    const [tenant, other] = [await hookedTenant(app, receiver), await app.tenant()];
    expect((await tenant.key.get(`${path(tenant)}/webhook`)).status).toBe(200);
    for (const answer of [
      await other.key.get(`${path(tenant)}/webhook`),
      await other.key.get(`${path(tenant)}/webhook/deliveries`),
      await other.key.post(`${path(tenant)}/webhook/test`, {}),
      await other.key.post(`${path(tenant)}/webhook/rotate`, {}),
    ])
      expect(answer.status).toBe(404);
  });

  it('a rotated secret signs at once, and the old one beside it for the overlap', async () => {
    const tenant = await hookedTenant(app, receiver);
    const old = receiver.secret;
    const rotate = async (body: object): Promise<string> =>
      bodyOf(await app.master.post<{ webhook_secret: string }>(`${path(tenant)}/webhook/rotate`, body)).webhook_secret;
    const next = await rotate({});
    for (const secret of [old, next]) {
      receiver.secret = secret;
      expect(await testWebhook(app, tenant)).toMatchObject({ state: 'delivered', status: 204 });
    }
    receiver.secret = await rotate({ overlap_seconds: 0 });
    expect(await testWebhook(app, tenant)).toMatchObject({ state: 'delivered' });
  });
});

describe('what is posted', () => {
  it('message.offline: to whom the message waits for, without a connection, as one call', async () => {
    const tenant = await hookedTenant(app, receiver);
    const room = await roomOf(tenant, ['bob', 'carol', 'dave', 'erin', 'frank', 'gina', 'hal']);
    await connect(tenant, 'bob');
    bodyOf(await tenant.as('frank').patch(`/rooms/${room}/me`, { muted_until: '2099-01-31T12:00:00Z' }));
    bodyOf(await tenant.as('gina').patch(`/rooms/${room}/me`, { notify: 'none' }));
    bodyOf(await tenant.as('hal').patch(`/rooms/${room}/me`, { notify: 'mentions' }));
    const messageId = await say(tenant, room, 'hello');
    bodyOf(await tenant.as('dave').post('/acks', { room_id: room, seq: 1 }));
    const [post] = await receiver.whenReceived('message.offline');
    expect(post?.data).toMatchObject({
      message: { message_id: messageId, room_id: room, seq: 1, content: 'hello', sender_id: 'alice' },
      room: { room_id: room, type: 'group', name: 'r' },
      user_ids: ['carol', 'erin'],
    });
    const [delivery] = await whenState(tenant, 'delivered');
    expect(delivery).toMatchObject({ webhook_id: post?.id, attempts: 1, status: 204, error: null });
    expect(delivery?.latency_ms).toBeGreaterThanOrEqual(0);
  });

  it('message.offline: at most 1,000 users a call, and every one of them once', async () => {
    const tenant = await hookedTenant(app, receiver);
    const names = (n: number): string[] => Array.from({ length: 600 }, (_, i) => `user${n}_${i}`);
    const room = await roomOf(tenant, names(0));
    bodyOf(await tenant.as('alice').post(`/rooms/${room}/members`, { user_ids: names(1) }));
    await say(tenant, room, 'hello');
    const posts = await receiver.whenReceived('message.offline', 2);
    const users = posts.map((post) => post.data['user_ids'] as string[]);
    expect(users.every((ids) => ids.length <= 1000)).toBe(true);
    expect(users.flat().sort()).toEqual([...names(0), ...names(1)].sort());
    expect(new Set(posts.map((post) => post.id)).size).toBe(2);
  });

  it('notification.offline, by default too', async () => {
    const tenant = await hookedTenant(app, receiver);
    await connect(tenant, 'bob');
    const { notification_id } = await notify(tenant, { targets: { user_ids: ['bob', 'carol'] } });
    const [post] = await receiver.whenReceived('notification.offline');
    expect(post?.data).toEqual({
      notification: { notification_id, topic: 'test', payload: { n: 1 }, created_at: expect.any(String) },
      user_ids: ['carol'],
    });
  });

  it('only what was asked for: message.created, room.created, member.joined and member.left', async () => {
    const tenant = await hookedTenant(app, receiver, [
      'message.created',
      'room.created',
      'member.joined',
      'member.left',
    ]);
    const room = await roomOf(tenant, ['bob']);
    const messageId = await say(tenant, room, 'hello');
    bodyOf(await tenant.as('alice').post(`/rooms/${room}/members`, { user_ids: ['carol', 'dave'] }));
    await tenant.as('carol').delete(`/rooms/${room}/members/carol`);
    const [created] = await receiver.whenReceived('room.created');
    expect(created?.data).toMatchObject({ room: { room_id: room } });
    const [message] = await receiver.whenReceived('message.created');
    expect(message?.data).toMatchObject({ message: { message_id: messageId }, room: { room_id: room } });
    const joined = await receiver.whenReceived('member.joined', 2);
    expect(joined.map(({ data }) => (data['member'] as { user_id: string }).user_id).sort()).toEqual(['carol', 'dave']);
    const [left] = await receiver.whenReceived('member.left');
    expect(left?.data).toMatchObject({ member: { user_id: 'carol', role: 'member' }, by: 'carol' });
    expect(receiver.of('message.offline')).toEqual([]);
  });

  it('nothing is stored for a tenant without a webhook', async () => {
    const tenant = await app.tenant();
    const room = await roomOf(tenant, ['bob']);
    await say(tenant, room, 'hello');
    const [row] = await app.database.sql<{ n: number }>(
      `SELECT count(*)::int AS n FROM jobs WHERE payload->>'room_id' = $1`,
      [room.replace('room_', '').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')],
    );
    expect(row?.n).toBe(0);
  });
});

describe('a target that fails', () => {
  it('is tried again under the same id, until it takes it', async () => {
    const tenant = await hookedTenant(app, receiver, ['room.created']);
    receiver.answer = (response, _received, n) => void response.writeHead(n < 3 ? 500 : 200).end(n < 3 ? 'oops' : 'ok');
    await roomOf(tenant, ['bob']);
    const posts = await receiver.whenReceived('room.created', 3);
    expect(new Set(posts.map((post) => post.id)).size).toBe(1);
    const [delivery] = await whenState(tenant, 'delivered');
    expect(delivery).toMatchObject({ attempts: 3, status: 200, answer: 'ok', error: null });
  });

  it('becomes a dead letter with the real error, which is replayed under the same id, and dropped', async () => {
    const tenant = await hookedTenant(app, receiver);
    receiver.answer = (response) => void response.writeHead(500).end('x'.repeat(5000));
    const room = await roomOf(tenant, ['bob']);
    await say(tenant, room, 'hello');
    const [dead] = await whenState(tenant, 'dead');
    expect(dead).toMatchObject({ attempts: 3, status: 500, error: 'HTTP 500', answer: 'x'.repeat(1024) });
    const letters = async (): Promise<readonly { id: string; webhook_id: string; error: string }[]> =>
      bodyOf(await tenant.key.get<{ failed_webhooks: [] }>('/admin/dead-letters')).failed_webhooks;
    const [letter] = await letters();
    expect(letter).toMatchObject({
      webhook_id: dead?.webhook_id,
      type: 'message.offline',
      attempts: 3,
      error: 'HTTP 500',
    });

    const replay = async (body: object): Promise<number> =>
      bodyOf(await tenant.key.post<{ replayed: number }>('/admin/dead-letters/replay', body)).replayed;
    expect(await replay({ filter: { kind: 'webhook', user_id: 'nobody' } })).toBe(0);
    receiver.answer = (response) => void response.writeHead(200).end();
    expect(await replay({ filter: { kind: 'webhook', room_id: room, user_id: 'bob' } })).toBe(1);
    expect(await replay({ ids: [letter?.id] })).toBe(0);
    const [delivered] = await whenState(tenant, 'delivered');
    expect(delivered).toMatchObject({ webhook_id: dead?.webhook_id, attempts: 1 });
    expect(await letters()).toEqual([]);
    expect(new Set(receiver.received.map((post) => post.id))).toEqual(new Set([dead?.webhook_id]));
    expect(receiver.received).toHaveLength(4);
  });

  it('whoever a notification could not be posted for has a dead letter with the error', async () => {
    const tenant = await hookedTenant(app, receiver);
    receiver.answer = (response) => void response.writeHead(503).end();
    const { notification_id } = await notify(tenant);
    await whenState(tenant, 'dead');
    const { body } = await tenant.key.get<{ failed_notifications: [] }>('/admin/dead-letters');
    expect(body.failed_notifications).toMatchObject([
      { notification_id, user_id: 'bob', attempts: 3, error: 'HTTP 503' },
    ]);
  });

  it('that is gone is disabled at once, what waits is given up, and setting it again enables it', async () => {
    const tenant = await hookedTenant(app, receiver, ['room.created']);
    receiver.answer = (response) => void response.writeHead(410).end();
    await roomOf(tenant, ['bob']);
    expect(await whenState(tenant, 'dead')).toMatchObject([{ attempts: 1, status: 410 }]);
    const get = async (): Promise<object> =>
      (await app.master.get<object>(`/admin/tenants/${tenant.tenantId}/webhook`)).body;
    expect(await get()).toMatchObject({ status: 'disabled', disabled_reason: 'the target answered 410 Gone' });
    await roomOf(tenant, ['carol']);
    expect(receiver.received).toHaveLength(1);
    await setWebhook(app, tenant, { url: receiver.url, events: ['room.created'] });
    expect(await get()).toMatchObject({ status: 'enabled', disabled_at: null });
    receiver.answer = (response) => void response.writeHead(204).end();
    await roomOf(tenant, ['dave']);
    await receiver.whenReceived('room.created', 2);
  });

  it('that asks for a while with Retry-After gets it', async () => {
    const tenant = await hookedTenant(app, receiver, ['room.created']);
    receiver.answer = (response) => void response.writeHead(429, { 'retry-after': '3600' }).end();
    await roomOf(tenant, ['bob']);
    await receiver.whenReceived('room.created');
    const wait = await until(
      async () =>
        (
          await app.database.sql<{ s: number }>(
            `SELECT extract(epoch FROM run_at - clock_timestamp())::float8 AS s FROM jobs
             WHERE kind = 'webhook.deliver' AND state = 'queued' AND attempts = 1`,
          )
        )[0]?.s,
      (seconds) => seconds !== undefined,
    );
    expect(wait).toBeGreaterThan(3000 * 0.8);
  });

  it('only for five days is disabled', async () => {
    const tenant = await hookedTenant(app, receiver, ['room.created']);
    receiver.answer = (response) => void response.writeHead(500).end();
    await roomOf(tenant, ['bob']);
    await whenState(tenant, 'dead');
    await app.database.sql(
      `UPDATE webhooks SET failing_since = failing_since - interval '5 days' WHERE failing_since IS NOT NULL`,
    );
    await roomOf(tenant, ['carol']);
    const { body } = await until(
      () => app.master.get<{ status: string }>(`/admin/tenants/${tenant.tenantId}/webhook`),
      ({ body: { status } }) => status === 'disabled',
    );
    expect(body).toMatchObject({ disabled_reason: 'only failures for 5 days' });
  });
});

const HOSTILE: readonly [string, Answerer, RegExp][] = [
  ['hangs', () => undefined, /within 1000 ms/],
  ['resets', (response) => void response.destroy(), /connection failed/],
  [
    'drips',
    (response) => {
      response.writeHead(200);
      const timer = setInterval(() => response.write('.'), 50);
      response.on('close', () => clearInterval(timer));
    },
    /within 1000 ms/,
  ],
  ['redirects', (response) => void response.writeHead(302, { location: '/other' }).end(), /redirects are not followed/],
];

describe('a hostile target', () => {
  it.each(HOSTILE)('that %s is recorded', async (_name, answer, error) => {
    const tenant = await hookedTenant(app, receiver);
    receiver.answer = answer;
    const tested = await testWebhook(app, tenant);
    expect(tested).toMatchObject({ type: 'webhook.test', state: 'failed', attempts: 1 });
    expect(tested.error).toMatch(error);
    expect(await deliveriesOf(app, tenant)).toEqual([tested]);
  });

  it('that answers 10 MB is read no further than it must, and its status counts', async () => {
    const tenant = await hookedTenant(app, receiver);
    receiver.answer = (response) => void response.writeHead(200).end('x'.repeat(10 * 1024 * 1024));
    expect(await testWebhook(app, tenant)).toMatchObject({ state: 'delivered', answer: 'x'.repeat(1024) });
  });

  it('that hangs delays no other tenant', async () => {
    const slow = await app.tenant();
    const slowReceiver = (another = await Receiver.start());
    slowReceiver.secret = await setWebhook(app, slow, { url: slowReceiver.url, events: ['room.created'] });
    slowReceiver.answer = () => undefined;
    for (let i = 0; i < 12; i++) await roomOf(slow, [`user${i}`]);
    await slowReceiver.whenReceived('room.created', 8);
    const tenant = await hookedTenant(app, receiver, ['room.created']);
    await roomOf(tenant, ['bob']);
    await receiver.whenReceived('room.created');
    expect((await whenState(slow, 'pending')).length).toBeGreaterThan(0);
  });
});
