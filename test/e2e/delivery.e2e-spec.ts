import { startTestApp, type TestApp, type TestTenant } from '../support/app';
import type { Api } from '../support/http/api';
import { pathOf, send } from '../support/messages';
import { until } from '../support/poll';
import {
  badField,
  bodyOf,
  changesOf,
  createRoom,
  FORBIDDEN,
  listedRoom,
  NOT_FOUND,
  refusal,
  sendAll,
  signedIn,
} from '../support/rooms';
import { uuidOf } from '../support/tenants';
import { WsClient } from '../support/ws/client';

const UNKNOWN_ROOM = 'room_00000000000070008000000000000001';

describe('acks and reads', () => {
  let app: TestApp;
  let tenant: TestTenant;
  let alice: Api;
  let bob: Api;
  let room_id: string;

  beforeAll(async () => {
    app = await startTestApp();
    tenant = await app.tenant();
    alice = tenant.as('alice');
    bob = tenant.as('bob');
  });
  beforeEach(async () => {
    ({ room_id } = await createRoom(alice, 'group', ['bob']));
    await sendAll(alice, room_id, ['1', '2', '3', '4', '5']);
  });
  afterAll(() => app.close());

  const ack = (by: Api, seq: unknown, room: unknown = room_id) => by.post('/acks', { room_id: room, seq });
  const read = (by: Api, seq: unknown, room: unknown = room_id) => by.post('/reads', { room_id: room, seq });
  const position = async (by: Api) => {
    const { last_acked_seq, last_read_seq } = await listedRoom(by, room_id);
    return [last_acked_seq, last_read_seq];
  };

  it.each(['/acks', '/reads'])('%s answers success', async (path) => {
    const answer = await bob.post(path, { room_id, seq: 3 });
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({ success: true });
  });

  it('only move forward', async () => {
    for (const seq of [3, 1, 3, 0]) bodyOf(await ack(bob, seq));
    expect(await position(bob)).toEqual([3, 0]);
    for (const seq of [2, 1, 0]) bodyOf(await read(bob, seq));
    expect(await position(bob)).toEqual([3, 2]);
    bodyOf(await ack(bob, 5));
    expect(await position(bob)).toEqual([5, 2]);
  });

  it('are the member’s own', async () => {
    bodyOf(await read(bob, 4));
    expect(await position(alice)).toEqual([0, 0]);
  });

  it('make what is read delivered, and not the other way round', async () => {
    bodyOf(await read(bob, 4));
    expect(await position(bob)).toEqual([4, 4]);
    bodyOf(await ack(alice, 4));
    expect(await position(alice)).toEqual([4, 0]);
  });

  it.each(['/acks', '/reads'])('%s takes 0 and the newest, and refuses what lies beyond', async (path) => {
    bodyOf(await bob.post(path, { room_id, seq: 0 }));
    expect(await position(bob)).toEqual([0, 0]);
    for (const seq of [6, 1_000_000, Number.MAX_SAFE_INTEGER])
      expect(refusal(await bob.post(path, { room_id, seq }))).toEqual(badField('seq'));
    expect(await position(bob)).toEqual([0, 0]);
    bodyOf(await bob.post(path, { room_id, seq: 5 }));
    expect((await position(bob))[0]).toBe(5);
  });

  it.each([
    '-1',
    '1.5',
    '"1"',
    'null',
    'true',
    '[1]',
    '{}',
    '9007199254740992',
    '9223372036854775808',
    '-9223372036854775809',
    '1e400',
  ])('refuse the seq %s', async (seq) => {
    for (const path of ['/acks', '/reads']) {
      const answer = await bob.post(path, undefined, { raw: `{"room_id":"${room_id}","seq":${seq}}` });
      expect(refusal(answer)).toEqual(badField('seq'));
    }
    expect(await position(bob)).toEqual([0, 0]);
  });

  it('take whole numbers however JSON writes them', async () => {
    const bodies = ['-0', '0.0', '1.0', '2e0', '30e-1'].map((seq) => `{"room_id":"${room_id}","seq":${seq}}`);
    for (const raw of bodies) bodyOf(await bob.post('/acks', undefined, { raw }));
    expect(await position(bob)).toEqual([3, 0]);
  });

  it.each(['/acks', '/reads'])('refuse fields that are missing or unknown: %s', async (path) => {
    expect(refusal(await bob.post(path, { room_id }))).toEqual(badField('seq'));
    expect(refusal(await bob.post(path, { seq: 1 }))).toEqual(badField('room_id'));
    expect(refusal(await bob.post(path, { room_id: 7, seq: 1 }))).toEqual(badField('room_id'));
    expect(refusal(await bob.post(path, { room_id, seq: 1, user_id: 'alice' }))).toEqual(badField('user_id'));
    expect(refusal(await bob.post(path))).toMatchObject({ status: 400, code: 'VALIDATION_ERROR' });
  });

  it('know no room of a malformed or unknown id', async () => {
    for (const room of [UNKNOWN_ROOM, 'room_1', '', 'x'.repeat(1000), room_id.toUpperCase()]) {
      expect(refusal(await ack(bob, 0, room))).toEqual(NOT_FOUND);
      expect(refusal(await read(bob, 0, room))).toEqual(NOT_FOUND);
    }
  });

  it('are for members, in a channel too, and also while they last', async () => {
    const channel = await createRoom(alice, 'channel', ['bob']);
    await sendAll(alice, channel.room_id, ['1']);
    for (const [by, room] of [
      [tenant.as('stranger'), room_id],
      [tenant.as('stranger'), channel.room_id],
    ] as const) {
      expect(refusal(await ack(by, 0, room))).toEqual(FORBIDDEN);
      expect(refusal(await read(by, 9, room))).toEqual(FORBIDDEN);
    }
    bodyOf(await read(bob, 1, channel.room_id));
    bodyOf(await bob.delete(`/rooms/${channel.room_id}/members/bob`), 204);
    expect(refusal(await read(bob, 1, channel.room_id))).toEqual(FORBIDDEN);
  });

  it('count for the user of a token, whatever else is said', async () => {
    const browser = await signedIn(tenant, 'bob', app.anonymous);
    bodyOf(await read(browser.with({ 'x-user-id': 'alice' }), 2));
    expect(await position(bob)).toEqual([2, 2]);
    expect(await position(alice)).toEqual([0, 0]);
  });

  it('end at the highest of many that come at once, and are no change of the room', async () => {
    const seqs = [3, 1, 5, 2, 4, 0];
    const answers = await Promise.all(seqs.flatMap((seq) => [ack(bob, seq), read(bob, Math.min(seq, 4))]));
    for (const answer of answers) bodyOf(answer);
    expect(await position(bob)).toEqual([5, 4]);
    expect((await changesOf(bob, room_id)).map((change) => change.type)).toEqual(Array(5).fill('message'));
  });

  describe('what members set for themselves', () => {
    const me = (by: Api, body: object) => by.patch(`/rooms/${room_id}/me`, body);
    const unread = (by: Api, seq: unknown) => by.post(`/rooms/${room_id}/unread`, { seq });
    const own = async (by: Api) => (await listedRoom(by, room_id)).me;
    const NOTHING = { muted_until: null, hidden: false, favourite: false, notify: 'all', unread_seq: null };

    it('is kept by field, listed with the room, and theirs alone', async () => {
      const until = '2099-01-31T12:00:00.000Z';
      expect(bodyOf(await me(bob, { muted_until: until }))).toEqual({ room_id, ...NOTHING, muted_until: until });
      bodyOf(await me(bob, { favourite: true, notify: 'mentions' }));
      const set = { ...NOTHING, muted_until: until, favourite: true, notify: 'mentions' };
      expect([await own(bob), await own(alice)]).toEqual([set, NOTHING]);
      bodyOf(await me(bob, { muted_until: null, hidden: true }));
      expect(await own(bob)).toEqual({ ...set, muted_until: null, hidden: true });
      bodyOf(await bob.delete(`/rooms/${room_id}/members/bob`), 204);
      bodyOf(await alice.post(`/rooms/${room_id}/members`, { user_ids: ['bob'] }));
      expect(await own(bob)).toEqual(NOTHING);
    });

    it('reaches their other connections, and nobody else', async () => {
      const [mine, theirs] = await Promise.all(
        ['bob', 'alice'].map((user) =>
          WsClient.connect(app.url.replace('http', 'ws'), {
            headers: { 'x-api-key': tenant.apiKey, 'x-user-id': user },
          }),
        ),
      );
      await Promise.all([mine?.frame('sync.complete'), theirs?.frame('sync.complete')]);
      bodyOf(await me(bob, { favourite: true }));
      expect(await mine?.frame('room.me')).toEqual({ type: 'room.me', room_id, ...NOTHING, favourite: true });
      bodyOf(await unread(bob, 2));
      expect(await mine?.frame(({ unread_seq }) => unread_seq === 2)).toMatchObject({
        type: 'room.me',
        favourite: true,
      });
      // One that moves nothing clears it, too.
      bodyOf(await read(bob, 0));
      expect(await mine?.frame((frame) => frame === mine.got('room.me')[2])).toMatchObject({ unread_seq: null });
      await send(alice, room_id);
      await theirs?.frame('message');
      expect(theirs?.got('room.me')).toEqual([]);
      for (const socket of [mine, theirs]) await socket?.close();
    });

    it('a mark of an unread room counts from there, moves no position, and goes with any later read', async () => {
      bodyOf(await read(bob, 5));
      expect(bodyOf(await unread(bob, 4))).toMatchObject({ unread_seq: 4 });
      expect(await listedRoom(bob, room_id)).toMatchObject({ unread_count: 2, last_read_seq: 5, last_acked_seq: 5 });
      bodyOf(await ack(bob, 5));
      expect(await own(bob)).toMatchObject({ unread_seq: 4 });
      bodyOf(await read(bob, 3));
      expect(await listedRoom(bob, room_id)).toMatchObject({ unread_count: 0, last_read_seq: 5, me: NOTHING });
      // Many at once go another way than one.
      bodyOf(await unread(bob, 1));
      await Promise.all([1, 2, 3, 4, 5].map((seq) => read(bob, seq)));
      expect(await own(bob)).toEqual(NOTHING);
      // What is unread already stays so.
      bodyOf(await unread(alice, 5));
      expect(await listedRoom(alice, room_id)).toMatchObject({ unread_count: 0, last_read_seq: 0 });
    });

    it('a mark is refused where nothing can be unread', async () => {
      for (const seq of [0, 6, 1.5, 'x']) expect(refusal(await unread(bob, seq))).toEqual(badField('seq'));
      bodyOf(await alice.post(`/rooms/${room_id}/members`, { user_ids: ['late'] }));
      expect(refusal(await unread(tenant.as('late'), 5))).toEqual(badField('seq'));
      expect(refusal(await unread(tenant.as('mallory'), 1))).toEqual(FORBIDDEN);
      expect(await own(bob)).toEqual(NOTHING);
    });

    it.each([
      ['muted_until', { muted_until: 'tomorrow' }],
      ['muted_until', { muted_until: '1969-01-01T00:00:00.000Z' }],
      ['hidden', { hidden: 'yes' }],
      ['notify', { notify: 'some' }],
      ['colour', { colour: 'red' }],
      ['muted_until', {}],
    ])('refuses a bad %s', async (field, body) => {
      expect(refusal(await me(bob, body))).toEqual(badField(field));
      expect(refusal(await me(tenant.as('mallory'), { hidden: true }))).toEqual(FORBIDDEN);
      expect(await own(bob)).toEqual(NOTHING);
    });
  });

  describe('receipts of a message', () => {
    const receipts = async (by: Api, seq: number, query = '') => {
      const [message] = bodyOf(
        await by.get<{ message_id: string }[]>(`/rooms/${room_id}/messages?around=${seq}&limit=1`),
      );
      return by.get<{ receipts: object[]; next: string | null }>(
        `${pathOf(room_id, message ?? { message_id: '' })}/receipts${query}`,
      );
    };

    it('say who has it and who has read it, of those for whom it was, page by page', async () => {
      bodyOf(await alice.post(`/rooms/${room_id}/members`, { user_ids: ['carol', 'dave'] }));
      const { seq } = await send(alice, room_id);
      bodyOf(await alice.post(`/rooms/${room_id}/members`, { user_ids: ['late'] }));
      bodyOf(await read(bob, seq));
      bodyOf(await ack(tenant.as('carol'), seq));
      const all = [
        { user_id: 'bob', delivered: true, read: true },
        { user_id: 'carol', delivered: true, read: false },
        { user_id: 'dave', delivered: false, read: false },
      ];
      expect(bodyOf(await receipts(bob, seq))).toEqual({ receipts: all, next: null });
      const first = bodyOf(await receipts(alice, seq, '?limit=2'));
      expect(first.receipts).toEqual(all.slice(0, 2));
      const second = bodyOf(await receipts(alice, seq, `?limit=2&cursor=${first.next ?? ''}`));
      expect(second).toEqual({ receipts: all.slice(2), next: null });
      expect(bodyOf(await receipts(bob, 1)).receipts).toEqual([all[0]]);
      expect(refusal(await receipts(bob, 1, '?cursor=x'))).toEqual(badField('cursor'));
    });

    it('are for whom the tenant says', async () => {
      const path = `/admin/tenants/${tenant.tenantId}`;
      const setTo = async (read_receipts: string | null) =>
        bodyOf(await app.master.patch(path, { settings: { read_receipts } }));
      const asked = (by: Api, status: number) =>
        until(
          () => receipts(by, 1),
          (answer) => answer.status === status,
        );
      await setTo('admins');
      expect(await asked(bob, 403)).toMatchObject({ body: { error: { details: { feature: 'read_receipts' } } } });
      await asked(alice, 200);
      await setTo('off');
      await asked(alice, 403);
      await setTo(null);
      await asked(bob, 200);
    });
  });

  describe('the history of a message', () => {
    it('is kept where the tenant says so, and goes with the message', async () => {
      const path = `/admin/tenants/${tenant.tenantId}`;
      const kept = async (): Promise<number> =>
        (await app.database.sql<{ n: number }>('SELECT count(*)::int AS n FROM message_versions'))[0]?.n ?? NaN;
      const { message_id } = await send(alice, room_id, { content: 'one', meta: { b: 1, a: 2 } });
      const at = pathOf(room_id, { message_id });
      const history = () => bob.get<{ versions: { content: string }[]; next: string | null }>(`${at}/history`);
      bodyOf(await alice.patch(at, { content: 'two' }));
      expect([await kept(), refusal(await history())]).toEqual([0, FORBIDDEN]);
      bodyOf(await app.master.patch(path, { settings: { message_history: 'on' } }));
      bodyOf(await alice.patch(at, { content: 'three', meta: {} }));
      bodyOf(await alice.patch(at, { content: 'four' }));
      const { body } = await until(history, ({ status }) => status === 200);
      expect(body).toMatchObject({
        versions: [
          { content: 'two', meta: { b: 1, a: 2 } },
          { content: 'three', meta: {} },
        ],
        next: null,
      });
      expect(refusal(await tenant.as('mallory').get(`${at}/history`))).toEqual(FORBIDDEN);
      bodyOf(await alice.delete(at), 204);
      expect([await kept(), bodyOf(await history()).versions]).toEqual([0, []]);
      const other = pathOf(room_id, await send(alice, room_id));
      bodyOf(await alice.patch(other, { content: 'edited' }));
      expect(await kept()).toBe(1);
      bodyOf(await app.master.patch(path, { settings: { message_history: null } }));
      await until(kept, (n) => n === 0);
    });

    it('is kept hidden under a legal hold when the message is deleted', async () => {
      bodyOf(await app.master.patch(`/admin/tenants/${tenant.tenantId}`, { settings: { message_history: 'on' } }));
      const at = pathOf(room_id, await send(alice, room_id, { content: 'first' }));
      bodyOf(await alice.patch(at, { content: 'second' }));
      await app.database.sql('UPDATE rooms SET legal_hold = true WHERE room_id = $1', [uuidOf(room_id)]);
      bodyOf(await alice.patch(at, { content: 'third' }));
      bodyOf(await alice.delete(at), 204);
      const held = 'SELECT content FROM held_messages WHERE room_id = $1 ORDER BY rev';
      const kept = await app.database.sql<{ content: string }>(held, [uuidOf(room_id)]);
      expect(kept.map(({ content }) => content)).toEqual(['first', 'second', 'third']);
      expect(
        bodyOf(
          await until(
            () => bob.get<{ versions: object[] }>(`${at}/history`),
            ({ status }) => status === 200,
          ),
        ).versions,
      ).toEqual([]);
    });
  });

  describe('a page around a message', () => {
    const around = async (of: string, query = '') => {
      const answer = await bob.get<{ seq: number; message_id: string }[]>(
        `/rooms/${room_id}/messages?around=${of}${query}`,
      );
      const [older, newer] = ['x-has-older', 'x-has-newer'].map((name) => answer.headers.get(name));
      return { answer, shown: [bodyOf(answer).map(({ seq }) => seq), older, newer] };
    };

    it('has half of it before, by seq and by id', async () => {
      await sendAll(alice, room_id, ['6', '7', '8', '9']);
      expect((await around('5', '&limit=4')).shown).toEqual([[3, 4, 5, 6], 'true', 'true']);
      expect((await around('1', '&limit=4')).shown).toEqual([[1, 2], 'false', 'true']);
      expect((await around('9', '&limit=3')).shown).toEqual([[8, 9], 'true', 'false']);
      expect((await around('5')).shown).toEqual([[1, 2, 3, 4, 5, 6, 7, 8, 9], 'false', 'false']);
      const [one] = (await around('7', '&limit=1')).answer.body;
      expect((await around(one?.message_id ?? '', '&limit=2')).shown).toEqual([[6, 7], 'true', 'true']);
    });

    it('is 404 where the room has no such message, or keeps it no more', async () => {
      const [first] = (await around('1', '&limit=1')).answer.body;
      await app.database.sql('UPDATE rooms SET first_seq = 3 WHERE room_id = $1', [uuidOf(room_id)]);
      for (const id of ['0', '2', '6', 'msg_x', first?.message_id ?? ''])
        expect((await bob.get(`/rooms/${room_id}/messages?around=${id}`)).body).toMatchObject({
          error: { code: 'NOT_FOUND', details: { first_seq: 3, last_seq: 5 } },
        });
      expect((await around('3', '&limit=2')).shown).toEqual([[3], 'false', 'true']);
      for (const other of ['after_seq=1', 'before_seq=9', 'order=asc', 'offset=1'])
        expect(refusal(await bob.get(`/rooms/${room_id}/messages?around=3&${other}`))).toEqual(badField('around'));
      expect(refusal(await tenant.as('mallory').get(`/rooms/${room_id}/messages?around=3`))).toEqual(FORBIDDEN);
    });
  });
});
