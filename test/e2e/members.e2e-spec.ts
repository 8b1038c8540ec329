import { startTestApp, type TestApp, type TestTenant } from '../support/app';
import { type Answer, type Api } from '../support/http/api';
import {
  badField,
  bodyOf,
  changesOf,
  CONFLICT,
  createRoom,
  FORBIDDEN,
  getRoom,
  listedRoom,
  listRooms,
  type MemberBody,
  NOT_FOUND,
  refusal,
  rolesIn,
  sendAll,
  signedIn,
  userIds,
} from '../support/rooms';

const ISO = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/;
const UNKNOWN_ROOM = 'room_00000000000070008000000000000001';

describe('members', () => {
  let app: TestApp;
  let tenant: TestTenant;
  let alice: Api;
  let bob: Api;

  beforeAll(async () => {
    app = await startTestApp();
    tenant = await app.tenant();
    alice = tenant.as('alice');
    bob = tenant.as('bob');
  });
  afterAll(() => app.close());

  /** A room with alice as admin and bob and carol as members. */
  const room = async (type = 'group') => (await createRoom(alice, type, ['bob', 'carol'])).room_id;
  const add = (by: Api, roomId: string, body: object): Promise<Answer<MemberBody[]>> =>
    by.post<MemberBody[]>(`/rooms/${roomId}/members`, body);
  const setRole = (by: Api, roomId: string, userId: string, role: unknown): Promise<Answer<MemberBody>> =>
    by.patch<MemberBody>(`/rooms/${roomId}/members/${encodeURIComponent(userId)}`, { role });
  const remove = (by: Api, roomId: string, userId: string): Promise<Answer> =>
    by.delete(`/rooms/${roomId}/members/${encodeURIComponent(userId)}`);
  const join = (by: Api, roomId: string): Promise<Answer<MemberBody>> => by.post<MemberBody>(`/rooms/${roomId}/join`);

  describe('listing', () => {
    it('shows whole members in the order of joining, with their count', async () => {
      const { room_id } = await createRoom(alice, 'group', ['zed', 'abe']);
      await add(alice, room_id, { user_ids: ['mia', 'Bea'] });
      const answer = await alice.get<MemberBody[]>(`/rooms/${room_id}/members`);
      expect(answer.headers.get('x-total-count')).toBe('5');
      expect(answer.body.map((member) => member.user_id)).toEqual(['alice', 'zed', 'abe', 'mia', 'Bea']);
      expect(answer.body[0]).toEqual({
        user_id: 'alice',
        role: 'admin',
        joined_at: expect.stringMatching(ISO),
        status: 'offline',
        last_seen_at: null,
      });
    });

    it('pages with limit and offset', async () => {
      const { room_id } = await createRoom(alice, 'group', userIds('p', 120));
      const page = async (query: string) => {
        const answer = await alice.get<MemberBody[]>(`/rooms/${room_id}/members${query}`);
        const ids = bodyOf(answer).map((member) => member.user_id);
        expect(answer.headers.get('x-total-count')).toBe('121');
        return ids;
      };
      const all = ['alice', ...userIds('p', 120)];
      expect(await page('')).toEqual(all.slice(0, 50));
      expect(await page('?limit=100')).toEqual(all.slice(0, 100));
      expect(await page('?limit=100&offset=100')).toEqual(all.slice(100));
      expect(await page('?limit=1&offset=120')).toEqual(['p120']);
      expect(await page('?offset=121')).toEqual([]);
      expect(await page('?offset=1000000000000')).toEqual([]);
    });

    it.each([
      ['limit', 'limit=0'],
      ['limit', 'limit=101'],
      ['limit', 'limit=-1'],
      ['limit', 'limit=1.5'],
      ['limit', 'limit=ten'],
      ['limit', 'limit=1&limit=2'],
      ['limit', 'limit=99999999999999999999'],
      ['offset', 'offset=-1'],
      ['offset', 'offset=1e3'],
      ['offset', 'offset=99999999999999999999'],
    ])('refuses a %s out of range: %s', async (field, query) => {
      expect(refusal(await alice.get(`/rooms/${await room()}/members?${query}`))).toEqual(badField(field));
    });

    it('is for members, in a channel for everybody', async () => {
      const stranger = tenant.as('stranger');
      expect(refusal(await stranger.get(`/rooms/${await room()}/members`))).toEqual(FORBIDDEN);
      expect(await rolesIn(stranger, await room('channel'))).toHaveLength(3);
      expect(refusal(await alice.get(`/rooms/${UNKNOWN_ROOM}/members`))).toEqual(NOT_FOUND);
      expect(refusal(await alice.get('/rooms/room_x/members'))).toEqual(NOT_FOUND);
    });
  });

  describe('adding', () => {
    it('answers with those who were named and shows each as one revision, in the given order', async () => {
      const roomId = await room();
      const added = bodyOf(await add(alice, roomId, { user_ids: ['zoe', 'adam', 'zoe', 'bob'] }));
      expect(added.map((member) => `${member.user_id}:${member.role}`)).toEqual([
        'bob:member',
        'zoe:member',
        'adam:member',
      ]);
      expect(await rolesIn(tenant.as('adam'), roomId)).toEqual([
        'alice:admin',
        'bob:member',
        'carol:member',
        'zoe:member',
        'adam:member',
      ]);
      expect(await getRoom(bob, roomId)).toMatchObject({ member_count: 5, last_rev: 2 });
      const event = { type: 'member.joined', room_id: roomId, role: 'member', by: 'alice' };
      expect(await changesOf(bob, roomId)).toEqual([
        { ...event, rev: 1, user_id: 'zoe' },
        { ...event, rev: 2, user_id: 'adam' },
      ]);
    });

    it('gives the role that is asked for to new ones and leaves the others as they are', async () => {
      const roomId = await room();
      const added = bodyOf(await add(alice, roomId, { user_ids: ['bob', 'dan'], role: 'admin' }));
      expect(added.map((member) => `${member.user_id}:${member.role}`)).toEqual(['bob:member', 'dan:admin']);
      bodyOf(await add(tenant.as('dan'), roomId, { user_ids: ['alice', 'eve'], role: null }));
      expect(await rolesIn(bob, roomId)).toEqual([
        'alice:admin',
        'bob:member',
        'carol:member',
        'dan:admin',
        'eve:member',
      ]);
    });

    it('changes nothing where all are members already', async () => {
      const roomId = await room();
      expect(bodyOf(await add(alice, roomId, { user_ids: ['carol', 'bob'] }))).toHaveLength(2);
      expect(await getRoom(bob, roomId)).toMatchObject({ member_count: 3, last_rev: 0 });
    });

    it('takes 1,000 ids and refuses 1,001', async () => {
      const { room_id } = await createRoom(alice, 'group');
      expect(bodyOf(await add(alice, room_id, { user_ids: userIds('k', 1000) }))).toHaveLength(1000);
      expect(await getRoom(alice, room_id)).toMatchObject({ member_count: 1001, last_rev: 1000 });
      expect(refusal(await add(alice, room_id, { user_ids: userIds('k', 1001) }))).toEqual(badField('user_ids'));
    });

    it('is for room admins, in a channel too', async () => {
      for (const roomId of [await room(), await room('channel')])
        for (const user of ['bob', 'stranger'])
          expect(refusal(await add(tenant.as(user), roomId, { user_ids: ['x'] }))).toEqual(FORBIDDEN);
      expect(refusal(await add(alice, UNKNOWN_ROOM, { user_ids: ['x'] }))).toEqual(NOT_FOUND);
    });

    it('lets an admin with a user token add and remove others', async () => {
      const fay = await signedIn(tenant, 'fay', app.anonymous);
      const { room_id } = await createRoom(fay, 'group');
      bodyOf(await add(fay, room_id, { user_ids: ['bob'] }));
      bodyOf(await setRole(fay, room_id, 'bob', 'admin'));
      bodyOf(await remove(fay, room_id, 'bob'), 204);
      expect(await rolesIn(fay, room_id)).toEqual(['fay:admin']);
    });

    it.each([
      ['user_ids', {}],
      ['user_ids', { user_ids: [] }],
      ['user_ids', { user_ids: null }],
      ['user_ids', { user_ids: 'bob' }],
      ['user_ids[0]', { user_ids: ['agent_helper'] }],
      ['user_ids[1]', { user_ids: ['bob', 'two words'] }],
      ['role', { user_ids: ['bob'], role: 'agent' }],
      ['role', { user_ids: ['bob'], role: 'owner' }],
      ['user_id', { user_ids: ['bob'], user_id: 'bob' }],
    ])('refuses a bad %s: %j', async (field, body) => {
      expect(refusal(await add(alice, await room(), body))).toEqual(badField(field));
    });
  });

  describe('a dm', () => {
    it('has fixed members', async () => {
      const [one, two] = [tenant.as('one'), tenant.as('two')];
      const { room_id } = await createRoom(one, 'dm', ['two']);
      const answers = await Promise.all([
        add(one, room_id, { user_ids: ['three'] }),
        add(alice, room_id, { user_ids: ['three'] }),
        setRole(one, room_id, 'two', 'admin'),
        setRole(one, room_id, 'one', 'admin'),
        remove(one, room_id, 'two'),
        remove(two, room_id, 'two'),
        remove(alice, room_id, 'two'),
        join(one, room_id),
        join(alice, room_id),
      ]);
      expect(answers.map(refusal)).toEqual(answers.map(() => FORBIDDEN));
      expect(await rolesIn(one, room_id)).toEqual(['one:member', 'two:member']);
      expect(await getRoom(one, room_id)).toMatchObject({ member_count: 2, last_rev: 0 });
    });
  });

  describe('roles', () => {
    it('are set by admins, each change as one revision', async () => {
      const roomId = await room();
      expect(bodyOf(await setRole(alice, roomId, 'bob', 'admin'))).toMatchObject({ user_id: 'bob', role: 'admin' });
      expect(bodyOf(await setRole(bob, roomId, 'alice', 'member'))).toMatchObject({ user_id: 'alice', role: 'member' });
      expect(await rolesIn(bob, roomId)).toEqual(['alice:member', 'bob:admin', 'carol:member']);
      const event = { type: 'member.updated', room_id: roomId };
      expect(await changesOf(bob, roomId)).toEqual([
        { ...event, rev: 1, user_id: 'bob', role: 'admin', by: 'alice' },
        { ...event, rev: 2, user_id: 'alice', role: 'member', by: 'bob' },
      ]);
    });

    it('stay as they are without a revision where nothing changes', async () => {
      const roomId = await room();
      expect(bodyOf(await setRole(alice, roomId, 'alice', 'admin')).role).toBe('admin');
      expect(bodyOf(await setRole(alice, roomId, 'bob', 'member')).role).toBe('member');
      expect((await getRoom(alice, roomId)).last_rev).toBe(0);
    });

    it('always leave an admin', async () => {
      const roomId = await room();
      expect(refusal(await setRole(alice, roomId, 'alice', 'member'))).toEqual(CONFLICT);
      expect(await rolesIn(alice, roomId)).toEqual(['alice:admin', 'bob:member', 'carol:member']);
      bodyOf(await setRole(alice, roomId, 'bob', 'admin'));
      bodyOf(await setRole(alice, roomId, 'alice', 'member'));
      expect(refusal(await setRole(bob, roomId, 'bob', 'member'))).toEqual(CONFLICT);
    });

    it('are not for plain members, strangers and those who are not in the room', async () => {
      const roomId = await room('channel');
      expect(refusal(await setRole(bob, roomId, 'bob', 'admin'))).toEqual(FORBIDDEN);
      expect(refusal(await setRole(tenant.as('stranger'), roomId, 'bob', 'admin'))).toEqual(FORBIDDEN);
      for (const user of ['stranger', 'agent_x', 'two words', 'x'.repeat(129), 'ü', '%00'])
        expect(refusal(await setRole(alice, roomId, user, 'admin'))).toEqual(NOT_FOUND);
      expect(refusal(await setRole(alice, UNKNOWN_ROOM, 'bob', 'admin'))).toEqual(NOT_FOUND);
    });

    it.each([undefined, null, 'agent', 'ADMIN', 1])('refuses the role %j', async (role) => {
      expect(refusal(await setRole(alice, await room(), 'bob', role))).toEqual(badField('role'));
    });
  });

  describe('removing and leaving', () => {
    it('lets an admin remove anyone, as one revision', async () => {
      const roomId = await room();
      const removed = await remove(alice, roomId, 'bob');
      expect(bodyOf(removed, 204)).toBe('');
      expect(refusal(await bob.get(`/rooms/${roomId}`))).toEqual(FORBIDDEN);
      expect(refusal(await bob.post(`/rooms/${roomId}/messages`, { content: 'late' }))).toEqual(FORBIDDEN);
      expect((await listRooms(bob, '?limit=100')).rooms.map((listed) => listed.room_id)).not.toContain(roomId);
      expect(await getRoom(alice, roomId)).toMatchObject({ member_count: 2, last_rev: 1 });
      expect(await changesOf(alice, roomId)).toEqual([
        { rev: 1, type: 'member.left', room_id: roomId, user_id: 'bob', role: 'member', by: 'alice' },
      ]);
    });

    it('lets an admin remove another admin', async () => {
      const roomId = await room();
      await setRole(alice, roomId, 'bob', 'admin');
      bodyOf(await remove(bob, roomId, 'alice'), 204);
      expect(await rolesIn(bob, roomId)).toEqual(['bob:admin', 'carol:member']);
    });

    it('lets anyone leave, and nobody but an admin remove others', async () => {
      const roomId = await room();
      expect(refusal(await remove(bob, roomId, 'carol'))).toEqual(FORBIDDEN);
      expect(refusal(await remove(bob, roomId, 'alice'))).toEqual(FORBIDDEN);
      expect(refusal(await remove(tenant.as('stranger'), roomId, 'carol'))).toEqual(FORBIDDEN);
      bodyOf(await remove(bob, roomId, 'bob'), 204);
      expect(refusal(await remove(bob, roomId, 'bob'))).toEqual(FORBIDDEN);
      expect(await rolesIn(alice, roomId)).toEqual(['alice:admin', 'carol:member']);
      expect(await changesOf(alice, roomId)).toMatchObject([{ type: 'member.left', user_id: 'bob', by: 'bob' }]);
    });

    it('does not find those who are not in the room', async () => {
      const roomId = await room('channel');
      for (const user of ['stranger', 'agent_x', 'two words', 'x'.repeat(129)])
        expect(refusal(await remove(alice, roomId, user))).toEqual(NOT_FOUND);
      expect(refusal(await remove(tenant.as('stranger'), roomId, 'stranger'))).toEqual(NOT_FOUND);
      expect(refusal(await remove(alice, UNKNOWN_ROOM, 'alice'))).toEqual(NOT_FOUND);
      expect((await getRoom(alice, roomId)).last_rev).toBe(0);
    });

    it('takes ids with every character that an id may have', async () => {
      const odd = '!"#$%&\'()*+-./:;<=>?@[\\]^_`{|}~';
      const { room_id } = await createRoom(alice, 'group', [odd, 'a/b', '%2F', '..']);
      for (const user of [odd, 'a/b', '%2F']) {
        expect(bodyOf(await setRole(alice, room_id, user, 'admin')).user_id).toBe(user);
        bodyOf(await remove(alice, room_id, user), 204);
      }
      expect(await rolesIn(alice, room_id)).toEqual(['alice:admin', '..:member']);
    });

    it('promotes the oldest member when the last admin leaves', async () => {
      const roomId = await room();
      // Bob comes back and is then the youngest: carol has been there longest.
      bodyOf(await remove(alice, roomId, 'bob'), 204);
      bodyOf(await add(alice, roomId, { user_ids: ['bob'] }));
      bodyOf(await remove(alice, roomId, 'alice'), 204);
      expect(await rolesIn(bob, roomId)).toEqual(['carol:admin', 'bob:member']);
      expect((await changesOf(bob, roomId)).slice(2)).toEqual([
        { rev: 3, type: 'member.left', room_id: roomId, user_id: 'alice', role: 'admin', by: 'alice' },
        { rev: 4, type: 'member.updated', room_id: roomId, user_id: 'carol', role: 'admin', by: 'alice' },
      ]);
      expect(await getRoom(bob, roomId)).toMatchObject({ member_count: 2, last_rev: 4 });
    });

    it('promotes nobody while an admin is left', async () => {
      const roomId = await room();
      await setRole(alice, roomId, 'carol', 'admin');
      bodyOf(await remove(alice, roomId, 'alice'), 204);
      expect(await rolesIn(bob, roomId)).toEqual(['bob:member', 'carol:admin']);
      expect((await getRoom(bob, roomId)).last_rev).toBe(2);
    });

    it('lets the last one leave a group, which nobody sees any more', async () => {
      const { room_id } = await createRoom(alice, 'group');
      bodyOf(await remove(alice, room_id, 'alice'), 204);
      expect(refusal(await alice.get(`/rooms/${room_id}`))).toEqual(FORBIDDEN);
      expect(refusal(await add(alice, room_id, { user_ids: ['alice'] }))).toEqual(FORBIDDEN);
    });

    it('begins at the end of the log for who comes back', async () => {
      const roomId = await room();
      await sendAll(alice, roomId, ['one', 'two']);
      bodyOf(await bob.post('/reads', { room_id: roomId, seq: 1 }));
      await remove(bob, roomId, 'bob');
      await sendAll(alice, roomId, ['three']);
      await add(alice, roomId, { user_ids: ['bob'], role: 'admin' });
      expect(await rolesIn(alice, roomId)).toEqual(['alice:admin', 'carol:member', 'bob:admin']);
      expect(await listedRoom(bob, roomId)).toMatchObject({ last_acked_seq: 3, last_read_seq: 3, unread_count: 0 });
    });
  });

  describe('joining', () => {
    it('is open to every user of the tenant, as one revision; again changes nothing', async () => {
      const roomId = await room('channel');
      const dave = tenant.as('dave');
      const joined = bodyOf(await join(dave, roomId));
      expect(joined).toMatchObject({ user_id: 'dave', role: 'member', status: 'offline' });
      expect(bodyOf(await join(dave, roomId))).toEqual(joined);
      expect(bodyOf(await join(alice, roomId)).role).toBe('admin');
      expect(await getRoom(dave, roomId)).toMatchObject({ member_count: 4, last_rev: 1 });
      expect(await changesOf(dave, roomId)).toEqual([
        { rev: 1, type: 'member.joined', room_id: roomId, user_id: 'dave', role: 'member', by: 'dave' },
      ]);
      await sendAll(dave, roomId, ['hello']);
    });

    it('works with a user token, and once when asked many times at once', async () => {
      const roomId = await room('channel');
      const gil = await signedIn(tenant, 'gil', app.anonymous);
      const answers = await Promise.all(Array.from({ length: 8 }, () => join(gil, roomId)));
      for (const answer of answers) expect(bodyOf(answer)).toEqual(bodyOf(answers[0] ?? answer));
      expect(await getRoom(gil, roomId)).toMatchObject({ member_count: 4, last_rev: 1 });
    });

    it('is not for groups, members or not', async () => {
      const roomId = await room();
      for (const user of ['alice', 'bob', 'stranger'])
        expect(refusal(await join(tenant.as(user), roomId))).toEqual(FORBIDDEN);
      expect(refusal(await join(alice, UNKNOWN_ROOM))).toEqual(NOT_FOUND);
    });

    it('makes whoever joins an emptied channel its admin', async () => {
      const { room_id } = await createRoom(alice, 'channel');
      bodyOf(await remove(alice, room_id, 'alice'), 204);
      expect(await getRoom(bob, room_id)).toMatchObject({ member_count: 0 });
      expect(await rolesIn(bob, room_id)).toEqual([]);
      expect(refusal(await bob.patch(`/rooms/${room_id}`, { name: 'mine' }))).toEqual(FORBIDDEN);
      expect(bodyOf(await join(bob, room_id)).role).toBe('admin');
      expect(bodyOf(await join(alice, room_id)).role).toBe('member');
      expect(await changesOf(bob, room_id)).toMatchObject([
        { rev: 1, type: 'member.left', user_id: 'alice' },
        { rev: 2, type: 'member.joined', user_id: 'bob', role: 'admin' },
        { rev: 3, type: 'member.joined', user_id: 'alice', role: 'member' },
      ]);
    });
  });
});
