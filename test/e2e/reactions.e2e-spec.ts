import { startTestApp, type TestApp, type TestTenant } from '../support/app';
import { type Answer, type Api, errorOf } from '../support/http/api';
import { pathOf, send } from '../support/messages';
import { badField, bodyOf, CONFLICT, createRoom, FORBIDDEN, NOT_FOUND, refusal } from '../support/rooms';
import { Receiver, setWebhook } from '../support/webhooks/receiver';
import { type ServerFrame, WsClient } from '../support/ws/client';

interface Shown {
  readonly key: string;
  readonly count: number;
  readonly users: readonly string[];
  readonly mine?: boolean;
}

/** What is told of the reactions of a message. */
interface Told {
  readonly rev: number;
  readonly seq: number;
  readonly count: number;
  readonly reactions: readonly Shown[];
}

interface Listed {
  readonly seq: number;
  readonly rev: number;
  readonly reactions?: readonly Shown[];
  readonly reactions_rev?: number;
}

interface Changes {
  readonly changes: readonly { readonly type: string; readonly rev: number; readonly reactions?: readonly Shown[] }[];
}

const USERS = ['alice', 'bob', 'cat', 'dan'];

describe('reactions and pins', () => {
  let app: TestApp;
  let tenant: TestTenant;
  let room: string;
  let message: string;
  const clients: WsClient[] = [];

  beforeAll(async () => {
    app = await startTestApp({ env: { WEBHOOK_ALLOW_PRIVATE: 'true' } });
    tenant = await app.tenant({ requests_per_second: null });
  });
  afterEach(async () => {
    await Promise.all(clients.splice(0).map((client) => client.close()));
  });
  afterAll(() => app.close());
  beforeEach(async () => {
    room = (await createRoom(tenant.as('alice'), 'group', USERS)).room_id;
    message = (await send(tenant.as('alice'), room)).message_id;
  });

  const by = (userId: string): Api => tenant.as(userId);
  const reactions = (key = '', of = message): string =>
    `${pathOf(room, { message_id: of })}/reactions${key === '' ? '' : `/${encodeURIComponent(key)}`}`;
  const put = (userId: string, key: string): Promise<Answer<Told>> => by(userId).call<Told>('PUT', reactions(key));
  const take = (userId: string, key: string): Promise<Answer<unknown>> => by(userId).call('DELETE', reactions(key));
  const list = async (userId: string, path = `/rooms/${room}/messages`): Promise<readonly Listed[]> =>
    bodyOf(await by(userId).get<Listed[]>(path));
  const set = async (settings: object): Promise<void> => {
    bodyOf(await by('alice').patch(`/rooms/${room}`, { settings }));
  };

  async function connect(userId: string, query?: string): Promise<WsClient> {
    const client = await WsClient.connect(app.url, {
      headers: by(userId).headers,
      ...(query === undefined ? {} : { query }),
    });
    clients.push(client);
    await client.frame('hello');
    await client.ask({ type: 'ping' });
    return client;
  }
  /** Everything that was committed before has come. */
  async function settled(client: WsClient): Promise<void> {
    const { message_id } = await send(by('alice'), room);
    await client.frame((frame) => frame.type === 'message' && frame['message_id'] === message_id);
  }
  const updates = (client: WsClient): ServerFrame[] =>
    client.got('reaction.updated').filter((frame) => frame['room_id'] === room);

  it('are given once and taken back, whatever is repeated', async () => {
    const first = await put('bob', '👍');
    expect(bodyOf(first, 201)).toMatchObject({ seq: 1, rev: 2, key: '👍', count: 1 });
    expect(bodyOf(await put('bob', '👍'))).toEqual(first.body);
    expect((await take('bob', '👍')).status).toBe(204);
    expect((await take('bob', '👍')).status).toBe(204);
    expect(await list('bob')).toMatchObject([{ seq: 1, rev: 1, reactions: [], reactions_rev: 3 }]);
  });

  it('are compared as NFC, and are any text that shows', async () => {
    await put('bob', 'e\u0301');
    expect((await put('bob', '\u00e9')).status).toBe(200);
    for (const key of ['👩‍👩‍👧', '🎉'.repeat(64), ':+1:', 'a/b', '%41', ' '])
      expect([key, bodyOf(await put('bob', key), 201)]).toMatchObject([key, { key }]);
  });

  it.each([
    ['65 characters', 'a'.repeat(65)],
    ['a control', 'a\u0007'],
    ['a line feed', '\n'],
    ['a NUL', '\u0000'],
  ])('that are %s are refused', async (_, key) => {
    expect(refusal(await put('bob', key))).toEqual(badField('key'));
  });

  it('are part of the message wherever it is read, `mine` for their user alone', async () => {
    await put('bob', '👍');
    await put('cat', '👍');
    const shown = { key: '👍', count: 2, users: ['bob', 'cat'] };
    // Twice: from the log, and from memory.
    for (const userId of ['bob', 'alice', 'bob', 'alice'])
      expect((await list(userId))[0]?.reactions).toEqual([userId === 'bob' ? { ...shown, mine: true } : shown]);
    expect((await by('bob').get<Listed>(pathOf(room, { message_id: message }))).body.reactions).toEqual([
      { ...shown, mine: true },
    ]);
    const { changes } = bodyOf(await by('bob').get<Changes>(`/rooms/${room}/changes?after_rev=1`));
    expect(changes).toEqual([
      { type: 'reaction.updated', rev: 3, room_id: room, message_id: message, seq: 1, reactions: [shown] },
    ]);
    const edited = await by('alice').patch<Listed>(pathOf(room, { message_id: message }), { content: 'x' });
    expect(bodyOf(edited)).toMatchObject({ rev: 4, reactions: [shown], reactions_rev: 3 });
    const page = bodyOf(await by('alice').get<{ reactions: object[]; next: string }>(`${reactions()}?limit=1`));
    expect(page.reactions).toMatchObject([{ key: '👍', user_id: 'bob' }]);
    const rest = bodyOf(await by('alice').get<{ reactions: object[] }>(`${reactions()}?cursor=${page.next}`));
    expect(rest).toMatchObject({ reactions: [{ user_id: 'cat' }], next: null });
  });

  it('make another page of the one that they change, and of each user a page of their own', async () => {
    const path = `/rooms/${room}/messages`;
    const tag = async (userId: string): Promise<string> => (await by(userId).get(path)).headers.get('etag') ?? '';
    const before = await tag('bob');
    expect(await tag('cat')).toBe(before);
    await put('bob', '👍');
    const after = await tag('bob');
    expect(new Set([before, after, await tag('cat')]).size).toBe(3);
    const again = await by('bob').get(path, { headers: { 'If-None-Match': after } });
    expect(again.status).toBe(304);
    expect((await by('bob').get(path, { headers: { 'If-None-Match': before } })).status).toBe(200);
  });

  it('are refused to strangers, of what is not there, and by the room’s settings', async () => {
    expect(refusal(await put('mallory', 'x'))).toEqual(FORBIDDEN);
    const none = reactions('x', 'msg_019000000000700080000000ffffffff');
    expect(refusal(await by('bob').call('PUT', none))).toEqual(NOT_FOUND);
    expect(refusal(await by('bob').patch(`/rooms/${room}`, { settings: { reactions: 'off' } }))).toEqual(FORBIDDEN);
    await set({ reactions: 'off' });
    const refused = await put('bob', 'x');
    expect(refusal(refused)).toEqual(FORBIDDEN);
    expect(errorOf(refused)).toMatchObject({ details: { feature: 'reactions' } });
    const got = bodyOf(await by('bob').get<{ settings: object }>(`/rooms/${room}`));
    expect(got.settings).toEqual({ reactions: 'off', pin: 'members' });
    await set({ pin: 'admins' });
    expect(refusal(await by('bob').call('PUT', `/rooms/${room}/pins/${message}`))).toEqual(FORBIDDEN);
  });

  it('of the 31st kind are a conflict', async () => {
    for (let i = 0; i < 30; i++) expect((await put('bob', `k${i}`)).status).toBe(201);
    expect(refusal(await put('cat', 'one more'))).toEqual(CONFLICT);
    expect((await put('cat', 'k7')).status).toBe(201);
  });

  it('given by a hundred calls at once are one frame', async () => {
    const client = await connect('cat');
    const statuses = await Promise.all(Array.from({ length: 100 }, async () => (await put('bob', '👍')).status));
    expect(statuses.filter((status) => status === 201)).toHaveLength(1);
    await settled(client);
    expect(updates(client)).toEqual([
      {
        ...{ type: 'reaction.updated', room_id: room, message_id: message, seq: 1, rev: 2, key: '👍', user_id: 'bob' },
        ...{ on: true, count: 1, reactions: [{ key: '👍', count: 1, users: ['bob'] }] },
      },
    ]);
  });

  it('are given on the socket, too, and refused there by name', async () => {
    const client = await connect('bob');
    const frame = { type: 'react', room_id: room, message_id: message, key: '👍', on: true };
    const accepted = { type: 'reaction.accepted', key: '👍', on: true, count: 1, seq: 1 };
    expect(await client.ask(frame)).toMatchObject(accepted);
    expect(await client.ask(frame)).toMatchObject(accepted);
    expect(await client.ask({ ...frame, on: false })).toMatchObject({ on: false, count: 0 });
    expect(await client.ask({ ...frame, key: '\ud83d' })).toMatchObject({ code: 'VALIDATION_ERROR', field: 'key' });
    expect(await client.ask({ ...frame, key: 'a'.repeat(65) })).toMatchObject({ field: 'key' });
    await settled(client);
    expect(updates(client).map(({ rev }) => rev)).toEqual([2, 3]);
  });

  it('come to who was away as they are now, once, and go with their message', async () => {
    await put('bob', 'a');
    await put('cat', 'b');
    await put('dan', 'b');
    const away = await connect('cat', 'sync=manual');
    away.send({ type: 'sync', room_id: room, after_seq: 1, after_rev: 1 });
    await away.frame((frame) => frame.type === 'sync.complete' && frame['room_id'] === room);
    expect(updates(away)).toMatchObject([{ rev: 4, reactions: [{ key: 'a' }, { key: 'b', count: 2 }] }]);
    expect(updates(away)[0]).not.toHaveProperty('user_id');
    bodyOf(await by('alice').call('DELETE', pathOf(room, { message_id: message })), 204);
    expect((await list('bob'))[0]).not.toHaveProperty('reactions');
    expect(refusal(await put('bob', 'a'))).toEqual(NOT_FOUND);
  });

  it('are the same for everybody in the end, whatever frames were lost or came twice', async () => {
    const ids = [
      message,
      ...(await Promise.all([1, 2, 3].map(() => send(by('alice'), room)))).map((m) => m.message_id),
    ];
    const watching = await Promise.all(USERS.map((userId) => connect(userId)));
    const keys = ['a', 'b', 'c'];
    const toggles = Array.from({ length: 200 }, (_, i) => ({
      ...{ userId: USERS[i % 4] ?? '', of: ids[(i * 7) % 4] ?? '', key: keys[(i * 5) % 3] ?? '', on: i % 3 !== 0 },
    }));
    await Promise.all(
      toggles.map(({ userId, of, key, on }) => by(userId).call(on ? 'PUT' : 'DELETE', reactions(key, of))),
    );
    await Promise.all(watching.map(settled));
    const expected = new Map((await list('alice')).map((each) => [each.seq, each.reactions ?? []]));
    const counted = await app.database.sql(
      `SELECT r.seq::int, r.key, count(*)::int AS count FROM message_reactions r JOIN rooms m USING (tenant_id, room_id)
       WHERE 'room_' || replace(m.room_id::text, '-', '') = $1 GROUP BY 1, 2 ORDER BY 1, 2`,
      [room],
    );
    const shown = [...expected].flatMap(([seq, each]) => each.map(({ key, count }) => ({ seq, key, count })));
    expect(shown.sort((a, b) => a.seq - b.seq || a.key.localeCompare(b.key))).toEqual(counted);
    for (const [n, client] of watching.entries()) {
      // Every third frame is lost, and every second comes twice, late; a lost one is made good by the next sync.
      const frames = updates(client) as unknown as Told[];
      const heard = frames.filter((_, i) => i % 3 !== n % 3).flatMap((frame, i) => (i % 2 ? [frame] : [frame, frame]));
      const { changes } = bodyOf(await by('bob').get<Changes>(`/rooms/${room}/changes?limit=100`));
      const states = changes.filter(({ type }) => type === 'reaction.updated') as unknown as Told[];
      const have = new Map<number, Told>();
      for (const frame of [...heard, ...states, ...heard])
        if (frame.rev > (have.get(frame.seq)?.rev ?? 0)) have.set(frame.seq, frame);
      for (const [seq, each] of expected) {
        const mine = each.map(({ mine: _mine, ...rest }) => rest);
        expect([seq, have.get(seq)?.reactions ?? []]).toEqual([seq, mine]);
      }
    }
  });

  it('pins come first to last, are told, and end with their message', async () => {
    const client = await connect('cat');
    const other = await send(by('alice'), room);
    const pin = (of: string): string => `/rooms/${room}/pins/${of}`;
    bodyOf(await by('bob').call('PUT', pin(message)), 201);
    bodyOf(await by('cat').call('PUT', pin(message)), 200);
    bodyOf(await by('bob').call('PUT', pin(other.message_id)), 201);
    await put('cat', '👍');
    const pins = async (): Promise<unknown[]> =>
      bodyOf(await by('cat').get<{ pins: unknown[] }>(`/rooms/${room}/pins`)).pins;
    expect(await pins()).toMatchObject([
      { message: { message_id: other.message_id }, pinned_by: 'bob' },
      { message: { message_id: message, reactions: [{ mine: true }] }, pinned_by: 'bob' },
    ]);
    expect((await by('bob').call('DELETE', pin(other.message_id))).status).toBe(204);
    bodyOf(await by('alice').call('DELETE', pathOf(room, { message_id: message })), 204);
    expect(await pins()).toEqual([]);
    await settled(client);
    const told = client.frames.filter(({ type }) => /pinned/.test(type));
    expect(told).toMatchObject([
      { type: 'message.pinned', message_id: message, pinned_by: 'bob', pinned_at: expect.any(String) as string },
      { type: 'message.pinned', message_id: other.message_id },
      { type: 'message.unpinned', message_id: other.message_id, user_id: 'bob' },
    ]);
  });

  it('are posted to a webhook that asks for them', async () => {
    const receiver = await Receiver.start();
    try {
      const events = ['reaction.updated', 'message.pinned'];
      receiver.secret = await setWebhook(app, tenant, { url: receiver.url, events });
      await put('bob', '👍');
      await take('bob', '👍');
      await by('bob').call('PUT', `/rooms/${room}/pins/${message}`);
      await by('bob').call('DELETE', `/rooms/${room}/pins/${message}`);
      const ids = { message_id: message, seq: 1, user_id: 'bob' };
      const told = (await receiver.whenReceived('reaction.updated', 2)).map(({ data }) => data['reaction']);
      expect(told).toEqual(
        expect.arrayContaining([
          { ...ids, rev: 2, key: '👍', on: true, count: 1 },
          { ...ids, rev: 3, key: '👍', on: false, count: 0 },
        ]),
      );
      const [pinned] = await receiver.whenReceived('message.pinned');
      expect(pinned?.data).toMatchObject({ room: { room_id: room }, pin: { ...ids, rev: 4 } });
      expect(receiver.refused).toEqual([]);
    } finally {
      await receiver.stop();
    }
  });
});
