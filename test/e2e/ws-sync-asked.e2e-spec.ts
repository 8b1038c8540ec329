import { decodeId } from '../../src/common/ids';
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
      {
        ...{
          type: 'sync.complete',
          request_id: 'sync-2',
          room_id: room.room_id,
          first_seq: 1,
          last_seq: 5,
          last_rev: 5,
        },
        last_id: about(client, room).at(-2)?.['message_id'],
      },
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

  describe('S1: a position that the log never had', () => {
    const FOREIGN = `msg_${'0'.repeat(32)}`;
    const most = Number.MAX_SAFE_INTEGER;

    it.each<[what: string, position: (ids: string[]) => Record<string, unknown>]>([
      ['lies beyond its messages', () => ({ after_seq: 4 })],
      ['lies far beyond them', () => ({ after_seq: most, after_rev: most, after_id: FOREIGN })],
      ['lies beyond its changes', () => ({ after_seq: 2, after_rev: 4 })],
      ['names another message', () => ({ after_seq: 3, after_id: FOREIGN })],
      ['names one that stands elsewhere', ([first]) => ({ after_seq: 3, after_id: first })],
      ['names no message at all', () => ({ after_seq: 1, after_id: 'nonsense' })],
    ])('which %s is reset, and the newest come', async (_, position) => {
      const user = someone();
      const room = await group(user);
      const sent = await sendAll(tenant.as('ann'), room.room_id, ['1', '2', '3']);
      const client = await connect(user);
      const { epoch } = await client.frame('hello');
      const ids = sent.map(({ message_id }) => message_id);
      const frames = await sync(client, room, position(ids));
      expect(frames).toMatchObject([
        { type: 'sync.reset', request_id: expect.any(String), first_seq: 1, last_seq: 3, last_rev: 3, epoch },
        ...ids.map((message_id, i) => ({ type: 'message', seq: i + 1, message_id })),
        { type: 'sync.complete', first_seq: 1, last_seq: 3, last_id: ids[2], last_rev: 3 },
      ]);
      await live(client, room);
    });

    it('is one of several rooms alone', async () => {
      const user = someone();
      const rooms = [await group(user), await group(user), await group(user)];
      const ids: string[] = [];
      for (const { room_id } of rooms) ids.push((await send(tenant.as('ann'), room_id)).message_id);
      const client = await connect(user);
      const at = (n: number, after_id: string | undefined): object => ({
        ...{ room_id: rooms[n]?.room_id, after_seq: 1, after_id },
      });
      client.send({ type: 'sync', request_id: 'all', rooms: [at(0, ids[0]), at(1, ids[0]), at(2, ids[2])] });
      await client.many('sync.complete', 3);
      expect(client.got('sync.reset').map(({ room_id }) => room_id)).toEqual([rooms[1]?.room_id]);
      expect(client.got('sync.complete').map(({ last_id }) => last_id)).toEqual(ids);
      expect(client.got('message').map(({ room_id }) => room_id)).toEqual([rooms[1]?.room_id]);
    });
  });

  it('S1: a position whose message was edited or deleted is that position still', async () => {
    const user = someone();
    const room = await group(user);
    const by = tenant.as('ann');
    const [edited, deleted] = await sendAll(by, room.room_id, ['1', '2']);
    if (edited === undefined || deleted === undefined) throw new Error('nothing was sent');
    bodyOf(await by.patch(pathOf(room.room_id, edited), { content: 'better' }));
    bodyOf(await by.delete(pathOf(room.room_id, deleted)), 204);
    const client = await connect(user);
    expect((await sync(client, room, { after_seq: 1, after_id: edited.message_id })).map(({ type }) => type)).toEqual([
      ...['message', 'sync.complete'],
    ]);
    expect(await sync(client, room, { after_seq: 2, after_id: deleted.message_id })).toMatchObject([
      { type: 'sync.complete', last_id: deleted.message_id },
    ]);
  });

  describe('S1: a room whose oldest messages are gone', () => {
    const trim = ({ room_id }: RoomBody, firstSeq: number): Promise<object[]> =>
      app.database.sql('SELECT room_trim(tenant_id, room_id, $2) FROM rooms WHERE room_id = $1', [
        ...[decodeId('room', room_id), firstSeq],
      ]);

    /** Of six messages the last three are kept. */
    async function trimmed(user: string): Promise<RoomBody> {
      const room = await group(user);
      await sendAll(tenant.as('ann'), room.room_id, ['1', '2', '3', '4', '5', '6']);
      await trim(room, 4);
      return room;
    }
    const seen = (frames: readonly ServerFrame[]): unknown[] =>
      frames.map((frame) => [frame.type, frame['seq'] ?? frame['before_seq'] ?? frame['last_seq']]);

    it.each([
      [
        'before them',
        1,
        'msg_1',
        [
          ['sync.truncated', 4],
          ['message', 4],
          ['message', 5],
          ['message', 6],
        ],
      ],
      [
        'right before them',
        3,
        'msg_1',
        [
          ['message', 4],
          ['message', 5],
          ['message', 6],
        ],
      ],
      ['among them', 5, undefined, [['message', 6]]],
    ])('is synced from a position %s without a reset', async (_, after_seq, after_id, expected) => {
      const user = someone();
      const room = await trimmed(user);
      const client = await connect(user);
      const frames = await sync(client, room, { after_seq, after_id });
      expect(seen(frames)).toEqual([...expected, ['sync.complete', 6]]);
      for (const frame of frames) if (frame.type.startsWith('sync.')) expect(frame).toMatchObject({ first_seq: 4 });
    });

    it('says so in the room, in its pages and its changes, and to those who are there', async () => {
      const user = someone();
      const by = tenant.as(user);
      const room = await trimmed(user);
      const path = `/rooms/${room.room_id}`;
      expect(bodyOf(await by.get(path))).toMatchObject({ first_seq: 4, last_seq: 6, last_rev: 7 });
      const page = await by.get<{ seq: number }[]>(`${path}/messages`);
      expect([page.headers.get('x-first-seq'), page.body.map(({ seq }) => seq)]).toEqual(['4', [4, 5, 6]]);
      const gone = await by.get<unknown[]>(`${path}/messages?after_seq=0&before_seq=4`);
      expect([gone.headers.get('x-first-seq'), gone.body]).toEqual(['4', []]);
      expect(bodyOf(await by.get(`${path}/changes?after_rev=6`))).toMatchObject({
        ...{ changes: [{ rev: 7, type: 'room.trimmed', first_seq: 4 }], first_rev: 0, last_rev: 7, has_more: false },
      });
      const { rooms } = bodyOf(await by.get<{ rooms: object[] }>('/rooms'));
      expect(rooms).toMatchObject([{ first_seq: 4, unread_count: 3 }]);
      const client = await connect(user);
      await trim(room, 6);
      await live(client, room);
      expect(await client.frame('room.trimmed')).toMatchObject({ room_id: room.room_id, rev: 8, first_seq: 6 });
    });

    it('is followed by those who were far behind when it was trimmed', async () => {
      const user = someone();
      const room = await group(user);
      await sendMany(tenant.as('ann'), room.room_id, 250);
      const client = await connect(user);
      await trim(room, 240);
      const frames = await sync(client, room, { after_seq: 0 });
      expect(frames[0]).toMatchObject({ type: 'sync.truncated', first_seq: 240, before_seq: 240 });
      expect(frames.at(-1)).toMatchObject({ first_seq: 240, last_seq: 250 });
    });
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
