import { startTestApp, type TestApp, type TestTenant } from '../support/app';
import type { Api } from '../support/http/api';
import {
  badField,
  bodyOf,
  createRoom,
  listedRoom,
  listRooms,
  refusal,
  type RoomPageBody,
  sendAll,
  sendMany,
  signedIn,
} from '../support/rooms';

const ISO = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/;

describe('list of rooms', () => {
  let app: TestApp;
  let tenant: TestTenant;
  let alice: Api;
  let bob: Api;

  beforeAll(async () => {
    app = await startTestApp();
  });
  beforeEach(async () => {
    tenant = await app.tenant();
    alice = tenant.as('alice');
    bob = tenant.as('bob');
  });
  afterAll(() => app.close());

  const group = async () => (await createRoom(alice, 'group', ['bob'])).room_id;
  const ids = (page: RoomPageBody): string[] => page.rooms.map((room) => room.room_id);
  const delivered = (by: Api, room_id: string, seq: number) => by.post('/acks', { room_id, seq });
  const read = (by: Api, room_id: string, seq: number) => by.post('/reads', { room_id, seq });

  describe('my rooms', () => {
    it('is empty for a user whom nobody knows', async () => {
      const page = await listRooms(tenant.as('nobody'));
      expect(page).toEqual({ rooms: [], total: 0, offset: 0, limit: 50, has_more: false });
    });

    it('shows each room as it is elsewhere, with my position and the newest message', async () => {
      const created = await createRoom(alice, 'group', ['bob'], { name: 'Team', metadata: { a: 1 } });
      const { room_id } = created;
      const sent = await sendAll(alice, room_id, ['one', 'two']);
      await bob.post(`/rooms/${room_id}/messages`, { content: 'three', meta: { b: [2] } });
      await delivered(bob, room_id, 2);
      await read(bob, room_id, 1);
      expect(await listRooms(bob)).toEqual({
        rooms: [
          {
            ...created,
            last_seq: 3,
            last_rev: 3,
            last_acked_seq: 2,
            last_read_seq: 1,
            unread_count: 1,
            last_message: {
              message_id: expect.stringMatching(/^msg_[0-9a-f]{32}$/),
              seq: 3,
              sender_id: 'bob',
              content: 'three',
              truncated: false,
              meta: { b: [2] },
              created_at: expect.stringMatching(ISO),
              edited_at: null,
              deleted_at: null,
            },
            me: { muted_until: null, hidden: false, favourite: false, notify: 'all', unread_seq: null },
          },
        ],
        total: 1,
        offset: 0,
        limit: 50,
        has_more: false,
      });
      expect(sent).toHaveLength(2);
    });

    it('shows a room without messages', async () => {
      expect(await listedRoom(bob, await group())).toMatchObject({
        last_seq: 0,
        last_acked_seq: 0,
        last_read_seq: 0,
        unread_count: 0,
        last_message: null,
      });
    });

    it('has the newest activity first: a message, or the creation', async () => {
      const [one, two, three] = [await group(), await group(), await group()];
      expect(ids(await listRooms(bob))).toEqual([three, two, one]);
      await sendAll(alice, one, ['up']);
      expect(ids(await listRooms(bob))).toEqual([one, three, two]);
      const four = await group();
      expect(ids(await listRooms(alice))).toEqual([four, one, three, two]);
      await sendAll(bob, two, ['up']);
      expect(ids(await listRooms(bob))).toEqual([two, four, one, three]);
    });

    it('is not reordered by reading, settings or members', async () => {
      const [one, two] = [await group(), await group()];
      await sendAll(alice, one, ['hello']);
      await sendAll(alice, two, ['hello']);
      await read(bob, one, 1);
      await alice.patch(`/rooms/${one}`, { name: 'changed' });
      await alice.post(`/rooms/${one}/members`, { user_ids: ['carol'] });
      expect(ids(await listRooms(bob))).toEqual([two, one]);
    });

    it('has only the rooms that I am in: not the channels that I may read', async () => {
      const channel = await createRoom(alice, 'channel');
      const joined = await createRoom(alice, 'channel');
      await bob.post(`/rooms/${joined.room_id}/join`);
      const dm = await createRoom(alice, 'dm', ['bob']);
      const others = await createRoom(alice, 'dm', ['carol', 'dave']);
      expect(ids(await listRooms(bob))).toEqual([dm.room_id, joined.room_id]);
      expect(ids(await listRooms(alice))).toEqual([dm.room_id, joined.room_id, channel.room_id]);
      expect(ids(await listRooms(tenant.as('dave')))).toEqual([others.room_id]);
      const browser = await signedIn(tenant, 'bob', app.anonymous);
      expect(await listRooms(browser.with({ 'x-user-id': 'alice' }))).toEqual(await listRooms(bob));
    });

    it('pages without a gap or a double and says whether there is more', async () => {
      const created = [];
      for (let i = 0; i < 7; i++) created.unshift(await group());
      const first = await listRooms(bob, '?limit=3');
      expect(first).toMatchObject({ total: 7, offset: 0, limit: 3, has_more: true });
      const second = await listRooms(bob, '?limit=3&offset=3');
      expect(second).toMatchObject({ total: 7, offset: 3, limit: 3, has_more: true });
      const third = await listRooms(bob, '?limit=3&offset=6');
      expect(third).toMatchObject({ total: 7, offset: 6, limit: 3, has_more: false });
      expect([first, second, third].flatMap(ids)).toEqual(created);
      expect(await listRooms(bob, '?limit=7')).toMatchObject({ total: 7, has_more: false });
      expect(await listRooms(bob, '?offset=7')).toMatchObject({ rooms: [], total: 7, offset: 7, has_more: false });
    });

    it.each([
      ['limit', 'limit=0'],
      ['limit', 'limit=101'],
      ['limit', 'limit=1.0'],
      ['limit', 'limit=0x10'],
      ['offset', 'offset=-1'],
      ['offset', 'offset=9007199254740993'],
      ['scope', 'scope=mine'],
      ['scope', 'scope=joinable&scope=joinable'],
    ])('refuses a bad %s: %s', async (field, query) => {
      expect(refusal(await bob.get(`/rooms?${query}`))).toEqual(badField(field));
    });
  });

  describe('unread messages', () => {
    it('are those after my last read one, not my own and not deleted', async () => {
      const room_id = await group();
      const sent = await sendAll(alice, room_id, ['1', '2', '3', '4']);
      await sendAll(bob, room_id, ['5']);
      expect((await listedRoom(bob, room_id)).unread_count).toBe(4);
      expect((await listedRoom(alice, room_id)).unread_count).toBe(1);
      await read(bob, room_id, 1);
      expect((await listedRoom(bob, room_id)).unread_count).toBe(3);
      bodyOf(await alice.delete(`/rooms/${room_id}/messages/${sent[2]?.message_id ?? ''}`), 204);
      expect((await listedRoom(bob, room_id)).unread_count).toBe(2);
      await alice.patch(`/rooms/${room_id}/messages/${sent[3]?.message_id ?? ''}`, { content: 'edited' });
      expect((await listedRoom(bob, room_id)).unread_count).toBe(2);
      await read(bob, room_id, 5);
      expect(await listedRoom(bob, room_id)).toMatchObject({ unread_count: 0, last_acked_seq: 5, last_read_seq: 5 });
      await sendAll(alice, room_id, ['6']);
      expect((await listedRoom(bob, room_id)).unread_count).toBe(1);
    });

    it('do not go away by being delivered', async () => {
      const room_id = await group();
      await sendAll(alice, room_id, ['1', '2']);
      await delivered(bob, room_id, 2);
      expect(await listedRoom(bob, room_id)).toMatchObject({ unread_count: 2, last_acked_seq: 2, last_read_seq: 0 });
    });

    it('begin at the end of the log for who joins late, at its beginning for founding members', async () => {
      const { room_id } = await createRoom(alice, 'channel', ['bob']);
      await sendAll(alice, room_id, ['1', '2']);
      const [carol, dave] = [tenant.as('carol'), tenant.as('dave')];
      await carol.post(`/rooms/${room_id}/join`);
      await alice.post(`/rooms/${room_id}/members`, { user_ids: ['dave'] });
      for (const late of [carol, dave])
        expect(await listedRoom(late, room_id)).toMatchObject({ last_acked_seq: 2, last_read_seq: 2, unread_count: 0 });
      expect(await listedRoom(bob, room_id)).toMatchObject({ last_acked_seq: 0, last_read_seq: 0, unread_count: 2 });
      await sendAll(alice, room_id, ['3']);
      for (const late of [carol, dave]) expect((await listedRoom(late, room_id)).unread_count).toBe(1);
      bodyOf(await read(carol, room_id, 1));
      expect(await listedRoom(carol, room_id)).toMatchObject({ last_acked_seq: 2, last_read_seq: 2, unread_count: 1 });
      bodyOf(await delivered(dave, room_id, 3));
      expect(await listedRoom(dave, room_id)).toMatchObject({ last_acked_seq: 3, last_read_seq: 2, unread_count: 1 });
    });

    it('are counted exactly up to 1,000', async () => {
      const room_id = await group();
      await sendMany(alice, room_id, 1010);
      const unreadAfter = async (seq: number) => {
        bodyOf(await read(bob, room_id, seq));
        return (await listedRoom(bob, room_id)).unread_count;
      };
      expect((await listedRoom(bob, room_id)).unread_count).toBe(1000);
      expect(await unreadAfter(9)).toBe(1000);
      expect(await unreadAfter(10)).toBe(1000);
      expect(await unreadAfter(11)).toBe(999);
      expect(await unreadAfter(1010)).toBe(0);
    });

    it('are each room’s own', async () => {
      const [one, two] = [await group(), await group()];
      await sendAll(alice, one, ['1', '2', '3']);
      await sendAll(alice, two, ['1']);
      await read(bob, one, 2);
      const { rooms } = await listRooms(bob);
      expect(rooms.map((room) => [room.room_id, room.unread_count, room.last_read_seq])).toEqual([
        [two, 1, 0],
        [one, 1, 2],
      ]);
    });
  });

  describe('the newest message', () => {
    it('is shown as edited or, deleted, as its tombstone', async () => {
      const room_id = await group();
      const [, second] = await sendAll(alice, room_id, ['first', 'second']);
      const path = `/rooms/${room_id}/messages/${second?.message_id ?? ''}`;
      await alice.patch(path, { content: 'edited' });
      expect((await listedRoom(bob, room_id)).last_message).toMatchObject({
        seq: 2,
        content: 'edited',
        edited_at: expect.stringMatching(ISO),
        deleted_at: null,
      });
      bodyOf(await alice.delete(path), 204);
      expect(await listedRoom(bob, room_id)).toMatchObject({
        unread_count: 1,
        last_message: { seq: 2, content: '', meta: null, deleted_at: expect.stringMatching(ISO) },
      });
    });
  });

  describe('scope=joinable', () => {
    it('lists the channels that I am not in, newest first, without a position', async () => {
      const first = await createRoom(alice, 'channel', [], { name: 'first' });
      const second = await createRoom(alice, 'channel');
      const mine = await createRoom(alice, 'channel', ['bob']);
      await group();
      const page = await listRooms(bob, '?scope=joinable');
      expect(page).toEqual({ rooms: [second, first], total: 2, offset: 0, limit: 50, has_more: false });
      await bob.post(`/rooms/${second.room_id}/join`);
      expect(ids(await listRooms(bob, '?scope=joinable'))).toEqual([first.room_id]);
      await bob.delete(`/rooms/${mine.room_id}/members/bob`);
      expect(ids(await listRooms(bob, '?scope=joinable'))).toEqual([mine.room_id, first.room_id]);
      expect(await listRooms(alice, '?scope=joinable')).toMatchObject({ rooms: [], total: 0 });
    });

    it('pages, and shows no channel of another tenant', async () => {
      const channels = [];
      for (let i = 0; i < 3; i++) channels.unshift((await createRoom(alice, 'channel')).room_id);
      const first = await listRooms(bob, '?scope=joinable&limit=2');
      expect(first).toMatchObject({ total: 3, has_more: true });
      const second = await listRooms(bob, '?scope=joinable&limit=2&offset=2');
      expect(second).toMatchObject({ total: 3, has_more: false });
      expect([first, second].flatMap(ids)).toEqual(channels);
      expect((await listRooms((await app.tenant()).as('bob'), '?scope=joinable')).total).toBe(0);
    });
  });
});
