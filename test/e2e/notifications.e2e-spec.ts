import type { TestTenant } from '../support/app';
import { bearer, mintToken } from '../support/auth';
import { requestErase } from '../support/erase';
import { exported } from '../support/exports';
import { notify, inboxOf, NOTIFICATION_DEFAULTS, whenDelivered } from '../support/notifications';
import { badField, bodyOf, createRoom, FORBIDDEN, NOT_FOUND, refusal } from '../support/rooms';
import { rowsOf } from '../support/database';
import { uuidOf } from '../support/tenants';
import { checkFrame } from '../support/ws/asyncapi';
import type { ServerFrame, WsClient } from '../support/ws/client';
import { type SocketApp, startSocketApp } from '../support/ws/socket-app';

const UNKNOWN = '00000000000070008000000000000001';

let app: SocketApp;
let tenant: TestTenant;
const clients: WsClient[] = [];
let requests = 0;

beforeAll(async () => {
  app = await startSocketApp();
});
beforeEach(async () => {
  tenant = await app.tenant();
});
afterEach(async () => {
  for (const client of clients) for (const frame of client.frames) checkFrame(frame, 'server');
  await Promise.all(
    clients
      .splice(0)
      .filter(({ isOpen }) => isOpen)
      .map((client) => client.close()),
  );
});
afterAll(() => app.close());

async function open(userId = 'bob', of = tenant): Promise<WsClient> {
  const client = await app.open(of, userId);
  clients.push(client);
  await client.frame('hello');
  return client;
}

function ask(client: WsClient, type: string, fields: object): Promise<ServerFrame> {
  const request_id = `request-${++requests}`;
  client.send({ type, request_id, ...fields });
  return client.frame((frame) => frame['request_id'] === request_id);
}

const topicsOf = (client: WsClient): unknown[] =>
  client.frames.flatMap((frame) => (frame.type === 'notification' ? [frame['topic']] : []));

describe('POST /notify', () => {
  it('answers 202 and comes to users who are online, as it was sent', async () => {
    const bob = await open();
    const payload = { z: 1, a: [1, { b: null }], text: 'hällo 😀' };
    const answer = await tenant.key.post('/notify', {
      topic: 'order.shipped',
      payload,
      targets: { user_ids: ['bob'] },
    });
    expect(answer.status).toBe(202);
    const { notification_id, created_at } = answer.body;
    expect(notification_id).toMatch(/^notif_[0-9a-f]{32}$/);
    const frame = await bob.frame('notification');
    expect(frame).toEqual({ type: 'notification', notification_id, topic: 'order.shipped', payload, created_at });
    expect(JSON.stringify(frame['payload'])).toBe(JSON.stringify(payload));
  });

  it('goes to exactly the union of the targets, once each', async () => {
    const users = ['ann', 'ben', 'cat', 'dan', 'eve', 'fox'];
    const sockets = new Map(await Promise.all(users.map(async (user) => [user, await open(user)] as const)));
    const room = await createRoom(tenant.as('ann'), 'group', ['ben', 'cat']);
    await createRoom(tenant.as('ann'), 'group', ['fox']);
    for (const user of ['cat', 'dan']) bodyOf(await tenant.as(user).post('/subscriptions', { topic: 'news' }), 201);
    bodyOf(await tenant.as('fox').post('/subscriptions', { topic: 'newsletter' }), 201);
    const targets = { user_ids: ['ben', 'dan', 'dan'], room_id: room.room_id, topic_subscribers: true };
    const { notification_id } = await notify(tenant, { topic: 'news', targets });
    await notify(tenant, { topic: 'end', targets: { user_ids: users } });
    for (const [user, socket] of sockets) {
      await socket.many('notification', ['eve', 'fox'].includes(user) ? 1 : 2);
      // Notifications have no order among themselves (docs/adr/0018).
      const topics = topicsOf(socket).sort();
      expect([user, topics]).toEqual([user, ['eve', 'fox'].includes(user) ? ['end'] : ['end', 'news']]);
      const { notifications } = await inboxOf(tenant, user);
      expect([user, notifications.filter((n) => n.notification_id === notification_id).length]).toEqual([
        user,
        ['eve', 'fox'].includes(user) ? 0 : 1,
      ]);
    }
  });

  it('does not go to who left the room, unsubscribed, or came later', async () => {
    const room = await createRoom(tenant.as('ann'), 'channel', ['ben']);
    bodyOf(await tenant.as('ben').delete(`/rooms/${room.room_id}/members/ben`), 204);
    const { id } = bodyOf(await tenant.as('cat').post<{ id: string }>('/subscriptions', { topic: 'news' }), 201);
    bodyOf(await tenant.as('cat').delete(`/subscriptions/${id}`), 204);
    await notify(tenant, { topic: 'news', targets: { room_id: room.room_id, topic_subscribers: true } });
    bodyOf(await tenant.as('dan').post(`/rooms/${room.room_id}/join`));
    bodyOf(await tenant.as('eve').post('/subscriptions', { topic: 'news' }), 201);
    await notify(tenant, { topic: 'end', targets: { user_ids: ['ann', 'ben', 'cat', 'dan', 'eve'] } });
    for (const [user, total] of [
      ['ann', 2],
      ['ben', 1],
      ['cat', 1],
      ['dan', 1],
      ['eve', 1],
    ] as const)
      expect([user, (await inboxOf(tenant, user)).total]).toEqual([user, total]);
  });

  it('with more targets than one batch takes reaches every one of them', async () => {
    const subscribers = Array.from({ length: 2500 }, (_, i) => `user${String(i).padStart(4, '0')}`);
    await app.database.sql(
      `INSERT INTO subscriptions (tenant_id, subscription_id, user_id, topic)
       SELECT $1, gen_random_uuid(), u, 'big' FROM unnest($2::text[]) u`,
      [uuidOf(tenant.tenantId), subscribers],
    );
    const sockets = await Promise.all(['user0000', 'user1500', 'user2499'].map((user) => open(user)));
    const { notification_id } = await notify(tenant, { topic: 'big', targets: { topic_subscribers: true } });
    for (const socket of sockets) expect(await socket.frame('notification')).toMatchObject({ notification_id });
    const [row] = await app.database.sql<{ n: number }>(
      'SELECT count(*)::int AS n FROM notification_deliveries WHERE notification_id = $1',
      [uuidOf(notification_id)],
    );
    expect(row?.n).toBe(2500);
  });

  it.each<[string, object, object]>([
    ['no topic', { topic: undefined }, badField('topic')],
    ['an empty topic', { topic: '' }, badField('topic')],
    ['a topic that is too long', { topic: 'x'.repeat(129) }, badField('topic')],
    ['a topic with a space', { topic: 'a b' }, badField('topic')],
    ['a topic with a line break', { topic: 'a\n' }, badField('topic')],
    ['a topic with NUL', { topic: 'a\0' }, badField('topic')],
    ['a topic with an emoji', { topic: '😀' }, badField('topic')],
    ['a topic that is no text', { topic: 5 }, badField('topic')],
    ['no payload', { payload: undefined }, badField('payload')],
    ['a payload that is a list', { payload: [] }, badField('payload')],
    ['a payload that is text', { payload: '{}' }, badField('payload')],
    ['a payload that is null', { payload: null }, badField('payload')],
    ['a payload with NUL', { payload: { a: '\0' } }, badField('payload')],
    ['a payload over 16 KB', { payload: { a: 'x'.repeat(16 * 1024) } }, badField('payload')],
    ['no targets', { targets: undefined }, badField('targets')],
    ['empty targets', { targets: {} }, badField('targets')],
    ['targets that name nobody', { targets: { user_ids: [], topic_subscribers: false } }, badField('targets')],
    [
      '1,001 users',
      { targets: { user_ids: Array.from({ length: 1001 }, (_, i) => `u${i}`) } },
      badField('targets.user_ids'),
    ],
    ['a user id with a comma', { targets: { user_ids: ['a,b'] } }, badField('targets.user_ids')],
    ['an agent', { targets: { user_ids: ['agent_x'] } }, badField('targets.user_ids')],
    ['users that are no list', { targets: { user_ids: 'bob' } }, badField('targets.user_ids')],
    ['an unknown field', { targets: { users: ['bob'] } }, badField('targets.users')],
    ['a room that does not exist', { targets: { user_ids: ['bob'], room_id: `room_${UNKNOWN}` } }, NOT_FOUND],
    ['a room id that is none', { targets: { user_ids: ['bob'], room_id: 'room' } }, NOT_FOUND],
  ])('refuses %s and stores nothing', async (_, change, expected) => {
    const before = await rowsOf(app.database, uuidOf(tenant.tenantId));
    const answer = await tenant.key.post('/notify', { ...NOTIFICATION_DEFAULTS, ...change });
    const { field, ...rest } = refusal(answer);
    expect({ ...rest, ...(field === undefined ? {} : { field: field.replace(/\[\d+\]$/, '') }) }).toEqual(expected);
    expect(await rowsOf(app.database, uuidOf(tenant.tenantId))).toEqual(before);
  });

  it('knows no room of another tenant, and none that was deleted', async () => {
    const theirs = await createRoom((await app.tenant()).as('ann'), 'group', ['bob']);
    const ours = await createRoom(tenant.as('ann'), 'group', ['bob']);
    bodyOf(await tenant.as('ann').delete(`/rooms/${ours.room_id}`), 204);
    for (const { room_id } of [theirs, ours])
      expect(refusal(await tenant.key.post('/notify', { ...NOTIFICATION_DEFAULTS, targets: { room_id } }))).toEqual(
        NOT_FOUND,
      );
  });

  it('is for keys alone', async () => {
    const { token } = await mintToken(tenant.key, 'bob');
    const answer = await bearer(app.anonymous, token).post('/notify', NOTIFICATION_DEFAULTS);
    expect(refusal(answer)).toEqual(FORBIDDEN);
    expect((await app.anonymous.post('/notify', NOTIFICATION_DEFAULTS)).status).toBe(401);
  });

  it('beyond the limit of users stores nothing', async () => {
    const small = await app.tenant({ users: 2 });
    const told = (user_ids: string[]) =>
      small.key.post('/notify', { topic: 'a', payload: {}, targets: { user_ids, topic_subscribers: true } });
    bodyOf(await small.as('ann').post('/subscriptions', { topic: 'a' }), 201);
    expect(await told(['ben', 'cat'])).toMatchObject({ body: { error: { details: { limit: 'users' } } } });
    expect((await inboxOf(small, 'ann')).total).toBe(0);
    expect((await told(['ben'])).status).toBe(202);
    const late = await small.as('cat').post('/subscriptions', { topic: 'a' });
    expect(late).toMatchObject({ body: { error: { details: { limit: 'users' } } } });
  });

  it('with an Idempotency-Key happens once', async () => {
    const bob = await open();
    const send = (body: object = NOTIFICATION_DEFAULTS) =>
      tenant.key.post('/notify', body, { headers: { 'Idempotency-Key': 'once' } });
    const [first, again] = [await send(), await send()];
    expect(again.status).toBe(202);
    expect(again.body).toEqual(first.body);
    expect(again.headers.get('idempotent-replayed')).toBe('true');
    expect((await send({ ...NOTIFICATION_DEFAULTS, topic: 'other' })).status).toBe(422);
    await notify(tenant, { topic: 'end', targets: { user_ids: ['bob'] } });
    await bob.many('notification', 2);
    expect(topicsOf(bob).sort()).toEqual(['end', NOTIFICATION_DEFAULTS.topic]);
  });
});

describe('a user who is offline', () => {
  it('gets what waited on connect, in order, and only once', async () => {
    for (let i = 0; i < 120; i++) await notify(tenant, { topic: `t${i}`, targets: { user_ids: ['bob'] } });
    const bob = await open();
    await bob.many('notification', 120);
    expect(topicsOf(bob)).toEqual(Array.from({ length: 120 }, (_, i) => `t${i}`));
    await whenDelivered(tenant, 'bob');
    const again = await open();
    await notify(tenant, { topic: 'new', targets: { user_ids: ['bob'] } });
    await again.frame('notification');
    expect(topicsOf(again)).toEqual(['new']);
  });

  it('misses nothing while connections come and go', async () => {
    const sending = Array.from({ length: 60 }, (_, i) =>
      notify(tenant, { topic: `t${i}`, targets: { user_ids: ['bob'] } }),
    );
    const sockets = await Promise.all([open(), open(), open()]);
    const ids = (await Promise.all(sending)).map(({ notification_id }) => notification_id);
    await whenDelivered(tenant, 'bob');
    const got = new Set(
      sockets.flatMap(({ frames }) => frames.flatMap((f) => (f.type === 'notification' ? [f['notification_id']] : []))),
    );
    expect(ids.filter((id) => !got.has(id))).toEqual([]);
  });

  it('has it in the inbox, newest first, and marks it read', async () => {
    const first = await notify(tenant, { topic: 'first', targets: { user_ids: ['bob'] } });
    const second = await notify(tenant, { topic: 'second', payload: { n: 2 }, targets: { user_ids: ['bob', 'cat'] } });
    const inbox = await inboxOf(tenant, 'bob');
    expect(inbox).toEqual({
      notifications: [
        { ...second, topic: 'second', payload: { n: 2 }, delivered_at: null, read_at: null },
        { ...first, topic: 'first', payload: NOTIFICATION_DEFAULTS.payload, delivered_at: null, read_at: null },
      ],
      unread_count: 2,
      total: 2,
      offset: 0,
      limit: 50,
      has_more: false,
    });
    const path = `/notifications/${first.notification_id}/read`;
    expect(bodyOf(await tenant.as('bob').post(path))).toEqual({ success: true });
    expect(bodyOf(await tenant.as('bob').post(path))).toEqual({ success: true });
    const after = await inboxOf(tenant, 'bob', '?limit=1&offset=1');
    expect(after).toMatchObject({ unread_count: 1, total: 2, has_more: false });
    expect(after.notifications).toMatchObject([{ topic: 'first', read_at: expect.any(String) }]);
    expect((await inboxOf(tenant, 'cat')).unread_count).toBe(1);
    const bob = await open();
    await bob.frame('notification');
    await notify(tenant, { topic: 'end', targets: { user_ids: ['bob'] } });
    await bob.many('notification', 2);
    expect(topicsOf(bob)).toEqual(['second', 'end']);
  });

  it.each(['/notifications?limit=101', '/notifications?limit=0', '/notifications?offset=-1', '/subscriptions?limit=x'])(
    'refuses %s',
    async (path) => {
      expect((await tenant.as('bob').get(path)).status).toBe(400);
    },
  );
});

describe('notification.ack', () => {
  it('is answered when it is stored, for every device', async () => {
    const [phone, desktop] = [await open(), await open()];
    const { notification_id } = await notify(tenant, { topic: 'x', targets: { user_ids: ['bob'] } });
    for (const device of [phone, desktop]) await device.frame('notification');
    for (const device of [phone, desktop]) {
      const acked = await ask(device, 'notification.ack', { notification_id });
      expect(acked).toEqual({ type: 'notification.acked', request_id: acked['request_id'], notification_id });
    }
    const [stored] = (await inboxOf(tenant, 'bob')).notifications;
    expect(stored?.delivered_at).toEqual(expect.any(String));
  });

  it('what an acknowledging connection did not acknowledge is sent again on the next one', async () => {
    const first = await notify(tenant, { topic: 'first', targets: { user_ids: ['bob'] } });
    const bob = await open();
    await bob.frame('notification');
    await ask(bob, 'notification.ack', { data: { notification_id: first.notification_id } });
    await notify(tenant, { topic: 'second', targets: { user_ids: ['bob'] } });
    await bob.many('notification', 2);
    await bob.close();
    const again = await open();
    expect(await again.frame('notification')).toMatchObject({ topic: 'second' });
  });

  it('is refused for what is not the user’s own', async () => {
    const bob = await open();
    const { notification_id } = await notify(tenant, { topic: 'x', targets: { user_ids: ['cat'] } });
    for (const id of [notification_id, `notif_${UNKNOWN}`, 'notif', ''])
      expect(await ask(bob, 'notification.ack', { notification_id: id })).toMatchObject({ code: 'NOT_FOUND' });
    expect(await ask(bob, 'notification.ack', {})).toMatchObject({ code: 'VALIDATION_ERROR' });
    expect(refusal(await tenant.as('bob').post(`/notifications/${notification_id}/read`))).toEqual(NOT_FOUND);
    expect((await inboxOf(tenant, 'cat')).notifications).toMatchObject([{ delivered_at: null, read_at: null }]);
  });
});

describe('tenants', () => {
  it('see nothing of each other: users, topics and ids of the same name', async () => {
    const other = await app.tenant();
    for (const each of [tenant, other]) bodyOf(await each.as('bob').post('/subscriptions', { topic: 'news' }), 201);
    const stranger = await open('bob', other);
    const targets = { user_ids: ['bob'], topic_subscribers: true };
    const { notification_id } = await notify(tenant, { topic: 'news', targets });
    expect(await inboxOf(other, 'bob')).toMatchObject({ total: 0, unread_count: 0 });
    expect(refusal(await other.as('bob').post(`/notifications/${notification_id}/read`))).toEqual(NOT_FOUND);
    expect(await ask(stranger, 'notification.ack', { notification_id })).toMatchObject({ code: 'NOT_FOUND' });
    await notify(other, { topic: 'own', targets: { user_ids: ['bob'] } });
    await stranger.frame('notification');
    expect(topicsOf(stranger)).toEqual(['own']);
  });
});

describe('who has only subscribed or been notified', () => {
  it('is a user: is listed, exported, and can be erased', async () => {
    bodyOf(await tenant.as('keen').post('/subscriptions', { topic: 'a' }), 201);
    await notify(tenant, { topic: 'a', targets: { user_ids: ['told'] } });
    const users = bodyOf(
      await app.master.get<{ items: { user_id: string }[] }>(`/admin/users?tenant_id=${tenant.tenantId}`),
    ).items;
    expect(users.map(({ user_id }) => user_id)).toEqual(['keen', 'told']);
    for (const user of ['keen', 'told']) {
      const kinds = (await exported(app.master, tenant, user)).lines.map(({ kind }) => kind);
      expect(kinds).toContain(user === 'keen' ? 'subscription' : 'notification');
      await requestErase(app, tenant, user);
    }
  });
});

describe('subscriptions', () => {
  it('are made once per topic, listed, and ended', async () => {
    const bob = tenant.as('bob');
    const made = bodyOf(await bob.post<{ id: string }>('/subscriptions', { topic: 'a' }), 201);
    expect(made).toEqual({
      id: expect.stringMatching(/^sub_[0-9a-f]{32}$/),
      subscriber_id: 'bob',
      topic: 'a',
      created_at: expect.any(String),
    });
    expect(bodyOf(await bob.post('/subscriptions', { topic: 'a' }))).toEqual(made);
    const second = bodyOf(await bob.post<{ id: string }>('/subscriptions', { topic: 'b' }), 201);
    bodyOf(await tenant.as('cat').post('/subscriptions', { topic: 'a' }), 201);
    const page = { total: 2, offset: 0, limit: 50, has_more: false };
    expect(bodyOf(await bob.get('/subscriptions'))).toEqual({ subscriptions: [made, second], ...page });
    expect(refusal(await tenant.as('cat').delete(`/subscriptions/${made.id}`))).toEqual(NOT_FOUND);
    bodyOf(await bob.delete(`/subscriptions/${made.id}`), 204);
    expect(refusal(await bob.delete(`/subscriptions/${made.id}`))).toEqual(NOT_FOUND);
    expect(refusal(await bob.delete('/subscriptions/sub'))).toEqual(NOT_FOUND);
    expect(bodyOf(await bob.get<{ total: number }>('/subscriptions')).total).toBe(1);
  });

  it.each([{}, { topic: '' }, { topic: 'ä' }, { topic: 'x'.repeat(129) }, { topic: null }])(
    'refuses %j',
    async (body) => {
      expect(refusal(await tenant.as('bob').post('/subscriptions', body))).toEqual(badField('topic'));
    },
  );

  it('made by many calls at once is one', async () => {
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => tenant.as('bob').post<{ id: string }>('/subscriptions', { topic: 'race' })),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([...Array<number>(9).fill(200), 201]);
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1);
  });
});
