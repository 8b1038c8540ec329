import { Database } from '../../src/platform/database';
import { getMessage, pathOf, post, send } from '../support/messages';
import { until } from '../support/poll';
import { bodyOf, createRoom, type RoomBody, sendAll, sendMany, userIds } from '../support/rooms';
import type { TestTenant } from '../support/app';
import { checkFrame } from '../support/ws/asyncapi';
import { type ServerFrame, WsClient } from '../support/ws/client';
import { type SocketApp, startSocketApp } from '../support/ws/socket-app';
import { about, seqs, seqsOf, synced } from '../support/ws/sync';

/** 32,768 characters of three bytes each: the largest content. */
const LARGEST = '€'.repeat(32_768);

describe('a connection that opens', () => {
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
  const someone = (): string => `user-${++made}`;

  async function connect(userId: string, query = ''): Promise<WsClient> {
    const client = await app.open(tenant, userId, { query });
    clients.push(client);
    return client;
  }

  const group = (user: string): Promise<RoomBody> => createRoom(tenant.as('ann'), 'group', [user]);
  const ack = async (user: string, room: RoomBody, seq: number): Promise<void> =>
    void bodyOf(await tenant.as(user).post('/acks', { room_id: room.room_id, seq }));

  it('gets what lies after the last acknowledged seq, then sync.complete, then what is live', async () => {
    const user = someone();
    const room = await group(user);
    const sent = await sendAll(tenant.as('ann'), room.room_id, ['1', '2', '3', '4', '5']);
    await ack(user, room, 2);
    const client = await connect(user);
    expect(await synced(client, room)).toEqual({
      ...{ type: 'sync.complete', room_id: room.room_id, first_seq: 1, last_seq: 5, last_rev: 5 },
      last_id: sent.at(-1)?.message_id,
    });
    const live = await send(tenant.as('ann'), room.room_id);
    await client.frame((frame) => frame['message_id'] === live.message_id);
    expect(about(client, room).map(({ type, seq }) => [type, seq])).toEqual([
      ['message', 3],
      ['message', 4],
      ['message', 5],
      ['sync.complete', undefined],
      ['message', 6],
    ]);
    const third = await getMessage(tenant.as(user), room.room_id, sent[2] ?? { message_id: '' });
    expect(about(client, room)[0]).toEqual({ type: 'message', ...third });
  });

  it('gets messages as they are now: edited ones with their new content, deleted ones without any', async () => {
    const user = someone();
    const room = await group(user);
    const body = { content: 'hällo 😀', meta: { z: 1, a: [1, { b: null }] }, client_message_id: 'c-1' };
    const whole = await send(tenant.as('ann'), room.room_id, body);
    const edited = await send(tenant.as('ann'), room.room_id);
    const deleted = await send(tenant.as('ann'), room.room_id);
    bodyOf(await tenant.as('ann').patch(pathOf(room.room_id, edited), { content: 'better' }));
    bodyOf(await tenant.as('ann').delete(pathOf(room.room_id, deleted)), 204);
    const client = await connect(user);
    await synced(client, room);
    const frames = about(client, room);
    for (const [i, message] of [whole, edited, deleted].entries())
      expect(frames[i]).toEqual({
        type: 'message',
        ...(await getMessage(tenant.as(user), room.room_id, message)),
      });
    expect(JSON.stringify(frames[0]?.['meta'])).toBe(JSON.stringify(body.meta));
    expect(frames[1]).toMatchObject({ content: 'better', seq: 2, rev: 4 });
    expect(frames[2]).toMatchObject({ content: '', seq: 3, rev: 5, deleted_at: expect.any(String) });
    expect(frames[3]).toMatchObject({ type: 'sync.complete', last_seq: 3, last_rev: 5 });
  });

  it('gets its rooms one after another, the most recently active first, each with its end', async () => {
    const user = someone();
    const rooms = [await group(user), await group(user), await group(user), await group(user)];
    const [first, second, third, empty] = rooms as [RoomBody, RoomBody, RoomBody, RoomBody];
    for (const room of [third, first, second, third, second, first])
      await sendAll(tenant.as('ann'), room.room_id, ['a', 'b']);
    await ack(user, second, 4);
    const client = await connect(user);
    await Promise.all(rooms.map((room) => synced(client, room)));
    const order = client.frames.filter((frame) => frame['room_id'] !== undefined);
    const place = (frame: ServerFrame): number => rooms.findIndex((room) => room.room_id === frame['room_id']);
    const whole = (at: number, ends: readonly string[]): string[] => ends.map((type) => `${at} ${type}`);
    const four = ['message', 'message', 'message', 'message', 'sync.complete'];
    const came = order.map((frame) => `${place(frame)} ${frame.type}`);
    // The empty room was made last, and before any message.
    expect(came).toEqual([...whole(0, four), ...whole(1, ['sync.complete']), ...whole(2, four), '3 sync.complete']);
    expect(seqsOf(client, second)).toEqual([]);
    expect(seqsOf(client, empty)).toEqual([]);
  });

  it('gets the newest 500 of a room, and is told between which seqs the others are', async () => {
    const user = someone();
    const room = await group(user);
    await sendMany(tenant.as('ann'), room.room_id, 512);
    await ack(user, room, 7);
    const client = await connect(user);
    await synced(client, room);
    const truncated = { type: 'sync.truncated', room_id: room.room_id, after_seq: 7, before_seq: 13 };
    expect(about(client, room)[0]).toEqual({ ...truncated, first_seq: 1 });
    expect(seqsOf(client, room)).toEqual(seqs(13, 512));
    const { body } = await tenant
      .as(user)
      .get<{ seq: number }[]>(`/rooms/${room.room_id}/messages?after_seq=7&before_seq=13`);
    expect(body.map(({ seq }) => seq)).toEqual(seqs(8, 12));
    const again = await connect(user);
    await ack(user, room, 12);
    await (await connect(user)).frame('sync.complete');
    expect(again.isOpen).toBe(true);
    expect(about(clients.at(-1) as WsClient, room)[0]?.type).toBe('message');
  });

  it('misses nothing and gets nothing twice while the room is written to', async () => {
    const user = someone();
    const room = await group(user);
    await sendMany(tenant.as('ann'), room.room_id, 40);
    let isWriting = true;
    const writing = Promise.all(
      userIds('writer', 3).map(async () => {
        while (isWriting) await send(tenant.as('ann'), room.room_id);
      }),
    );
    const all = await Promise.all(Array.from({ length: 15 }, () => connect(user)));
    await Promise.all(all.map((client) => synced(client, room)));
    isWriting = false;
    await writing;
    const last = await send(tenant.as('ann'), room.room_id);
    for (const client of all) {
      await client.frame((frame) => frame['message_id'] === last.message_id);
      expect(seqsOf(client, room)).toEqual(seqs(1, last.seq));
      const end = await synced(client, room);
      const before = about(client, room).findIndex((frame) => frame === end);
      // What stands before the end is what it says, what follows begins right after it.
      expect(about(client, room)[before - 1]).toMatchObject({ seq: end['last_seq'] });
      expect(about(client, room)[before + 1]).toMatchObject({ seq: (end['last_seq'] as number) + 1 });
    }
  });

  it('gets how far the members of small rooms have read', async () => {
    const [user, crowd] = [someone(), userIds('crowd', 100)];
    const small = await createRoom(tenant.as('ann'), 'group', [user, 'bob', 'cat']);
    const large = await createRoom(tenant.as('ann'), 'group', [user, ...crowd]);
    for (const room of [large, small]) {
      await sendAll(tenant.as('ann'), room.room_id, ['1', '2', '3']);
      bodyOf(await tenant.as('ann').post('/reads', { room_id: room.room_id, seq: 2 }));
    }
    bodyOf(await tenant.as('bob').post('/reads', { room_id: small.room_id, seq: 3 }));
    await ack(user, small, 3);
    const client = await connect(user);
    await Promise.all([small, large].map((room) => synced(client, room)));
    const marks = about(client, small).slice(0, -1);
    const mark = { type: 'read.update', room_id: small.room_id };
    expect(marks).toHaveLength(2);
    expect(marks).toEqual(
      expect.arrayContaining([
        { ...mark, user_id: 'ann', seq: 2 },
        { ...mark, user_id: 'bob', seq: 3 },
      ]),
    );
    expect(about(client, large).map(({ type }) => type)).toEqual(['message', 'message', 'message', 'sync.complete']);
  });

  it('costs four queries for ten rooms of twenty missed messages each, of which nobody has read any', async () => {
    const user = someone();
    const rooms = await Promise.all(Array.from({ length: 10 }, () => group(user)));
    await Promise.all(rooms.map((room) => sendMany(tenant.as('ann'), room.room_id, 20)));
    const database = app.nest.get(Database);
    const read = jest.spyOn(database, 'query');
    const transaction = jest.spyOn(database, 'transaction');
    try {
      const client = await connect(user);
      await Promise.all(rooms.map((room) => synced(client, room)));
      await client.frame('presence.snapshot');
      for (const room of rooms) expect(seqsOf(client, room)).toEqual(seqs(1, 20));
      // A look-up for all who came within a moment is no connection's own.
      const shared = ['shared rooms', 'users with anything undelivered'];
      const names = read.mock.calls.map(([name]) => name).filter((name) => !shared.includes(name));
      expect(names.sort()).toEqual([
        'neighbours',
        'openings of rooms',
        'positions and cursors of users',
        'ranges of rooms',
      ]);
      expect(transaction).not.toHaveBeenCalled();
    } finally {
      read.mockRestore();
      transaction.mockRestore();
    }
  });

  describe('and reads slowly', () => {
    const MANY = 250;
    let room: RoomBody;
    let user: string;

    beforeAll(async () => {
      user = someone();
      room = await group(user);
      for (let i = 0; i < MANY; i += 10)
        await Promise.all(seqs(1, 10).map(() => post(tenant.as('ann'), room.room_id, { content: LARGEST })));
    });

    /** A connection that stops to read with its first frames, and what the server knows of it. */
    async function stalled() {
      const client = await connect(user);
      // Its hello has to be read before.
      const connection = await app.handler.of(client);
      client.ws.pause();
      const full = 300_000;
      await until(
        () => Promise.resolve(connection.waiting),
        (bytes) => bytes > full,
      );
      return { client, connection };
    }

    it('is sent as much as it takes and is not closed for it; others are served meanwhile', async () => {
      const { client, connection } = await stalled();
      const other = await connect(user);
      await synced(other, room);
      expect(connection.waiting).toBeLessThan(2 * 1024 * 1024);
      const live = await send(tenant.as('ann'), room.room_id);
      await other.frame((frame) => frame['message_id'] === live.message_id);
      client.ws.resume();
      await client.frame((frame) => frame['message_id'] === live.message_id);
      await synced(client, room);
      expect(seqsOf(client, room)).toEqual(seqs(1, live.seq));
    });

    it('gets nothing more of a room from which it is removed', async () => {
      const { client } = await stalled();
      bodyOf(await tenant.as('ann').delete(`/rooms/${room.room_id}/members/${user}`), 204);
      await send(tenant.as('ann'), room.room_id);
      client.ws.resume();
      const left = await client.frame('member.left');
      expect(left).toMatchObject({ room_id: room.room_id, user_id: user, by: 'ann' });
      await client.settled();
      expect(about(client, room).at(-1)).toBe(left);
      expect(seqsOf(client, room).length).toBeLessThan(MANY);
      expect(about(client, room).map(({ type }) => type)).not.toContain('sync.complete');
    });
  });

  it('with another word than auto or manual for sync is refused', async () => {
    const refused = await WsClient.refused(app.url, {
      headers: { 'x-api-key': tenant.apiKey, 'x-user-id': 'ann' },
      query: { sync: 'never' },
    });
    expect(refused.status).toBe(400);
    expect(refused.body.error).toMatchObject({ code: 'VALIDATION_ERROR', field: 'sync' });
    const client = await connect('nobody', 'sync=auto');
    expect((await client.frame('hello')).type).toBe('hello');
  });

  it('shows in the metrics', async () => {
    const series = async (): Promise<Map<string, number>> => {
      const { body } = await app.anonymous.get<string>('/metrics');
      const lines = body.split('\n');
      return new Map(lines.map((line) => line.split(' ')).map(([name, value]) => [name ?? '', Number(value)]));
    };
    const found = await series();
    expect(found.get('chatapi_sync_pages_total')).toBeGreaterThan(0);
    expect(found.get('chatapi_sync_truncated_total')).toBeGreaterThan(0);
    expect(found.get('chatapi_sync_rooms')).toBe(0);
  });

  const isOf = (room: RoomBody) => (frame: ServerFrame) => frame['room_id'] === room.room_id;

  it('of another tenant gets nothing of this one', async () => {
    const other = await app.tenant();
    const user = someone();
    const room = await group(user);
    await send(tenant.as('ann'), room.room_id);
    const client = await app.open(other, user);
    clients.push(client);
    await client.frame('presence.snapshot');
    await client.settled();
    expect(client.frames.filter(isOf(room))).toEqual([]);
    expect(client.frames.map(({ type }) => type)).toEqual(['hello', 'presence.snapshot']);
  });
});
