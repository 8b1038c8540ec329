import { startTestApp, type TestApp, type TestTenant } from '../support/app';
import { getMessage, pathOf, post, send } from '../support/messages';
import { bodyOf, changesOf, createRoom, getRoom, type RoomBody } from '../support/rooms';
import { type ServerFrame, WsClient } from '../support/ws/client';

/** Frames of a room, in the order in which they came; without the end of its sync. */
function of(client: WsClient, room: { readonly room_id: string }, ...types: string[]): ServerFrame[] {
  const isWanted = ({ type }: ServerFrame): boolean =>
    types.length === 0 ? type !== 'sync.complete' : types.includes(type);
  return client.frames.filter((frame) => frame['room_id'] === room.room_id && isWanted(frame));
}

function isLast(room: { readonly room_id: string }, type: string, fields: object = {}) {
  return (frame: ServerFrame): boolean =>
    frame.type === type &&
    frame['room_id'] === room.room_id &&
    Object.entries(fields).every(([field, value]) => frame[field] === value);
}

describe('rooms on the socket', () => {
  let test: TestApp;
  let tenant: TestTenant;
  const clients: WsClient[] = [];

  beforeAll(async () => {
    test = await startTestApp();
    tenant = await test.tenant({ requests_per_second: null, ws_messages_per_second: null });
  });
  afterEach(async () => {
    await Promise.all(clients.splice(0).map((client) => client.close()));
  });
  afterAll(() => test.close());

  /** A connection that sits in its rooms: the server reads nothing of it before. */
  async function connect(userId: string): Promise<WsClient> {
    const headers = { 'x-api-key': tenant.apiKey, 'x-user-id': userId };
    const client = await WsClient.connect(test.url, { headers });
    clients.push(client);
    await client.frame('hello');
    await ask(client, { type: 'ping' }, 'pong');
    return client;
  }

  let asked = 0;

  /** Sends a frame and waits for its answer. */
  async function ask(client: WsClient, frame: object, reply: string): Promise<ServerFrame> {
    const request_id = `ask-${++asked}`;
    client.send({ ...frame, request_id });
    const answer = await client.frame((f) => f['request_id'] === request_id);
    expect(answer.type).toBe(reply);
    return answer;
  }

  /** Everything that was committed before has reached the client. */
  async function settled(client: WsClient, by: string, room: { readonly room_id: string }): Promise<void> {
    const { message_id } = await send(tenant.as(by), room.room_id, { content: 'the end' });
    await client.frame(isLast(room, 'message', { message_id }));
  }

  const group = (...members: string[]): Promise<RoomBody> => createRoom(tenant.as('ann'), 'group', members);

  it('brings what is sent over REST to every member, the sender’s own connections included', async () => {
    const room = await group('ben');
    const all = await Promise.all(['ann', 'ann', 'ben'].map(connect));
    const stranger = await connect('zoe');
    const body = { content: 'hällo 😀', meta: { z: 1, a: [1, { b: null }] }, client_message_id: 'c-1' };
    const sent = await send(tenant.as('ann'), room.room_id, body);
    const message = await getMessage(tenant.as('ben'), room.room_id, sent);
    for (const client of all) {
      const frame = await client.frame(isLast(room, 'message'));
      expect(frame).toEqual({ type: 'message', ...message });
      expect(JSON.stringify(frame['meta'])).toBe(JSON.stringify(body.meta));
    }
    expect(of(stranger, room)).toEqual([]);
  });

  it('stores what is sent on a socket, answers the sender and brings it to all', async () => {
    const room = await group('ben');
    const [ann, ben] = [await connect('ann'), await connect('ben')];
    const frame = {
      type: 'send_message',
      data: { room_id: room.room_id, content: 'hello', client_message_id: 'once' },
    };
    const accepted = await ask(ann, frame, 'message.accepted');
    expect(accepted).toMatchObject({ room_id: room.room_id, seq: 1 });
    expect(accepted).not.toHaveProperty('replayed');
    for (const client of [ann, ben]) {
      const message = await client.frame(isLast(room, 'message'));
      expect(message).toMatchObject({ message_id: accepted['message_id'], seq: 1, content: 'hello', sender_id: 'ann' });
    }
    const again = await ask(ann, frame, 'message.accepted');
    expect(again).toMatchObject({ message_id: accepted['message_id'], seq: 1, replayed: true });
    expect((await getRoom(tenant.as('ben'), room.room_id)).last_seq).toBe(1);
    await settled(ben, 'ben', room);
    expect(of(ben, room, 'message').map((m) => m['seq'])).toEqual([1, 2]);
  });

  it('brings edits and deletions', async () => {
    const room = await group('ben');
    const sent = await send(tenant.as('ann'), room.room_id);
    const ben = await connect('ben');
    const edited = bodyOf(await tenant.as('ann').patch(pathOf(room.room_id, sent), { content: 'better' }));
    expect(await ben.frame(isLast(room, 'message.updated'))).toEqual({
      type: 'message.updated',
      ...(edited as object),
    });
    bodyOf(await tenant.as('ann').delete(pathOf(room.room_id, sent)), 204);
    const deleted = await ben.frame(isLast(room, 'message.deleted'));
    const { deleted_at } = await getMessage(tenant.as('ben'), room.room_id, sent);
    expect(deleted).toEqual({
      type: 'message.deleted',
      room_id: room.room_id,
      message_id: sent.message_id,
      seq: 1,
      rev: 3,
      deleted_at,
    });
  });

  it('brings a new room to its founding members, wherever they are connected', async () => {
    const [ann, ben, ben2] = [await connect('ann'), await connect('ben'), await connect('ben')];
    const room = await group('ben');
    for (const [client, user_id, role] of [
      [ann, 'ann', 'admin'],
      [ben, 'ben', 'member'],
      [ben2, 'ben', 'member'],
    ] as const) {
      const frame = await client.frame(isLast(room, 'member.joined'));
      expect(frame).toEqual({ type: 'member.joined', room_id: room.room_id, user_id, role, by: 'ann', rev: 0 });
    }
    await send(tenant.as('ben'), room.room_id);
    for (const client of [ann, ben, ben2])
      expect(await client.frame(isLast(room, 'message'))).toMatchObject({ seq: 1 });
  });

  it('lets members join and go at their place in the order', async () => {
    const room = await group('ben');
    const [ann, cat] = [await connect('ann'), await connect('cat')];
    const path = `/rooms/${room.room_id}/members`;
    await send(tenant.as('ann'), room.room_id, { content: 'before' });
    bodyOf(await tenant.as('ann').post(path, { user_ids: ['cat'] }));
    await send(tenant.as('ann'), room.room_id, { content: 'between' });
    bodyOf(await tenant.as('ann').patch(`${path}/cat`, { role: 'admin' }));
    bodyOf(await tenant.as('ann').delete(`${path}/cat`), 204);
    await send(tenant.as('ann'), room.room_id, { content: 'after' });
    await cat.frame(isLast(room, 'member.left'));
    await settled(ann, 'ben', room);
    const about = { room_id: room.room_id, user_id: 'cat', by: 'ann' };
    expect(of(cat, room)).toEqual([
      { type: 'member.joined', ...about, role: 'member', rev: 2 },
      expect.objectContaining({ type: 'message', content: 'between', rev: 3 }),
      { type: 'member.updated', ...about, role: 'admin', rev: 4 },
      { type: 'member.left', ...about, role: 'admin', rev: 5 },
    ]);
    expect(of(ann, room).map((f) => f['rev'])).toEqual([1, 2, 3, 4, 5, 6, 7]);
    const changes = await changesOf(tenant.as('ann'), room.room_id);
    expect(of(ann, room).map(({ type, rev }) => ({ type, rev }))).toEqual(
      changes.map(({ type, rev }) => ({ type, rev })),
    );
  });

  it('brings changes of the room, and its end', async () => {
    const room = await group('ben');
    const ben = await connect('ben');
    const updated = bodyOf(await tenant.as('ann').patch<RoomBody>(`/rooms/${room.room_id}`, { name: 'New' }));
    const { type: room_type, ...shown } = updated;
    expect(await ben.frame(isLast(room, 'room.updated'))).toEqual({
      ...shown,
      type: 'room.updated',
      // S26: the room's own type is not hidden by that of the frame.
      room_type,
      rev: 1,
    });
    bodyOf(await tenant.as('ann').delete(`/rooms/${room.room_id}`), 204);
    expect(await ben.frame(isLast(room, 'room.deleted'))).toEqual({
      type: 'room.deleted',
      room_id: room.room_id,
      rev: 2,
    });
  });

  it('brings a channel to users who join it, and to those who only listen', async () => {
    const room = await createRoom(tenant.as('ann'), 'channel');
    const [joiner, listener] = [await connect('joe'), await connect('lea')];
    const subscribed = await ask(listener, { type: 'subscribe', room_id: room.room_id }, 'subscribed');
    expect(subscribed).toMatchObject({ room_id: room.room_id, last_seq: 0, last_rev: 0 });
    bodyOf(await tenant.as('joe').post(`/rooms/${room.room_id}/join`));
    await send(tenant.as('ann'), room.room_id);
    for (const client of [joiner, listener]) {
      await client.frame(isLast(room, 'message'));
      expect(of(client, room, 'member.joined', 'message').map((f) => f['rev'])).toEqual([1, 2]);
    }
  });

  it('stops a room for one connection until it subscribes again', async () => {
    const room = await group('ben');
    const [quiet, other] = [await connect('ben'), await connect('ben')];
    await ask(quiet, { type: 'unsubscribe', room_id: room.room_id }, 'unsubscribed');
    await settled(other, 'ann', room);
    expect(of(quiet, room, 'message')).toEqual([]);
    const subscribed = await ask(quiet, { type: 'subscribe', room_id: room.room_id }, 'subscribed');
    expect(subscribed['last_seq']).toBe(1);
    await settled(quiet, 'ann', room);
    expect(of(quiet, room, 'message').map((m) => m['seq'])).toEqual([2]);
  });

  it('remembers that a room of a listener, or one unsubscribed before, is not wanted', async () => {
    const [room, channel] = [await group('ben'), await createRoom(tenant.as('ann'), 'channel')];
    const [ben, lea] = [await connect('ben'), await connect('lea')];
    await ask(lea, { type: 'subscribe', room_id: channel.room_id }, 'subscribed');
    for (let twice = 0; twice < 2; twice++) {
      await ask(ben, { type: 'unsubscribe', room_id: room.room_id }, 'unsubscribed');
      await ask(lea, { type: 'unsubscribe', room_id: channel.room_id }, 'unsubscribed');
    }
    await settled(await connect('ann'), 'ann', room);
    await settled(await connect('ann'), 'ann', channel);
    await Promise.all([ben, lea].map((client) => ask(client, { type: 'ping' }, 'pong')));
    expect([...of(ben, room, 'message'), ...of(lea, channel, 'message')]).toEqual([]);
  });

  it('refuses to subscribe where it must not', async () => {
    const room = await group('ben');
    const zoe = await connect('zoe');
    const refused = await ask(zoe, { type: 'subscribe', room_id: room.room_id }, 'error');
    expect(refused).toMatchObject({ code: 'AUTHORIZATION_ERROR' });
    for (const room_id of ['room_1', 'room_00000000000000000000000000000000'])
      expect(await ask(zoe, { type: 'subscribe', room_id }, 'error')).toMatchObject({ code: 'NOT_FOUND' });
  });

  it('tells live members how far somebody has read, from a socket and from REST', async () => {
    const room = await group('ben', 'cat');
    const [ann, ben] = [await connect('ann'), await connect('ben')];
    await send(tenant.as('ann'), room.room_id);
    await ask(ben, { type: 'ack', room_id: room.room_id, seq: 1 }, 'ack.received');
    const received = await ask(ben, { type: 'read', room_id: room.room_id, seq: 1 }, 'read.received');
    expect(received).toMatchObject({ room_id: room.room_id, seq: 1, user_id: 'ben' });
    bodyOf(await tenant.as('cat').post('/reads', { room_id: room.room_id, seq: 1 }));
    for (const user_id of ['ben', 'cat'])
      expect(await ann.frame(isLast(room, 'read.update', { user_id }))).toMatchObject({ seq: 1 });
  });

  it('keeps the order of many writers on every connection', async () => {
    const room = await group('ben', 'cat');
    const watchers = await Promise.all(['ann', 'ben', 'cat', 'ben'].map(connect));
    const writers = ['ann', 'ben', 'cat'];
    await Promise.all(
      Array.from({ length: 300 }, (_, i) =>
        i % 3 === 0
          ? ask(
              watchers[i % 4] as WsClient,
              { type: 'send_message', room_id: room.room_id, content: `${i}` },
              'message.accepted',
            )
          : post(tenant.as(writers[i % 3] ?? ''), room.room_id, { content: `${i}` }),
      ),
    );
    for (const client of watchers) {
      await client.frame(isLast(room, 'message', { seq: 300 }));
      expect(of(client, room, 'message').map((m) => m['seq'])).toEqual(Array.from({ length: 300 }, (_, i) => i + 1));
    }
  });

  it('misses nothing while connections come and go', async () => {
    const room = await group('ben');
    const sending = Array.from({ length: 200 }, (_, i) => post(tenant.as('ann'), room.room_id, { content: `${i}` }));
    const late = await Promise.all(Array.from({ length: 5 }, () => connect('ben')));
    await Promise.all(sending);
    for (const client of late) {
      await settled(client, 'ann', room);
      const seqs = of(client, room, 'message').map((m) => Number(m['seq']));
      expect(seqs).toEqual(seqs.map((_, i) => (seqs[0] ?? 0) + i));
    }
  });
});
