import { pathOf, send } from '../support/messages';
import { bodyOf, changesOf, createRoom, type RoomBody, sendAll, sendMany } from '../support/rooms';
import type { TestTenant } from '../support/app';
import { checkFrame } from '../support/ws/asyncapi';
import { type ServerFrame, type WsClient } from '../support/ws/client';
import { type SocketApp, startSocketApp } from '../support/ws/socket-app';
import { about, seqs, seqsOf, synced } from '../support/ws/sync';

const UNKNOWN = 'room_00000000000070008000000000000001';

describe('sync, as a client asks for it', () => {
  let app: SocketApp;
  let tenant: TestTenant;
  const clients: WsClient[] = [];

  beforeAll(async () => {
    app = await startSocketApp();
    tenant = await app.tenant({ requests_per_second: null, ws_messages_per_second: null });
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) {
      for (const frame of client.frames) checkFrame(frame, 'server');
      if (client.isOpen) await client.close();
    }
  });
  afterAll(() => app.close());

  let made = 0;
  /** A user of the test's own, who sits in no rooms but those of the test. */
  const someone = (): string => `asker-${++made}`;
  const group = (user: string): Promise<RoomBody> => createRoom(tenant.as('ann'), 'group', [user]);

  /** A connection that is sent nothing by itself. */
  async function connect(userId: string): Promise<WsClient> {
    const client = await app.open(tenant, userId, { query: { sync: 'manual' } });
    clients.push(client);
    client.send({ type: 'ping' });
    await client.frame('pong');
    return client;
  }

  let asked = 0;

  /** Asks, and waits for the end of the room's sync; the frames of the room since then. */
  async function sync(client: WsClient, room: RoomBody, fields: object): Promise<ServerFrame[]> {
    const request_id = `sync-${++asked}`;
    const before = about(client, room).length;
    client.send({ type: 'sync', request_id, data: { room_id: room.room_id, ...fields } });
    await synced(client, room, request_id);
    return about(client, room).slice(before);
  }

  /** Asks for what is refused; the error. */
  async function refused(client: WsClient, fields: object): Promise<ServerFrame> {
    const request_id = `sync-${++asked}`;
    client.send({ type: 'sync', request_id, ...fields });
    const answer = await client.frame((frame) => frame['request_id'] === request_id);
    expect(answer.type).toBe('error');
    return answer;
  }

  const live = async (client: WsClient, room: RoomBody): Promise<void> => {
    const { message_id } = await send(tenant.as('ann'), room.room_id);
    await client.frame((frame) => frame['message_id'] === message_id);
  };

  it('is live at once without history, and gets it when it asks, again and again', async () => {
    const user = someone();
    const room = await group(user);
    await sendAll(tenant.as('ann'), room.room_id, ['1', '2', '3']);
    const client = await connect(user);
    await live(client, room);
    expect(about(client, room).map(({ seq }) => seq)).toEqual([4]);
    const first = await sync(client, room, { after_seq: 1 });
    expect(first.map(({ type, seq }) => [type, seq])).toEqual([
      ['message', 2],
      ['message', 3],
      ['message', 4],
      ['sync.complete', undefined],
    ]);
    expect(first.at(-1)).toMatchObject({ last_seq: 4, last_rev: 4, request_id: 'sync-1' });
    await live(client, room);
    expect(await sync(client, room, { after_seq: 5 })).toEqual([
      { type: 'sync.complete', request_id: 'sync-2', room_id: room.room_id, last_seq: 5, last_rev: 5 },
    ]);
    expect((await sync(client, room, { after_seq: 0 })).map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5, undefined]);
    await live(client, room);
    expect(seqsOf(client, room)).toEqual([4, 2, 3, 4, 5, 1, 2, 3, 4, 5, 6]);
  });

  it('with after_rev gets what else changed, merged by rev', async () => {
    const user = someone();
    const room = await group(user);
    const old = await sendAll(tenant.as('ann'), room.room_id, ['1', '2', '3']);
    const [edited, deleted] = old.map(({ message_id }) => ({ message_id })) as [
      { message_id: string },
      { message_id: string },
    ];
    const by = tenant.as('ann');
    bodyOf(await by.patch(pathOf(room.room_id, edited), { content: 'better' }));
    await send(by, room.room_id);
    bodyOf(await by.post(`/rooms/${room.room_id}/members`, { user_ids: ['zoe'] }));
    bodyOf(await by.delete(pathOf(room.room_id, deleted)), 204);
    bodyOf(await by.patch(`/rooms/${room.room_id}`, { name: 'renamed' }));
    await send(by, room.room_id);
    bodyOf(await by.delete(`/rooms/${room.room_id}/members/zoe`), 204);
    const client = await connect(user);
    const frames = await sync(client, room, { after_seq: 3, after_rev: 3 });
    expect(frames.map(({ type, rev, seq }) => [type, rev, seq])).toEqual([
      ['message.updated', 4, 1],
      ['message', 5, 4],
      ['member.joined', 6, undefined],
      ['message.deleted', 7, 2],
      ['room.updated', 8, undefined],
      ['message', 9, 5],
      ['member.left', 10, undefined],
      ['sync.complete', undefined, undefined],
    ]);
    // The same as REST tells of the same changes.
    const changes = (await changesOf(tenant.as(user), room.room_id)).filter(({ rev }) => rev > 3);
    expect(frames.slice(0, -1).map(({ type, rev }) => ({ type, rev }))).toEqual(
      changes.map(({ type, rev }) => ({ type, rev })),
    );
    expect(frames[0]).toMatchObject({ content: 'better' });
    const later = await sync(client, room, { after_seq: 5, after_rev: 9 });
    expect(later.map(({ type }) => type)).toEqual(['member.left', 'sync.complete']);
    const content = await sync(client, room, { after_seq: 3 });
    expect(content.map(({ type }) => type)).toEqual(['message', 'message', 'sync.complete']);
  });

  it('of many rooms gets them in the order of asking, and an error for each that it may not see', async () => {
    const user = someone();
    const [first, second, foreign] = [await group(user), await group(user), await group('nobody-else')];
    for (const room of [second, first]) await sendAll(tenant.as('ann'), room.room_id, ['1', '2', '3']);
    const client = await connect(user);
    const rooms = [
      { room_id: second.room_id, after_seq: 2 },
      { room_id: foreign.room_id, after_seq: 0 },
      { room_id: first.room_id, after_seq: 1, after_rev: 1 },
      { room_id: UNKNOWN, after_seq: 0 },
      { room_id: 'no id at all', after_seq: 0, after_rev: null },
    ];
    client.send({ type: 'sync', request_id: 'many', rooms });
    await synced(client, first, 'many');
    const ofRooms = client.frames.filter(({ type }) => type === 'message' || type === 'sync.complete');
    expect(ofRooms.map(({ room_id, seq }) => [room_id, seq])).toEqual([
      [second.room_id, 3],
      [second.room_id, undefined],
      [first.room_id, 2],
      [first.room_id, 3],
      [first.room_id, undefined],
    ]);
    const errors = client.frames.filter(({ type }) => type === 'error');
    expect(errors.map(({ code, room_id, field, request_id }) => [code, room_id, field, request_id])).toEqual([
      ['AUTHORIZATION_ERROR', foreign.room_id, 'rooms[1].room_id', 'many'],
      ['NOT_FOUND', UNKNOWN, 'rooms[3].room_id', 'many'],
      ['NOT_FOUND', 'no id at all', 'rooms[4].room_id', 'many'],
    ]);
  });

  it('refuses what is wrong, and rooms that are not there for the user', async () => {
    const client = await connect(someone());
    const room = await group('nobody-else');
    const own = { room_id: room.room_id, after_seq: 0 };
    const many = (count: number): object[] => Array.from({ length: count }, () => own);
    const refusals: [object, string, string?][] = [
      [own, 'AUTHORIZATION_ERROR'],
      [{ room_id: UNKNOWN, after_seq: 0 }, 'NOT_FOUND'],
      [{ room_id: '__proto__', after_seq: 0 }, 'NOT_FOUND'],
      [{}, 'VALIDATION_ERROR', 'room_id'],
      [{ room_id: room.room_id }, 'VALIDATION_ERROR', 'after_seq'],
      [{ ...own, after_seq: -1 }, 'VALIDATION_ERROR', 'after_seq'],
      [{ ...own, after_seq: 1e300 }, 'VALIDATION_ERROR', 'after_seq'],
      [{ ...own, after_rev: '1' }, 'VALIDATION_ERROR', 'after_rev'],
      [{ ...own, more: 1 }, 'VALIDATION_ERROR', 'more'],
      [{ rooms: [] }, 'VALIDATION_ERROR', 'rooms'],
      [{ rooms: many(1001) }, 'VALIDATION_ERROR', 'rooms'],
      [{ rooms: [own, { ...own, after_seq: 'x' }] }, 'VALIDATION_ERROR', 'rooms[1].after_seq'],
      [{ rooms: [null] }, 'VALIDATION_ERROR', 'rooms[0]'],
      [{ ...own, rooms: [own] }, 'VALIDATION_ERROR', 'room_id'],
    ];
    for (const [fields, code, field] of refusals)
      expect([fields, await refused(client, fields)]).toMatchObject([fields, { code, ...(field ? { field } : {}) }]);
  });

  it('takes positions beyond what there is as up to date', async () => {
    const user = someone();
    const room = await group(user);
    await sendAll(tenant.as('ann'), room.room_id, ['1']);
    const client = await connect(user);
    const most = Number.MAX_SAFE_INTEGER;
    const frames = await sync(client, room, { after_seq: most, after_rev: most });
    expect(frames).toMatchObject([{ type: 'sync.complete', last_seq: 1, last_rev: 1 }]);
    await live(client, room);
  });

  it('waits for what the same connection has sent before', async () => {
    const room = await group('ben');
    const client = await connect('ann');
    for (let i = 0; i < 20; i++) client.send({ type: 'send_message', room_id: room.room_id, content: `${i}` });
    const frames = await sync(client, room, { after_seq: 0 });
    expect(frames.at(-1)).toMatchObject({ last_seq: 20 });
  });

  it('cuts to the newest 500', async () => {
    const user = someone();
    const room = await group(user);
    await sendMany(tenant.as('ann'), room.room_id, 505);
    const client = await connect(user);
    const frames = await sync(client, room, { after_seq: 2, after_rev: 2 });
    expect(frames[0]).toMatchObject({
      type: 'sync.truncated',
      after_seq: 2,
      before_seq: 6,
      request_id: `sync-${asked}`,
    });
    expect(seqsOf(client, room)).toEqual(seqs(6, 505));
  });

  it('lets who is no member sync a channel, without making it live', async () => {
    const channel = await createRoom(tenant.as('ann'), 'channel');
    await sendAll(tenant.as('ann'), channel.room_id, ['1', '2']);
    const client = await connect(someone());
    const frames = await sync(client, channel, { after_seq: 0 });
    expect(frames.map(({ seq }) => seq)).toEqual([1, 2, undefined]);
    await send(tenant.as('ann'), channel.room_id);
    await client.settled();
    expect(seqsOf(client, channel)).toEqual([1, 2]);
    client.send({ type: 'subscribe', room_id: channel.room_id });
    await client.frame('subscribed');
    expect((await sync(client, channel, { after_seq: 2 })).map(({ seq }) => seq)).toEqual([3, undefined]);
    await live(client, channel);
  });

  it('after unsubscribe brings what there is, and nothing live', async () => {
    const user = someone();
    const room = await group(user);
    const client = await connect(user);
    client.send({ type: 'unsubscribe', room_id: room.room_id });
    await client.frame('unsubscribed');
    await sendAll(tenant.as('ann'), room.room_id, ['1', '2']);
    expect((await sync(client, room, { after_seq: 0 })).map(({ seq }) => seq)).toEqual([1, 2, undefined]);
    await send(tenant.as('ann'), room.room_id);
    await client.settled();
    expect(seqsOf(client, room)).toEqual([1, 2]);
  });

  it('shows nothing of another tenant’s rooms', async () => {
    const room = await group('ben');
    const other = await app.tenant();
    const client = await app.open(other, 'ben', { query: { sync: 'manual' } });
    clients.push(client);
    expect(await refused(client, { room_id: room.room_id, after_seq: 0 })).toMatchObject({ code: 'NOT_FOUND' });
    expect(await refused(client, { rooms: [{ room_id: room.room_id, after_seq: 0 }] })).toMatchObject({
      ...{ code: 'NOT_FOUND', room_id: room.room_id },
    });
  });
});
