import { startTestApp, type TestApp, type TestTenant } from '../support/app';
import { createChat } from '../support/chats/http';
import type { Api, Bodies } from '../support/http/api';
import { until } from '../support/poll';
import { badField, bodyOf, createRoom, NOT_FOUND, refusal, sendAll, userIds } from '../support/rooms';
import { uuidOf } from '../support/tenants';
import { closeAll, WsClient } from '../support/ws/client';
import { keyOf } from '../support/ws/socket-app';

type Rooms = Bodies['AdminRoomsDto'];
type Room = Bodies['AdminRoomDetailDto'];
type Users = Bodies['AdminUsersDto'];
type User = Bodies['AdminUserDetailDto'];

const [ROOMS, USERS] = ['/admin/rooms', '/admin/users'];
const CANARY = 'c4n4ry';

describe('rooms and users, for operators', () => {
  let app: TestApp;
  let tenant: TestTenant;
  let foreign: TestTenant;
  let alice: Api;
  const clients: WsClient[] = [];

  beforeAll(async () => {
    app = await startTestApp();
  });
  beforeEach(async () => {
    [tenant, foreign] = await Promise.all([app.tenant(), app.tenant()]);
    alice = tenant.as('alice');
  });
  afterEach(() => closeAll(clients));
  afterAll(() => app.close());

  async function open(userId: string, of = tenant): Promise<WsClient> {
    const client = await WsClient.admitted(app.url, { headers: keyOf(of, userId) });
    clients.push(client);
    return client;
  }

  const look = async <T>(path: string, by = tenant.key): Promise<T> => bodyOf(await by.get<T>(path));
  const audited = async (): Promise<unknown[]> =>
    (await look<Bodies['AuditPageDto']>('/admin/audit')).items
      .map(({ action, target }) => [action, target])
      .filter(([action]) => action !== 'tenant.create');

  /** All pages of a list, by what stands for an item. */
  async function pages(
    path: string,
    of: (page: { next: string | null } & Rooms & Users) => string[],
  ): Promise<string[][]> {
    const found: string[][] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const page: { next: string | null } & Rooms & Users = await look(`${path}${cursor && `&cursor=${cursor}`}`);
      found.push(of(page));
      cursor = page.next;
    }
    return found;
  }

  describe('rooms', () => {
    const names = ({ items }: Rooms): string[] => items.map(({ name }) => name ?? '');

    it('are listed the newest first, page by page, without those that were deleted and those of others', async () => {
      for (const name of ['one', 'two', 'three', 'gone', 'four']) await createRoom(alice, 'group', [], { name });
      await createRoom(foreign.as('alice'), 'group', [], { name: 'foreign' });
      const gone = (await look<Rooms>(ROOMS)).items.find(({ name }) => name === 'gone');
      expect((await alice.delete(`/rooms/${gone?.room_id ?? ''}`)).status).toBe(204);
      expect(await pages(`${ROOMS}?limit=2`, names)).toEqual([
        ['four', 'three'],
        ['two', 'one'],
      ]);
      expect(await pages(`${ROOMS}?limit=100&tenant_id=${tenant.tenantId}`, names)).toEqual([
        ['four', 'three', 'two', 'one'],
      ]);
    });

    it('say what they are, how full and how busy', async () => {
      const { room_id, created_at } = await createRoom(alice, 'channel', ['bob'], { name: 'news', posting: 'admins' });
      const [sent] = await sendAll(alice, room_id, [CANARY]);
      await tenant.key.patch(`${ROOMS}/${room_id}`, { retention_days: 7, legal_hold: true });
      const list = await look<Rooms>(ROOMS);
      expect(list.items).toEqual([
        {
          room_id,
          type: 'channel',
          name: 'news',
          posting: 'admins',
          member_count: 2,
          first_seq: 1,
          last_seq: 1,
          last_rev: 1,
          last_activity_at: sent?.created_at,
          created_at,
          updated_at: expect.any(String),
          deleted_at: null,
          retention_days: 7,
          legal_hold: true,
        },
      ]);
      expect(JSON.stringify(list)).not.toContain(CANARY);
    });

    it('are found by type and by the beginning of the name, whatever its capitals', async () => {
      await createRoom(alice, 'dm', ['bob']);
      for (const name of ['Team B', 'team a', 'TEAM C', 'a team']) await createRoom(alice, 'group', [], { name });
      await createRoom(alice, 'channel', [], { name: 'Team D' });
      await createChat(tenant.key, 'alice', { title: 'team e' });
      await createRoom(foreign.as('alice'), 'group', [], { name: 'team x' });
      expect(await pages(`${ROOMS}?prefix=teaM&limit=3`, names)).toEqual([
        ['team a', 'Team B', 'TEAM C'],
        ['Team D', 'team e'],
      ]);
      expect(await pages(`${ROOMS}?prefix=team&type=group&limit=100`, names)).toEqual([['team a', 'Team B', 'TEAM C']]);
      expect(await pages(`${ROOMS}?type=ai&limit=1`, names)).toEqual([['team e']]);
      expect(await pages(`${ROOMS}?type=dm&limit=1`, names)).toEqual([['']]);
      expect(await pages(`${ROOMS}?prefix=%25&limit=1`, names)).toEqual([[]]);
    });

    it('are looked at with their members, how far these are, and who is connected', async () => {
      const { room_id } = await createRoom(alice, 'group', ['bob', 'carol'], { name: 'r', metadata: { a: 1 } });
      await sendAll(alice, room_id, [CANARY, '2', '3']);
      bodyOf(await tenant.as('bob').post('/acks', { room_id, seq: 3 }));
      bodyOf(await tenant.as('bob').post('/reads', { room_id, seq: 2 }));
      bodyOf(await alice.post(`/rooms/${room_id}/members`, { user_ids: ['dave'] }));
      await open('bob');
      await open('bob');
      const room = await until(
        () => look<Room>(`${ROOMS}/${room_id}`),
        ({ live_connections }) => live_connections === 2,
      );
      const at = { joined_at: expect.any(String), last_seen_at: null };
      const still = { moved_at: null, status: 'offline' };
      expect(room).toMatchObject({ room_id, name: 'r', metadata: { a: 1 }, last_seq: 3, next: null });
      expect(room.members).toEqual([
        { user_id: 'alice', role: 'admin', ...at, joined_seq: 0, last_acked_seq: 0, last_read_seq: 0, ...still },
        {
          ...{ user_id: 'bob', role: 'member', ...at, joined_seq: 0, last_acked_seq: 3, last_read_seq: 2 },
          ...{ moved_at: expect.any(String), status: 'online' },
        },
        { user_id: 'carol', role: 'member', ...at, joined_seq: 0, last_acked_seq: 0, last_read_seq: 0, ...still },
        { user_id: 'dave', role: 'member', ...at, joined_seq: 3, last_acked_seq: 3, last_read_seq: 3, ...still },
      ]);
      expect(JSON.stringify(room)).not.toContain(CANARY);
      expect(await audited()).toEqual([]);
    });

    it('come with their members page by page, and also when they were deleted', async () => {
      const members = userIds('user-', 5);
      const { room_id } = await createRoom(alice, 'group', members);
      expect((await alice.delete(`/rooms/${room_id}`)).status).toBe(204);
      const found: string[] = [];
      for (let cursor: string | null = ''; cursor !== null;) {
        const room: Room = await look(`${ROOMS}/${room_id}?limit=2${cursor && `&cursor=${cursor}`}`);
        expect([room.members.length, room.deleted_at]).toEqual([2, expect.any(String)]);
        found.push(...room.members.map(({ user_id }) => user_id));
        cursor = room.next;
      }
      expect(found).toEqual(['alice', ...members]);
    });

    it('show their newest messages where that is asked for, and it is written down', async () => {
      const { room_id } = await createRoom(alice, 'group', ['bob']);
      const sent = await sendAll(
        alice,
        room_id,
        Array.from({ length: 53 }, (_, i) => `${CANARY} ${i + 1}`),
      );
      await alice.delete(`/rooms/${room_id}/messages/${sent[9]?.message_id ?? ''}`);
      await app.database.sql('UPDATE rooms SET first_seq = 6 WHERE room_id = $1', [uuidOf(room_id)]);
      const { messages = [] } = await look<Room>(`${ROOMS}/${room_id}?content=true`);
      expect(messages.map(({ seq }) => seq)).toEqual(Array.from({ length: 48 }, (_, i) => i + 6));
      expect(messages.at(-1)).toMatchObject({ content: `${CANARY} 53`, sender_id: 'alice' });
      expect(messages[4]).toMatchObject({ seq: 10, content: '', deleted_at: expect.any(String) });
      expect(await audited()).toEqual([['room.read_content', { kind: 'room', id: room_id, user_id: null }]]);
      expect((await look<Room>(`${ROOMS}/${room_id}?content=false`)).messages).toBeUndefined();
      expect(await audited()).toHaveLength(1);
    });
  });

  describe('users', () => {
    const ids = ({ items }: Users): string[] => items.map(({ user_id }) => user_id);

    it('are listed in the order of their ids, or by how these begin', async () => {
      await createRoom(alice, 'group', ['bob', 'Bob', 'bob~', 'bobby', 'boc', 'carol']);
      await createRoom(foreign.as('bobo'), 'group', []);
      expect(await pages(`${USERS}?limit=3`, ids)).toEqual([
        ['Bob', 'alice', 'bob'],
        ['bobby', 'bob~', 'boc'],
        ['carol'],
      ]);
      expect(await pages(`${USERS}?prefix=bob&limit=2`, ids)).toEqual([['bob', 'bobby'], ['bob~']]);
      expect(await pages(`${USERS}?prefix=nobody&limit=2`, ids)).toEqual([[]]);
      await open('carol');
      const online = await until(
        () => look<Users>(`${USERS}?prefix=c`),
        ({ items }) => items[0]?.status === 'online',
      );
      expect(online.items).toEqual([
        {
          ...{ user_id: 'carol', created_at: expect.any(String), last_seen_at: null },
          ...{ status: 'online', legal_hold: false },
        },
      ]);
    });

    it('are looked at with their rooms, and how far they are in each, page by page', async () => {
      const first = await createRoom(alice, 'group', ['bob'], { name: 'first' });
      await sendAll(alice, first.room_id, [CANARY, '2']);
      bodyOf(await tenant.as('bob').post('/acks', { room_id: first.room_id, seq: 2 }));
      const second = await createRoom(alice, 'channel', [], { name: 'second' });
      bodyOf(await tenant.as('bob').post(`/rooms/${second.room_id}/join`));
      await createRoom(alice, 'group', ['carol']);
      await tenant.key.patch(`${USERS}/bob`, { legal_hold: true });
      const page = await look<User>(`${USERS}/bob?limit=1`);
      expect(page).toMatchObject({ user_id: 'bob', status: 'offline', legal_hold: true });
      expect(page.memberships).toEqual([
        {
          room: expect.objectContaining({ room_id: second.room_id, type: 'channel', name: 'second', member_count: 2 }),
          ...{ role: 'member', joined_at: expect.any(String), joined_seq: 0, last_acked_seq: 0, last_read_seq: 0 },
        },
      ]);
      const rest = await look<User>(`${USERS}/bob?limit=1&cursor=${page.next ?? ''}`);
      expect(rest.memberships).toMatchObject([{ room: { name: 'first' }, last_acked_seq: 2, last_read_seq: 0 }]);
      expect(rest.next).toBeNull();
      expect(JSON.stringify([page, rest])).not.toContain(CANARY);
      expect(await audited()).toEqual([['user.hold', { kind: 'user', id: null, user_id: 'bob' }]]);
    });

    it('show their newest messages where that is asked for, and it is written down', async () => {
      const rooms = [await createRoom(alice, 'group', ['bob']), await createRoom(alice, 'group', ['bob'])];
      const said = async (by: string, room: number, content: string): Promise<void> => {
        await sendAll(tenant.as(by), rooms[room]?.room_id ?? '', [content]);
      };
      await said('bob', 0, 'one');
      await said('alice', 0, CANARY);
      await said('bob', 1, 'two');
      await said('bob', 0, 'three');
      const { messages = [] } = await look<User>(`${USERS}/bob?content=true`);
      expect(messages.map(({ content }) => content)).toEqual(['three', 'two', 'one']);
      expect(await audited()).toEqual([['user.read_content', { kind: 'user', id: null, user_id: 'bob' }]]);
    });

    it('show of their messages 50, and of each room what lies among its newest 200', async () => {
      const { room_id } = await createRoom(alice, 'group', ['bob']);
      // As the appends would have left them: bob has said the first 120, alice all others.
      await app.database.sql(
        `INSERT INTO messages (tenant_id, room_id, seq, message_id, rev, sender_id, content, created_at)
         SELECT $1, $2, n, gen_random_uuid(), n, CASE WHEN n <= 120 THEN 'bob' ELSE 'alice' END, n, now() + n * interval '1 ms'
         FROM generate_series(1, 250) n`,
        [uuidOf(tenant.tenantId), uuidOf(room_id)],
      );
      await app.database.sql(
        'UPDATE rooms SET last_seq = 250, last_rev = 250, last_message_at = now() WHERE room_id = $1',
        [uuidOf(room_id)],
      );
      const seqs = async (): Promise<number[]> =>
        ((await look<User>(`${USERS}/bob?content=true`)).messages ?? []).map(({ seq }) => seq);
      expect(await seqs()).toEqual(Array.from({ length: 50 }, (_, i) => 120 - i));
      await app.database.sql(`UPDATE messages SET sender_id = 'alice' WHERE room_id = $1 AND seq > 60`, [
        uuidOf(room_id),
      ]);
      expect(await seqs()).toEqual(Array.from({ length: 10 }, (_, i) => 60 - i));
      await app.database.sql('UPDATE rooms SET first_seq = 56 WHERE room_id = $1', [uuidOf(room_id)]);
      expect(await seqs()).toEqual([60, 59, 58, 57, 56]);
    });
  });

  it('that are not there, and those of another tenant, are 404', async () => {
    const { room_id } = await createRoom(foreign.as('erin'), 'group', []);
    const nobody = `room_${'0'.repeat(32)}`;
    for (const path of [`${ROOMS}/${room_id}`, `${ROOMS}/${nobody}`, `${ROOMS}/x`, `${USERS}/erin`, `${USERS}/a%2Cb`])
      for (const query of ['', '?content=true', `?tenant_id=${foreign.tenantId}`])
        expect([path, refusal(await tenant.key.get(path + query))]).toEqual([path, NOT_FOUND]);
    for (const list of [ROOMS, USERS])
      expect(refusal(await tenant.key.get(`${list}?tenant_id=${foreign.tenantId}`))).toEqual(NOT_FOUND);
    expect(await audited()).toEqual([]);
    const theirs = await look<Room>(`${ROOMS}/${room_id}?tenant_id=${foreign.tenantId}`, app.master);
    expect(theirs.members.map(({ user_id }) => user_id)).toEqual(['erin']);
  });

  it.each([
    [ROOMS, 'type', 'type=nothing'],
    [ROOMS, 'prefix', 'prefix='],
    [ROOMS, 'prefix', `prefix=${'x'.repeat(201)}`],
    [ROOMS, 'cursor', 'cursor=nonsense'],
    [ROOMS, 'cursor', 'prefix=a&cursor=WzFd'],
    [ROOMS, 'limit', 'limit=0'],
    [ROOMS, 'nothing', 'nothing=1'],
    [`${ROOMS}/x`, 'content', 'content=yes'],
    [`${ROOMS}/x`, 'cursor', 'cursor=nonsense'],
    [USERS, 'prefix', 'prefix=a,b'],
    [USERS, 'cursor', 'cursor=WzFd'],
    [USERS, 'limit', 'limit=101'],
    [`${USERS}/x`, 'content', 'content=1'],
    [`${USERS}/x`, 'cursor', 'cursor=WzFd'],
  ])('%s: a bad %s is 400: %s', async (path, field, query) => {
    expect(refusal(await tenant.key.get(`${path}?${query}`))).toEqual(badField(field));
  });

  it.each([ROOMS, `${ROOMS}/x`, USERS, `${USERS}/x`])('%s: with the master key the tenant is named', async (path) => {
    expect(refusal(await app.master.get(path))).toEqual(badField('tenant_id'));
  });
});
