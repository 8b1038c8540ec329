import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { MemberPositions } from '../../src/modules/rooms/members/member-positions';
import { PositionsRepository } from '../../src/modules/rooms/members/positions.repository';
import type { UsersService } from '../../src/modules/tenants';
import { OnlineNeighbours, WorkShare } from '../../src/realtime/presence/online-neighbours';
import { type RunnerFixture, startRunner } from '../support/runner-fixture';
import { RowsReadFixture } from '../support/rows-read-fixture';
import { MAX_WAIT_MS, runs } from '../support/timing';
import { Database } from '../../src/platform/database';
import { roleNames } from '../../src/platform/database/roles';

/** More than any test's rooms have. */
const ENOUGH = 100_000;
const MOST = 5000;

interface Member {
  readonly user: string;
  readonly isAgent: boolean;
}

interface Room {
  readonly members: readonly Member[];
  readonly isDeleted: boolean;
  /** Of the second tenant. */
  readonly isForeign: boolean;
}

const room: fc.Arbitrary<Room> = fc.record({
  members: fc
    .uniqueArray(fc.nat(11), { minLength: 1, maxLength: 8 })
    // The same user is an agent in all rooms or in none.
    .map((numbers) => numbers.map((n) => ({ user: n > 9 ? `agent_${n}` : `u${n}`, isAgent: n > 9 }))),
  isDeleted: fc.boolean(),
  isForeign: fc.boolean(),
});

/** Who may be in a user's snapshot if everybody is online: said once more, from the rooms themselves. */
function expected(rooms: readonly Room[], user: string, largest: number): string[] {
  const shared = rooms.filter(
    ({ members, isDeleted, isForeign }) =>
      !isDeleted && !isForeign && members.length <= largest && members.some((member) => member.user === user),
  );
  const others = shared.flatMap(({ members }) => members.filter((member) => !member.isAgent && member.user !== user));
  return [...new Set(others.map((member) => member.user))].sort();
}

describe('neighbours of many users', () => {
  let site: RunnerFixture;
  let positions: MemberPositions;

  beforeAll(async () => {
    site = await startRunner(2, MAX_WAIT_MS);
    positions = positionsOn(new Database(site.runner, roleNames('chatapi'), site.source));
  });
  afterAll(() => site.close());

  /** Nobody is made a user here. */
  function positionsOn(database: Database): MemberPositions {
    return new MemberPositions(new PositionsRepository(database), undefined as unknown as UsersService);
  }

  async function tenants(): Promise<[string, string]> {
    const ids: [string, string] = [randomUUID(), randomUUID()];
    await site.database.sql(`INSERT INTO tenants (tenant_id, name) SELECT t, 'test' FROM unnest($1::uuid[]) t`, [ids]);
    return ids;
  }

  async function create(tenantId: string, rooms: readonly Room[]): Promise<void> {
    const made = rooms.map((each) => ({ ...each, roomId: randomUUID() }));
    const seats = made.flatMap(({ roomId, members }) => members.map((member, i) => ({ roomId, ...member, no: i + 1 })));
    await site.database.sql(
      `INSERT INTO users (tenant_id, user_id) SELECT $1, u FROM unnest($2::text[]) u ON CONFLICT DO NOTHING`,
      [tenantId, [...new Set(seats.map(({ user }) => user))]],
    );
    await site.database.sql(
      `INSERT INTO rooms (tenant_id, room_id, type, member_count, members_added, deleted_at)
       SELECT $1, r, 'group', n, n, CASE WHEN d THEN now() END FROM unnest($2::uuid[], $3::int[], $4::bool[]) x(r, n, d)`,
      [tenantId, made.map((m) => m.roomId), made.map((m) => m.members.length), made.map((m) => m.isDeleted)],
    );
    await site.database.sql(
      `INSERT INTO room_members (tenant_id, room_id, user_id, role, joined_seq, member_no)
       SELECT $1, r, u, CASE WHEN a THEN 'agent' ELSE 'member' END, 0, n
       FROM unnest($2::uuid[], $3::text[], $4::bool[], $5::int[]) x(r, u, a, n)`,
      [
        tenantId,
        seats.map((s) => s.roomId),
        seats.map((s) => s.user),
        seats.map((s) => s.isAgent),
        seats.map((s) => s.no),
      ],
    );
  }

  /** Whom a snapshot of each user would tell of if all were online. */
  async function told(tenantId: string, users: readonly string[], largest: number, memberships = ENOUGH) {
    const found = await positions.neighbours(tenantId, users, { largest, memberships });
    const online = await OnlineNeighbours.among(found.rooms, (ids) => Promise.resolve(new Set(ids)), new WorkShare());
    const of = new Map(users.map((user) => [user, online.of(user, MOST).ids().toSorted()]));
    return { later: found.later, of };
  }

  it('are the members of their rooms, without agents, deleted rooms, large rooms and other tenants', async () => {
    const property = fc.asyncProperty(
      fc.array(room, { maxLength: 8 }),
      fc.uniqueArray(fc.nat(12), { minLength: 1 }),
      fc.integer({ min: 0, max: 8 }),
      async (rooms, numbers, largest) => {
        const [own, foreign] = await tenants();
        const split = [rooms.filter((each) => !each.isForeign), rooms.filter((each) => each.isForeign)] as const;
        await create(own, split[0]);
        await create(foreign, split[1]);
        const users = numbers.map((n) => `u${n}`);
        const { of, later } = await told(own, users, largest);
        expect(later).toEqual([]);
        expect([...of]).toEqual(users.map((user) => [user, expected(rooms, user, largest)]));
      },
    );
    await fc.assert(property, { numRuns: runs(100) });
  });

  it('leave those to come later whose rooms do not fit, and are the same then', async () => {
    const property = fc.asyncProperty(
      fc.array(room, { maxLength: 8 }),
      fc.integer({ min: 8, max: 30 }),
      async (all, memberships) => {
        const rooms = all.map((each) => ({ ...each, isForeign: false }));
        const [own] = await tenants();
        await create(own, rooms);
        for (let users = Array.from({ length: 10 }, (_, n) => `u${n}`); users.length > 0;) {
          const found = await positions.neighbours(own, users, { largest: 8, memberships });
          const answered = users.slice(0, users.length - found.later.length);
          expect(answered.length).toBeGreaterThan(0);
          expect(found.later).toEqual(users.slice(answered.length));
          const people = [...found.rooms].map((each) => each.people.length);
          expect(people.reduce((sum, n) => sum + n, 0)).toBeLessThanOrEqual(memberships);
          const { of } = await told(own, users, 8, memberships);
          const isWhole = (user: string): boolean => sizesOf(rooms, user) <= memberships;
          for (const user of answered.filter(isWhole)) expect(of.get(user)).toEqual(expected(rooms, user, 8));
          users = [...found.later];
        }
      },
    );
    await fc.assert(property, { numRuns: runs(100) });
  });

  /** How many members the user's rooms have that count. */
  function sizesOf(rooms: readonly Room[], user: string): number {
    return rooms
      .filter(({ members, isDeleted }) => !isDeleted && members.length > 1 && members.some((m) => m.user === user))
      .reduce((sum, { members }) => sum + members.length, 0);
  }

  it('of one user whose rooms have more members than fit are those of the smallest rooms', async () => {
    const of = (size: number, prefix: string): Room => ({
      members: ['u0', ...Array.from({ length: size - 1 }, (_, n) => `${prefix}${n}`)].map((user) => ({
        user,
        isAgent: false,
      })),
      ...{ isDeleted: false, isForeign: false },
    });
    const [own] = await tenants();
    await create(own, [of(6, 'large'), of(3, 'small'), of(4, 'middle')]);
    const { of: found, later } = await told(own, ['u0', 'small0'], 8, 8);
    expect(found.get('u0')).toEqual(['middle0', 'middle1', 'middle2', 'small0', 'small1']);
    expect(later).toEqual(['small0']);
  });

  it('are at most so many as a snapshot tells of, of those who are online', async () => {
    const users = Array.from({ length: 5200 }, (_, n) => `u${n}`);
    const hall = { members: users.map((user) => ({ user, isAgent: false })), isDeleted: false, isForeign: false };
    const [own] = await tenants();
    await create(own, [hall, { ...hall, members: hall.members.slice(0, 5001) }]);
    const { of } = await told(own, ['u0', 'u5100'], 10_000);
    for (const user of ['u0', 'u5100']) {
      const others = new Set(of.get(user));
      expect([others.size, of.get(user)?.length, others.has(user)]).toEqual([MOST, MOST, false]);
      expect([...others].every((other) => users.includes(other))).toBe(true);
    }
    expect((await told(own, ['u0'], 5001)).of.get('u0')).toEqual(users.slice(1, 5001).toSorted());
  });

  describe('read', () => {
    let rows: RowsReadFixture;
    const names = (prefix: string, count: number): string[] => Array.from({ length: count }, (_, i) => `${prefix}${i}`);
    const SIZE = 50;
    const asked = names('m', 40);

    beforeAll(async () => {
      rows = await RowsReadFixture.open();
      await rows.room(names('m', 3000), 0);
      for (let i = 0; i < 20; i++) await rows.room([...names('m', 40), ...names(`r${i}-`, SIZE - 40)], 0);
      await rows.rooms(300, names('x', 5), 0);
      await rows.analyze();
    });
    afterAll(() => rows.close());

    const read = (users: readonly string[], memberships: number): Promise<number> =>
      rows.by(() => new PositionsRepository(rows.database).neighbours(rows.tenantId, users, 200, memberships));

    it('each room once, however many of the users sit in it, and not the members of a large room', async () => {
      // Their seats, each room, and its members.
      expect(await read(asked, ENOUGH)).toBeLessThan(asked.length * 21 + 21 + 20 * SIZE + 50);
      expect(await read(['m0'], ENOUGH)).toBeLessThan(21 + 21 + 20 * SIZE + 50);
    });

    it('no more members than there may be', async () => {
      expect(await read(['m0'], 5 * SIZE)).toBeLessThan(21 + 21 + 5 * SIZE + 50);
    });
  });
});
