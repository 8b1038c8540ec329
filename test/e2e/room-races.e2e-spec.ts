import { startTestApp, type TestApp, type TestTenant } from '../support/app';
import type { Api } from '../support/http/api';
import {
  bodyOf,
  changesOf,
  createRoom,
  getRoom,
  listedRoom,
  type ListedRoomBody,
  rolesIn,
  sendAll,
  userIds,
} from '../support/rooms';

/** Revisions of everything in a room's log, in order. */
const REVISIONS = `
  SELECT rev::int AS rev FROM room_events WHERE room_id = $1::uuid
  UNION ALL SELECT rev::int FROM messages WHERE room_id = $1::uuid ORDER BY rev`;

describe('rooms under concurrent calls', () => {
  let app: TestApp;
  let tenant: TestTenant;
  let alice: Api;

  beforeAll(async () => {
    app = await startTestApp();
    tenant = await app.tenant();
    alice = tenant.as('alice');
  });
  afterAll(() => app.close());

  const revisions = async (roomId: string): Promise<number[]> =>
    (await app.database.sql<{ rev: number }>(REVISIONS, [roomId.slice('room_'.length)])).map((row) => row.rev);
  const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i + 1);

  it('give each message, join, leave and setting a revision of its own, without a gap', async () => {
    const { room_id } = await createRoom(alice, 'channel', ['bob']);
    const path = `/rooms/${room_id}`;
    const rounds = Array.from({ length: 12 }, (_, i) => {
      const guest = tenant.as(`guest${i % 4}`);
      return [
        guest.post(`${path}/join`),
        guest.post(`${path}/messages`, { content: 'hi' }),
        alice.post(`${path}/messages`, { content: 'hello' }),
        alice.post(`${path}/members`, { user_ids: [`guest${(i + 1) % 4}`, 'bob'] }),
        alice.delete(`${path}/members/guest${(i + 2) % 4}`),
        alice.patch(path, { metadata: { [`k${i}`]: i } }),
      ];
    });
    const statuses = new Set((await Promise.all(rounds.flat())).map((answer) => answer.status));
    expect([...statuses].filter((status) => ![200, 201, 204, 403, 404].includes(status))).toEqual([]);
    const room = await getRoom(alice, room_id);
    expect(await revisions(room_id)).toEqual(upTo(room.last_rev));
    expect(await rolesIn(alice, room_id)).toHaveLength(room.member_count);
    expect(Object.keys(room.metadata ?? {})).toHaveLength(12);
    expect((await changesOf(alice, room_id)).map((change) => change.rev)).toEqual(upTo(Math.min(room.last_rev, 100)));
  });

  it('take no message from a member after their removal, as the log tells it', async () => {
    const { room_id } = await createRoom(alice, 'group', ['bob']);
    const bob = tenant.as('bob');
    const sends = Array.from({ length: 30 }, () => bob.post(`/rooms/${room_id}/messages`, { content: 'x' }));
    await Promise.race(sends);
    const [removed, ...answers] = await Promise.all([alice.delete(`/rooms/${room_id}/members/bob`), ...sends]);
    bodyOf(removed, 204);
    const changes = await changesOf(alice, room_id);
    const stored = answers.filter((answer) => answer.status === 201);
    expect(changes.filter((change) => change.type === 'message')).toHaveLength(stored.length);
    expect(changes.at(-1)).toMatchObject({ type: 'member.left', user_id: 'bob' });
  });

  it('keep an admin while all of many admins leave but one', async () => {
    const admins = userIds('admin', 9);
    const { room_id } = await createRoom(alice, 'group', ['heir']);
    bodyOf(await alice.post(`/rooms/${room_id}/members`, { user_ids: admins, role: 'admin' }));
    const leaving = ['alice', ...admins].map((user) => tenant.as(user).delete(`/rooms/${room_id}/members/${user}`));
    for (const answer of await Promise.all(leaving)) bodyOf(answer, 204);
    expect(await rolesIn(tenant.as('heir'), room_id)).toEqual(['heir:admin']);
    const room = await getRoom(tenant.as('heir'), room_id);
    expect(room).toMatchObject({ member_count: 1, last_rev: 9 + 10 + 1 });
    expect(await revisions(room_id)).toEqual(upTo(20));
  });

  it('list positions that lie within the room, while messages are sent and read', async () => {
    const { room_id } = await createRoom(alice, 'group', ['bob']);
    const bob = tenant.as('bob');
    await sendAll(alice, room_id, ['first']);
    let busy = true;
    const seen: ListedRoomBody[] = [];
    const look = async () => {
      while (busy) seen.push(await listedRoom(bob, room_id));
    };
    const lookers = [look(), look(), look(), look()];
    for (let seq = 2; seq <= 60; seq++) {
      await sendAll(alice, room_id, ['next']);
      bodyOf(await bob.post('/reads', { room_id, seq }));
    }
    busy = false;
    await Promise.all(lookers);
    const beyond = seen.filter(
      (room) => room.last_read_seq > room.last_acked_seq || room.last_acked_seq > room.last_seq,
    );
    expect(beyond).toEqual([]);
    expect(new Set(seen.map((room) => room.last_seq)).size).toBeGreaterThan(1);
  });

  it('add a member once who is added, and joins, many times', async () => {
    const { room_id } = await createRoom(alice, 'channel');
    const calls = Array.from({ length: 10 }, (_, i) =>
      i % 2
        ? tenant.as('newcomer').post(`/rooms/${room_id}/join`)
        : alice.post(`/rooms/${room_id}/members`, { user_ids: ['newcomer'], role: 'member' }),
    );
    for (const answer of await Promise.all(calls)) bodyOf(answer);
    expect(await rolesIn(alice, room_id)).toEqual(['alice:admin', 'newcomer:member']);
    expect(await getRoom(alice, room_id)).toMatchObject({ member_count: 2, last_rev: 1 });
  });
});
