import { startTestApp, type TestApp, type TestTenant } from '../support/app';
import { type Api, errorOf } from '../support/http/api';
import {
  badField,
  bodyOf,
  changesOf,
  CONFLICT,
  createRoom,
  FORBIDDEN,
  getRoom,
  listRooms,
  type MemberBody,
  NOT_FOUND,
  objectOfBytes,
  refusal,
  type RoomBody,
  rolesIn,
  sendAll,
  signedIn,
  userIds,
} from '../support/rooms';

const ISO = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/;
const UNKNOWN_ROOM = 'room_00000000000070008000000000000001';

describe('rooms', () => {
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

  describe('creating a group or channel', () => {
    it('answers with the whole room, of which the caller is admin', async () => {
      const input = { type: 'group', members: ['bob', 'carol'], name: 'Team', metadata: { a: [1, null] } };
      const room = bodyOf(await alice.post<RoomBody>('/rooms', input), 201);
      expect(room).toEqual({
        room_id: expect.stringMatching(/^room_[0-9a-f]{32}$/),
        type: 'group',
        unique_key: null,
        name: 'Team',
        metadata: { a: [1, null] },
        posting: 'members',
        settings: { reactions: 'distinct', pin: 'members' },
        first_seq: 1,
        last_seq: 0,
        last_rev: 0,
        member_count: 3,
        created_at: expect.stringMatching(ISO),
        updated_at: expect.stringMatching(ISO),
      });
      expect(await rolesIn(bob, room.room_id)).toEqual(['alice:admin', 'bob:member', 'carol:member']);
      expect(await changesOf(bob, room.room_id)).toEqual([]);
    });

    it.each(['group', 'channel'])('takes null for absent: a %s needs a type and nothing else', async (type) => {
      const input = { type, members: null, name: null, metadata: null, posting: null };
      const room = bodyOf(await alice.post<RoomBody>('/rooms', input), 201);
      expect(room).toMatchObject({ type, name: null, metadata: null, posting: 'members', member_count: 1 });
      expect(bodyOf(await alice.post<RoomBody>('/rooms', { type }), 201)).toMatchObject({ type, member_count: 1 });
    });

    it('ignores duplicates and the caller among the members', async () => {
      const room = await createRoom(alice, 'group', ['bob', 'alice', 'bob']);
      expect(room.member_count).toBe(2);
      expect(await rolesIn(alice, room.room_id)).toEqual(['alice:admin', 'bob:member']);
    });

    it('makes users of unknown ids', async () => {
      const { room_id } = await createRoom(alice, 'group', ['never!seen']);
      const users = await app.database.sql(`SELECT 1 FROM users WHERE user_id = 'never!seen'`);
      expect(users).toHaveLength(1);
      const { body } = await alice.get<MemberBody[]>(`/rooms/${room_id}/members`);
      expect(body[1]).toMatchObject({ user_id: 'never!seen', status: 'offline', last_seen_at: null });
    });

    it('takes 1,000 ids in a call and refuses 1,001', async () => {
      expect((await createRoom(alice, 'group', userIds('m', 1000))).member_count).toBe(1001);
      const tooMany = await alice.post('/rooms', { type: 'group', members: userIds('m', 1001) });
      expect(refusal(tooMany)).toEqual(badField('members'));
    });

    it('lets a user token create a group of others, as its own user', async () => {
      const dora = await signedIn(tenant, 'dora', app.anonymous);
      const room = await createRoom(dora.with({ 'x-user-id': 'alice' }), 'group', ['bob']);
      expect(await rolesIn(dora, room.room_id)).toEqual(['dora:admin', 'bob:member']);
    });

    it.each(['ai', 'AI', '', 'constructor', 7, {}])(
      'refuses the type %j with the words of the documentation',
      async (type) => {
        const answer = await alice.post('/rooms', { type, members: ['bob'] });
        expect(refusal(answer)).toEqual(badField('type'));
        expect(errorOf(answer).message).toBe('Invalid room type. Must be one of: dm, group, channel');
      },
    );

    it('refuses to go without a type', async () => {
      expect(refusal(await alice.post('/rooms', { members: ['bob'] }))).toEqual(badField('type'));
    });

    it.each([
      ['members', 'bob'],
      ['members', { 0: 'bob' }],
      ['members[1]', ['bob', 'agent_default']],
      ['members[0]', ['']],
      ['members[0]', ['a b']],
      ['members[0]', ['a,b']],
      ['members[0]', ['Zoë']],
      ['members[0]', ['a\u0000']],
      ['members[0]', ['x'.repeat(129)]],
      ['members[1]', ['bob', 5]],
      ['members[0]', [null]],
    ])('refuses a bad id and names %s', async (field, members) => {
      expect(refusal(await alice.post('/rooms', { type: 'group', members }))).toEqual(badField(field));
    });

    it.each([
      ['posting', { posting: 'nobody' }],
      ['title', { title: 'a typo' }],
      ['unique_key', { unique_key: 'dm:a:b' }],
      ['name', { name: '' }],
      ['name', { name: 5 }],
      ['name', { name: 'a\u0000' }],
      ['name', { name: '\ud800' }],
      ['name', { name: '😀'.repeat(201) }],
      ['metadata', { metadata: [] }],
      ['metadata', { metadata: '{}' }],
      ['metadata', { metadata: { a: ['\u0000'] } }],
      ['metadata', { metadata: objectOfBytes(8193) }],
      ['metadata', { metadata: objectOfBytes(8193, '😀') }],
    ])('refuses a bad %s', async (field, more) => {
      expect(refusal(await alice.post('/rooms', { type: 'group', ...more }))).toEqual(badField(field));
    });

    it.each([
      ['a name of 200 characters, four bytes each', { name: '😀'.repeat(200) }],
      ['a name in any script', { name: '\u202eשלום 👩‍👩‍👧 e\u0301' }],
      ['8 KB of metadata', { metadata: objectOfBytes(8192) }],
      ['8 KB of metadata in bytes, not characters', { metadata: objectOfBytes(8192, '😀') }],
      [
        'every kind of JSON in metadata',
        { metadata: { 'ключ "\\': [1.5, -1e-7, 1e300, true, null, { '': '\u2028' }] } },
      ],
      ['an empty object as metadata', { metadata: {} }],
    ])('keeps %s as it came', async (_what, more) => {
      const room = await createRoom(alice, 'group', [], more);
      expect(room).toMatchObject(more);
      expect(await getRoom(alice, room.room_id)).toMatchObject(more);
    });
  });

  describe('creating a dm', () => {
    it('takes just the other one, or both', async () => {
      const short = await createRoom(tenant.as('d1'), 'dm', ['d2']);
      expect(short).toMatchObject({ type: 'dm', unique_key: 'dm:d1:d2', member_count: 2, name: null });
      expect(await rolesIn(tenant.as('d2'), short.room_id)).toEqual(['d1:member', 'd2:member']);
      const long = await createRoom(tenant.as('d3'), 'dm', ['d4', 'd3', 'd4']);
      expect((await rolesIn(tenant.as('d4'), long.room_id)).sort()).toEqual(['d3:member', 'd4:member']);
    });

    it('lets a key name two others, and the caller is then no member', async () => {
      const { room_id } = await createRoom(alice, 'dm', ['d5', 'd6']);
      expect(await rolesIn(tenant.as('d6'), room_id)).toEqual(['d5:member', 'd6:member']);
      expect(refusal(await alice.get(`/rooms/${room_id}`))).toEqual(FORBIDDEN);
    });

    it.each([
      ['nobody', undefined],
      ['an empty list', []],
      ['only the caller', ['alice']],
      ['the caller twice', ['alice', 'alice']],
      ['three people', ['alice', 'bob', 'carol']],
    ])('refuses %s', async (_who, members) => {
      expect(refusal(await alice.post('/rooms', { type: 'dm', members }))).toEqual(badField('members'));
    });

    it('refuses posting', async () => {
      const answer = await alice.post('/rooms', { type: 'dm', members: ['d7'], posting: 'admins' });
      expect(refusal(answer)).toEqual(badField('posting'));
    });

    it('lets a user token create only dms of its own user', async () => {
      const erin = await signedIn(tenant, 'erin', app.anonymous);
      const others = { type: 'dm', members: ['d8', 'd9'] };
      expect(refusal(await erin.post('/rooms', others))).toEqual(FORBIDDEN);
      expect(refusal(await erin.with({ 'x-user-id': 'd8' }).post('/rooms', others))).toEqual(FORBIDDEN);
      expect((await createRoom(erin, 'dm', ['d8'])).unique_key).toBe('dm:d8:erin');
      expect((await createRoom(erin, 'dm', ['erin', 'd9'])).unique_key).toBe('dm:d9:erin');
    });

    it.each([
      ['dm:a', 'dm%b', 'dm:dm%25b:dm%3Aa'],
      ['a', 'B', 'dm:B:a'],
      ['9', '10', 'dm:10:9'],
      ['_x', '~x', 'dm:_x:~x'],
      ['u:v', 'u%3Av', 'dm:u%253Av:u%3Av'],
    ])('has one key for the pair %s and %s, sorted by bytes and escaped', async (one, other, key) => {
      const room = await createRoom(tenant.as(one), 'dm', [other]);
      expect(room.unique_key).toBe(key);
      const again = await tenant.as(other).post('/rooms', { type: 'dm', members: [other, one] });
      expect(refusal(again)).toEqual(CONFLICT);
      expect(errorOf(again).details).toMatchObject({ room_id: room.room_id });
    });

    it('creates one of many that are asked for at once and names it to the others', async () => {
      const callers = Array.from({ length: 12 }, (_, i) => ['r1', 'r2', 'server'][i % 3] ?? '');
      const answers = await Promise.all(
        callers.map((user) => tenant.as(user).post('/rooms', { type: 'dm', members: ['r2', 'r1'] })),
      );
      const created = answers.filter((answer) => answer.status === 201);
      const refused = answers.filter((answer) => answer.status !== 201);
      expect(created).toHaveLength(1);
      expect(refused).toHaveLength(11);
      const roomId = created[0]?.body['room_id'];
      for (const answer of refused)
        expect(errorOf(answer)).toMatchObject({ code: 'CONFLICT', details: { room_id: roomId } });
      expect((await listRooms(tenant.as('r1'))).rooms.map((room) => room.room_id)).toEqual([roomId]);
    });

    it('is another dm in another tenant', async () => {
      const other = await app.tenant();
      const here = await createRoom(tenant.as('t1'), 'dm', ['t2']);
      const there = await createRoom(other.as('t1'), 'dm', ['t2']);
      expect(there.room_id).not.toBe(here.room_id);
    });
  });

  describe('reading', () => {
    it('shows a room to its members, and a channel to every user of the tenant', async () => {
      const group = await createRoom(alice, 'group', ['bob']);
      const channel = await createRoom(alice, 'channel');
      expect(await getRoom(bob, group.room_id)).toEqual(group);
      expect(await getRoom(tenant.as('stranger'), channel.room_id)).toEqual(channel);
      expect(refusal(await tenant.as('stranger').get(`/rooms/${group.room_id}`))).toEqual(FORBIDDEN);
    });

    it('counts messages in last_seq and every change in last_rev', async () => {
      const { room_id } = await createRoom(alice, 'group', ['bob']);
      await sendAll(bob, room_id, ['one', 'two']);
      await alice.patch(`/rooms/${room_id}`, { name: 'n' });
      expect(await getRoom(bob, room_id)).toMatchObject({ last_seq: 2, last_rev: 3 });
    });

    it.each([
      UNKNOWN_ROOM,
      'room_1',
      'room_',
      'x',
      UNKNOWN_ROOM.toUpperCase(),
      UNKNOWN_ROOM.slice(5),
      '%00',
      '%F0%9F%98%80',
    ])('knows no room %s', async (id) => {
      expect(refusal(await alice.get(`/rooms/${id}`))).toEqual(NOT_FOUND);
      expect(refusal(await alice.patch(`/rooms/${id}`, { name: 'n' }))).toEqual(NOT_FOUND);
      expect(refusal(await alice.delete(`/rooms/${id}`))).toEqual(NOT_FOUND);
    });
  });

  describe('changing', () => {
    it('is for the admins of a group', async () => {
      const { room_id } = await createRoom(alice, 'group', ['bob']);
      for (const user of ['bob', 'stranger'])
        expect(refusal(await tenant.as(user).patch(`/rooms/${room_id}`, { name: 'n' }))).toEqual(FORBIDDEN);
      const changed = bodyOf(await alice.patch<RoomBody>(`/rooms/${room_id}`, { name: 'n', posting: 'admins' }));
      expect(changed).toMatchObject({ name: 'n', posting: 'admins', metadata: null, last_rev: 1 });
      expect(await getRoom(bob, room_id)).toEqual(changed);
    });

    it('is not for a channel’s readers and plain members', async () => {
      const { room_id } = await createRoom(alice, 'channel', ['bob']);
      for (const user of ['bob', 'stranger'])
        expect(refusal(await tenant.as(user).patch(`/rooms/${room_id}`, { name: 'n' }))).toEqual(FORBIDDEN);
    });

    it('is for both of a dm, except posting', async () => {
      const { room_id } = await createRoom(tenant.as('p1'), 'dm', ['p2']);
      bodyOf(await tenant.as('p1').patch(`/rooms/${room_id}`, { name: 'first' }));
      bodyOf(await tenant.as('p2').patch(`/rooms/${room_id}`, { metadata: { by: 'p2' } }));
      expect(await getRoom(tenant.as('p1'), room_id)).toMatchObject({ name: 'first', metadata: { by: 'p2' } });
      const posting = await tenant.as('p1').patch(`/rooms/${room_id}`, { posting: 'admins' });
      expect(refusal(posting)).toEqual(badField('posting'));
      expect(refusal(await alice.patch(`/rooms/${room_id}`, { name: 'n' }))).toEqual(FORBIDDEN);
    });

    it('merges metadata by top-level key; null removes a key', async () => {
      const { room_id } = await createRoom(alice, 'group', [], {
        metadata: { keep: 1, drop: 2, nested: { a: 1, b: 2 } },
      });
      const patch = { metadata: { drop: null, absent: null, nested: { b: null }, more: [null] } };
      const { metadata } = bodyOf(await alice.patch<RoomBody>(`/rooms/${room_id}`, patch));
      expect(metadata).toEqual({ keep: 1, nested: { b: null }, more: [null] });
      const emptied = { metadata: { keep: null, nested: null, more: null } };
      expect(bodyOf(await alice.patch<RoomBody>(`/rooms/${room_id}`, emptied)).metadata).toEqual({});
    });

    it('measures metadata after the merge', async () => {
      const { room_id } = await createRoom(alice, 'group', [], { metadata: objectOfBytes(8001) });
      const path = `/rooms/${room_id}`;
      const fits = { b: 'é'.repeat(92) };
      expect(Buffer.byteLength(JSON.stringify({ ...objectOfBytes(8001), ...fits }))).toBe(8192);
      expect(refusal(await alice.patch(path, { metadata: { b: `${fits.b}x` } }))).toEqual(badField('metadata'));
      expect(await getRoom(alice, room_id)).toMatchObject({ last_rev: 0, metadata: objectOfBytes(8001) });
      bodyOf(await alice.patch(path, { metadata: fits }));
      bodyOf(await alice.patch(path, { metadata: { a: null, c: 'x'.repeat(7000) } }));
    });

    it('measures numbers as JSON writes them', async () => {
      const { room_id } = await createRoom(alice, 'group');
      const numbers = Array.from({ length: 100 }, (_, i) => [1e308, 5e-324, -1.5e21, 1e-7][i % 4]);
      const { metadata } = bodyOf(await alice.patch<RoomBody>(`/rooms/${room_id}`, { metadata: { numbers } }));
      expect(metadata).toEqual({ numbers });
    });

    it.each([{}, { name: null }, { name: null, metadata: null, posting: null }])(
      'refuses %j: nothing sent',
      async (body) => {
        const { room_id } = await createRoom(alice, 'group');
        expect(refusal(await alice.patch(`/rooms/${room_id}`, body))).toEqual(badField('name'));
        expect((await getRoom(alice, room_id)).last_rev).toBe(0);
      },
    );

    it('takes null for absent beside what is sent', async () => {
      const { room_id } = await createRoom(alice, 'group', [], { name: 'old', metadata: { a: 1 } });
      const body = { name: null, metadata: null, posting: 'admins' };
      expect(bodyOf(await alice.patch<RoomBody>(`/rooms/${room_id}`, body))).toMatchObject({
        name: 'old',
        metadata: { a: 1 },
        posting: 'admins',
      });
    });

    it.each([
      ['name', { name: '' }],
      ['name', { name: '😀'.repeat(201) }],
      ['posting', { posting: 'none' }],
      ['metadata', { metadata: [] }],
      ['metadata', { metadata: objectOfBytes(8193) }],
      ['type', { type: 'channel' }],
      ['members', { name: 'n', members: ['bob'] }],
    ])('refuses a bad %s', async (field, body) => {
      const { room_id } = await createRoom(alice, 'group');
      expect(refusal(await alice.patch(`/rooms/${room_id}`, body))).toEqual(badField(field));
    });

    it('shows each change as one revision', async () => {
      const { room_id } = await createRoom(alice, 'group', ['bob']);
      await alice.patch(`/rooms/${room_id}`, { name: 'one' });
      await sendAll(bob, room_id, ['hello']);
      await alice.patch(`/rooms/${room_id}`, { metadata: { a: 1 } });
      const changes = await changesOf(bob, room_id);
      expect(changes).toMatchObject([
        { rev: 1, type: 'room.updated', room_id, name: 'one', metadata: null, last_seq: 0, last_rev: 1 },
        { rev: 2, type: 'message', content: 'hello' },
        { rev: 3, type: 'room.updated', room_id, name: 'one', metadata: { a: 1 }, last_seq: 1, last_rev: 3 },
      ]);
    });

    it('loses nothing when many merge at once', async () => {
      const { room_id } = await createRoom(alice, 'group');
      const keys = userIds('key', 20);
      await Promise.all(keys.map((key) => alice.patch(`/rooms/${room_id}`, { metadata: { [key]: key } })));
      const room = await getRoom(alice, room_id);
      expect(room.metadata).toEqual(Object.fromEntries(keys.map((key) => [key, key])));
      expect(room.last_rev).toBe(20);
      expect((await changesOf(alice, room_id)).map((change) => change.rev)).toEqual(keys.map((_, i) => i + 1));
    });

    it('lets only admins post where posting says so', async () => {
      const { room_id } = await createRoom(alice, 'channel', ['bob', 'carol'], { posting: 'admins' });
      const post = (user: string) => tenant.as(user).post(`/rooms/${room_id}/messages`, { content: 'hi' });
      expect(refusal(await post('bob'))).toEqual(FORBIDDEN);
      bodyOf(await post('alice'), 201);
      await alice.patch(`/rooms/${room_id}/members/bob`, { role: 'admin' });
      bodyOf(await post('bob'), 201);
      expect(refusal(await post('carol'))).toEqual(FORBIDDEN);
      await alice.patch(`/rooms/${room_id}`, { posting: 'members' });
      bodyOf(await post('carol'), 201);
      expect(refusal(await post('stranger'))).toEqual(FORBIDDEN);
    });
  });

  describe('deleting', () => {
    it.each(['group', 'channel'])('is for the admins of a %s', async (type) => {
      const { room_id } = await createRoom(alice, type, ['bob']);
      for (const user of ['bob', 'stranger'])
        expect(refusal(await tenant.as(user).delete(`/rooms/${room_id}`))).toEqual(FORBIDDEN);
      bodyOf(await alice.delete(`/rooms/${room_id}`), 204);
    });

    it('is not possible for a dm', async () => {
      const { room_id } = await createRoom(tenant.as('x1'), 'dm', ['x2']);
      for (const user of ['x1', 'x2', 'stranger'])
        expect(refusal(await tenant.as(user).delete(`/rooms/${room_id}`))).toEqual(FORBIDDEN);
      bodyOf(await tenant.as('x2').get(`/rooms/${room_id}`));
    });

    it('takes the room away everywhere', async () => {
      const { room_id } = await createRoom(alice, 'channel', ['gone']);
      const sent = await sendAll(alice, room_id, ['one']);
      expect((await listRooms(tenant.as('gone'))).total).toBe(1);
      expect((await alice.delete(`/rooms/${room_id}`)).body).toBe('');
      const path = `/rooms/${room_id}`;
      const message = `${path}/messages/${sent[0]?.message_id ?? ''}`;
      const answers = await Promise.all([
        alice.get(path),
        alice.patch(path, { name: 'n' }),
        alice.delete(path),
        alice.get(`${path}/members`),
        alice.post(`${path}/members`, { user_ids: ['bob'] }),
        alice.patch(`${path}/members/gone`, { role: 'admin' }),
        alice.delete(`${path}/members/gone`),
        alice.delete(`${path}/members/alice`),
        alice.post(`${path}/join`),
        alice.get(`${path}/messages`),
        alice.post(`${path}/messages`, { content: 'late' }),
        alice.get(`${path}/changes`),
        alice.get(message),
        alice.patch(message, { content: 'late' }),
        alice.delete(message),
        alice.post('/acks', { room_id, seq: 1 }),
        alice.post('/reads', { room_id, seq: 1 }),
      ]);
      expect(answers.map(refusal)).toEqual(answers.map(() => NOT_FOUND));
      expect(await listRooms(tenant.as('gone'))).toMatchObject({ rooms: [], total: 0 });
      const joinable = await listRooms(tenant.as('stranger'), '?scope=joinable&limit=100');
      expect(joinable.rooms.map((room) => room.room_id)).not.toContain(room_id);
    });
  });
});
