import { startTestApp, type TestApp, type TestTenant } from '../support/app';
import { send } from '../support/messages';
import { until } from '../support/poll';
import { bodyOf, createRoom, type MemberBody, type RoomBody } from '../support/rooms';
import { closeAll, type ServerFrame, WsClient } from '../support/ws/client';

const UNKNOWN_ROOM = 'room_00000000000070008000000000000001';

describe('presence and typing on the socket', () => {
  let test: TestApp;
  let tenant: TestTenant;
  const clients: WsClient[] = [];

  beforeAll(async () => {
    test = await startTestApp();
    tenant = await test.tenant();
  });
  afterEach(() => closeAll(clients));
  afterAll(() => test.close());

  async function connect(userId: string, of: TestTenant = tenant): Promise<WsClient> {
    const headers = { 'x-api-key': of.apiKey, 'x-user-id': userId };
    const client = await WsClient.connect(test.url, { headers, query: { sync: 'manual' } });
    clients.push(client);
    await client.frame('presence.snapshot');
    return client;
  }

  const isUpdate = (userId: string, status: string) => (frame: ServerFrame) =>
    frame.type === 'presence.update' && frame['user_id'] === userId && frame['status'] === status;
  const isTyping = (room: RoomBody, userId: string, action: string) => (frame: ServerFrame) =>
    frame.type === 'typing' &&
    frame['room_id'] === room.room_id &&
    frame['user_id'] === userId &&
    frame['action'] === action;
  const isAnswerTo = (requestId: string) => (frame: ServerFrame) => frame['request_id'] === requestId;
  const member = async (room: RoomBody, by: string, userId: string): Promise<MemberBody | undefined> => {
    const members = bodyOf(await tenant.as(by).get<MemberBody[]>(`/rooms/${room.room_id}/members`));
    return members.find((each) => each.user_id === userId);
  };

  it('says after hello who is online, and tells of those who come and go', async () => {
    const room = await createRoom(tenant.as('p-ann'), 'group', ['p-ben', 'p-cid']);
    const ann = await connect('p-ann');
    const stranger = await connect('p-zoe');
    expect(ann.frames.map((frame) => frame.type).slice(0, 2)).toEqual(['hello', 'presence.snapshot']);
    expect(await ann.frame('presence.snapshot')).toEqual({ type: 'presence.snapshot', user_ids: [] });
    const ben = await connect('p-ben');
    expect(await ben.frame('presence.snapshot')).toEqual({ type: 'presence.snapshot', user_ids: ['p-ann'] });
    expect(await ann.frame(isUpdate('p-ben', 'online'))).toEqual({
      ...{ type: 'presence.update', user_id: 'p-ben', status: 'online' },
    });
    const path = `/rooms/${room.room_id}/presence`;
    const page = { total: 2, offset: 0, limit: 50, has_more: false };
    expect(bodyOf(await tenant.as('p-cid').get(path))).toEqual({ online: ['p-ann', 'p-ben'], ...page });
    expect(await member(room, 'p-ann', 'p-ben')).toMatchObject({ status: 'online', last_seen_at: null });

    await ben.close();
    await ann.frame(isUpdate('p-ben', 'offline'));
    expect(bodyOf(await tenant.as('p-cid').get(path))).toEqual({ online: ['p-ann'], ...page, total: 1 });
    const seen = await member(room, 'p-ann', 'p-ben');
    expect(seen).toMatchObject({ status: 'offline', last_seen_at: expect.stringMatching(/Z$/) });
    await stranger.settled();
    expect(stranger.frames.filter((frame) => frame.type === 'presence.update')).toEqual([]);
  });

  it('tells of all who come while the room that they share is synced again and again', async () => {
    const crowd = Array.from({ length: 20 }, (_, i) => `user${i}`);
    const syncing = await test.tenant();
    const room = await createRoom(syncing.as('eva'), 'group', crowd);
    const eva = await connect('eva', syncing);
    // As many as a connection may ask for at once.
    const syncs = (async () => {
      for (let asked = 1; asked < 100; asked++) {
        eva.send({ type: 'sync', room_id: room.room_id, after_seq: 0 });
        await eva.many('sync.complete', asked);
      }
    })();
    await Promise.all(crowd.map((userId) => connect(userId, syncing)));
    for (const userId of crowd) await eva.frame(isUpdate(userId, 'online'));
    await syncs;
  });

  it('tells nobody in rooms larger than the tenant’s limit, and answers for them', async () => {
    const small = await test.tenant(undefined, { presence_room_limit: 2 });
    const room = await createRoom(small.as('ann'), 'group', ['ben', 'cid']);
    await createRoom(small.as('ann'), 'group', ['cid']);
    const [ann, ben] = [await connect('ann', small), await connect('ben', small)];
    await connect('cid', small);
    await ann.frame(isUpdate('cid', 'online'));
    await ben.settled();
    expect(ben.frames.filter((frame) => frame.type === 'presence.update')).toEqual([]);
    const presence = bodyOf(await small.as('ben').get(`/rooms/${room.room_id}/presence`));
    expect(presence).toMatchObject({ online: ['ann', 'ben', 'cid'], total: 3 });
  });

  it('tells of who comes once the tenant’s limit was raised, on connections that are open', async () => {
    const strict = await test.tenant(undefined, { presence_room_limit: 0 });
    const comers = Array.from({ length: 150 }, (_, n) => `comer-${n}`);
    await createRoom(strict.as('ann'), 'group', ['ben', ...comers]);
    const [ann] = [await connect('ann', strict), await connect('ben', strict)];
    const settings = { presence_room_limit: 200 };
    bodyOf(await test.master.patch(`/admin/tenants/${strict.tenantId}`, { settings }));
    // The change is read within two seconds: of those who come before that nobody is told.
    await until(
      async () => {
        const comer = await connect(comers.shift() ?? '', strict);
        await ann.settled();
        return ann.frames.some(isUpdate(String((await comer.frame('hello'))['user_id']), 'online'));
      },
      (isTold) => isTold,
    );
    expect(ann.frames.filter(isUpdate('ben', 'online'))).toEqual([]);
  });

  it('tells the others in the room who types, and when they stop, leave or close', async () => {
    const room = await createRoom(tenant.as('t-ann'), 'group', ['t-ben', 't-cid']);
    const [ann, ann2, ben, cid] = [
      ...[await connect('t-ann'), await connect('t-ann'), await connect('t-ben'), await connect('t-cid')],
    ] as const;
    const { room_id } = room;
    ann.send({ type: 'typing.start', room_id });
    expect(await ben.frame(isTyping(room, 't-ann', 'start'))).toMatchObject({ type: 'typing', room_id });
    ann.send({ type: 'typing.stop', data: { room_id } });
    await ben.frame(isTyping(room, 't-ann', 'stop'));
    await ann2.settled();
    expect([...ann.frames, ...ann2.frames].filter((frame) => frame.type === 'typing')).toEqual([]);

    cid.send({ type: 'typing.start', room_id });
    await ann.frame(isTyping(room, 't-cid', 'start'));
    bodyOf(await tenant.as('t-ann').delete(`/rooms/${room_id}/members/t-cid`), 204);
    await ann.frame(isTyping(room, 't-cid', 'stop'));
    ben.send({ type: 'typing.start', room_id });
    await ann.frame(isTyping(room, 't-ben', 'start'));
    await ben.close();
    await ann.frame(isTyping(room, 't-ben', 'stop'));
  });

  it.each(['the socket', 'REST'])('S24: typing ends with the message, sent over %s', async (door) => {
    const [writer, reader] = [`w-${door}`.replace(' ', '-'), 'r'];
    const room = await createRoom(tenant.as(writer), 'group', [reader]);
    const [ann, ben] = [await connect(writer), await connect(reader)];
    const { room_id } = room;
    ann.send({ type: 'typing.start', room_id });
    await ben.frame(isTyping(room, writer, 'start'));
    if (door === 'REST') await send(tenant.as(writer), room_id);
    else ann.send({ type: 'send_message', room_id, content: 'said' });
    await ben.frame((frame) => frame.type === 'message' && frame['room_id'] === room_id);
    await ben.settled();
    expect(ben.frames.filter(isTyping(room, writer, 'stop'))).toHaveLength(1);
  });

  it('refuses typing to who is no member, without an answer to members', async () => {
    const group = await createRoom(tenant.as('r-ann'), 'group', ['r-ben']);
    const channel = await createRoom(tenant.as('r-ann'), 'channel');
    const other = await test.tenant();
    const foreign = await createRoom(other.as('r-ann'), 'group');
    const [ann, zoe] = [await connect('r-ann'), await connect('r-zoe')];
    zoe.send({ type: 'subscribe', room_id: channel.room_id });
    await zoe.frame('subscribed');
    const refused = async (room_id: unknown, request_id: string, type = 'typing.start'): Promise<unknown> => {
      zoe.send({ type, room_id, request_id });
      return (await zoe.frame(isAnswerTo(request_id)))['code'];
    };
    expect(await refused(group.room_id, 'a')).toBe('AUTHORIZATION_ERROR');
    expect(await refused(channel.room_id, 'b')).toBe('AUTHORIZATION_ERROR');
    expect(await refused(group.room_id, 'c', 'typing.stop')).toBe('AUTHORIZATION_ERROR');
    expect(await refused(foreign.room_id, 'd')).toBe('NOT_FOUND');
    expect(await refused(UNKNOWN_ROOM, 'e')).toBe('NOT_FOUND');
    expect(await refused('nonsense', 'f')).toBe('NOT_FOUND');
    expect(await refused(7, 'g')).toBe('VALIDATION_ERROR');
    bodyOf(await tenant.as('r-ann').post(`/rooms/${channel.room_id}/members`, { user_ids: ['r-zoe'] }));
    await zoe.frame('member.joined');
    zoe.send({ type: 'typing.start', room_id: channel.room_id, request_id: 'h' });
    await ann.frame(isTyping(channel, 'r-zoe', 'start'));
    await zoe.settled();
    expect(zoe.frames.filter(isAnswerTo('h'))).toEqual([]);
  });

  it('an unsubscribed member may still type', async () => {
    const room = await createRoom(tenant.as('u-ann'), 'group', ['u-ben']);
    const [ann, ben] = [await connect('u-ann'), await connect('u-ben')];
    ben.send({ type: 'unsubscribe', room_id: room.room_id });
    await ben.frame('unsubscribed');
    ben.send({ type: 'typing.start', room_id: room.room_id });
    await ann.frame(isTyping(room, 'u-ben', 'start'));
  });

  it('opening a socket makes the user, once', async () => {
    const newcomers = (): Promise<object[]> =>
      test.database.sql(`SELECT user_id, last_seen_at FROM users WHERE user_id LIKE 'newcomer%' ORDER BY 1`);
    expect(await newcomers()).toEqual([]);
    await Promise.all(['newcomer', 'newcomer', 'newcomer-2'].map((user) => connect(user)));
    expect(await newcomers()).toEqual([
      { user_id: 'newcomer', last_seen_at: null },
      { user_id: 'newcomer-2', last_seen_at: null },
    ]);
  });

  it('writes last_seen_at of those whose sockets the stop closes', async () => {
    const own = await startTestApp();
    try {
      const mine = await own.tenant();
      await createRoom(mine.as('ann'), 'group', ['ben']);
      const headers = { 'x-api-key': mine.apiKey, 'x-user-id': 'ann' };
      const ann = await WsClient.connect(own.url, { headers });
      await ann.frame('presence.snapshot');
      await own.app.lifecycle.stop('test');
      const rows = await own.database.sql('SELECT user_id FROM users WHERE last_seen_at IS NOT NULL');
      expect(rows).toEqual([{ user_id: 'ann' }]);
    } finally {
      await own.close();
    }
  });
});
