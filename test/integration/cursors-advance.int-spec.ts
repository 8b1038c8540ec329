import fc from 'fast-check';
import type { Move } from '../../src/modules/delivery/delivery.repository';
import { memberRemove, membersAdd, roomDelete } from '../../src/modules/rooms/rooms.functions';
import { CursorRace, RACERS } from '../support/cursor-race';
import { DeadLettersFixture } from '../support/dead-letters-fixture';
import { runs } from '../support/timing';

const ROOMS = 3;
const MESSAGES = 8;
const UNKNOWN = '0190bbbb-0000-7000-8000-00000000dead';
const LETTERS = `SELECT user_id, from_seq::int AS from, to_seq::int AS to, attempts, error FROM dead_letters
  WHERE tenant_id = $1 AND room_id = $2 ORDER BY user_id, from_seq`;
const CURSORS = `SELECT user_id, unread_seq::int, acked_seq::int AS acked, read_seq::int AS read, has_dead_letters AS lettered FROM cursors
  WHERE tenant_id = $1 AND room_id = $2 ORDER BY user_id`;
const COUNT = `SELECT last_seq::int AS seq FROM rooms WHERE tenant_id = $1 AND room_id = $2`;
const WRITTEN = `UPDATE rooms SET last_seq = last_seq + 2, last_rev = last_rev + 2 WHERE tenant_id = $1 AND room_id = $2`;
/** All members of a room mark it unread. */
const MARKED = `UPDATE cursors SET unread_seq = 5 WHERE tenant_id = $1 AND room_id = $2`;

const NOTHING = { item: 1, advanced: null, acked: null, last_seq: null, me: null };

/** An item, its room by its number: the last one is unknown. */
type Item = Omit<Move, 'roomId'> & { readonly room: number };
type Op =
  | { readonly do: 'advance'; readonly items: readonly Item[] }
  | { readonly do: 'give up'; readonly room: number; readonly user: string; readonly from: number; readonly to: number }
  | { readonly do: 'write' | 'mark' | 'delete' | 'remove ben' | 'add ben'; readonly room: number };

const room = fc.nat(ROOMS - 1);
const items = fc.array(
  fc.record<Item>({
    room: fc.oneof({ weight: 12, arbitrary: room }, { weight: 1, arbitrary: fc.constant(ROOMS) }),
    userId: fc.constantFrom('ann', 'ann', 'ben', 'ben', 'zoe'),
    seq: fc.nat(MESSAGES + 4),
    isRead: fc.boolean(),
  }),
  { minLength: 1, maxLength: 24 },
);
const op: fc.Arbitrary<Op> = fc.oneof(
  { weight: 8, arbitrary: items.map((given): Op => ({ do: 'advance', items: given })) },
  {
    weight: 3,
    arbitrary: fc
      .tuple(room, fc.constantFrom('ann', 'ben'), fc.integer({ min: 1, max: MESSAGES }), fc.nat(4))
      .map(([of, user, from, more]): Op => ({
        do: 'give up',
        room: of,
        user,
        from,
        to: Math.min(from + more, MESSAGES),
      })),
  },
  ...(['write', 'mark', 'remove ben', 'add ben'] as const).map((what) => ({
    weight: 2,
    arbitrary: room.map((of): Op => ({ do: what, room: of })),
  })),
  { weight: 1, arbitrary: room.map((of): Op => ({ do: 'delete', room: of })) },
);

/** One of the two copies. */
class Copy {
  private constructor(
    readonly site: DeadLettersFixture,
    readonly rooms: readonly string[],
  ) {}

  static async make(site: DeadLettersFixture): Promise<Copy> {
    const rooms: string[] = [];
    // In the second one they join late, so that a cursor begins where they have joined.
    for (let n = 0; n < ROOMS; n++) rooms.push(await site.room(MESSAGES, n === 1 ? 3 : 0));
    return new Copy(site, rooms);
  }

  idOf(of: number): string {
    return this.rooms[of] ?? UNKNOWN;
  }

  move({ room: of, ...rest }: Item): Move {
    return { roomId: this.idOf(of), ...rest };
  }

  async perform(each: Exclude<Op, { do: 'advance' }>): Promise<void> {
    const id = this.idOf(each.room);
    if (each.do === 'give up') await this.site.giveUp(id, each.from, each.to, each.user);
    else if (each.do === 'write') await this.site.sql(WRITTEN, id);
    else if (each.do === 'mark') await this.site.sql(MARKED, id);
    else if (each.do === 'delete') await this.site.call(roomDelete, { p_room: id, p_user: 'ann' });
    else if (each.do === 'remove ben')
      await this.site.call(memberRemove, { p_room: id, p_actor: 'ann', p_user: 'ben' });
    else await this.site.call(membersAdd, { p_room: id, p_actor: 'ann', p_users: ['ben'], p_role: 'member' });
  }

  /** Everything that an item can change. */
  async state(): Promise<unknown[]> {
    const each = this.rooms.map(async (id) => [
      await this.site.sql(CURSORS, id),
      await this.site.sql(LETTERS, id),
      await this.site.sql(COUNT, id),
    ]);
    return Promise.all(each);
  }
}

describe('cursors_advance', () => {
  let site: DeadLettersFixture;
  let other: DeadLettersFixture;

  beforeAll(async () => {
    [site, other] = await Promise.all([DeadLettersFixture.open(), DeadLettersFixture.open()]);
  });
  afterAll(() => Promise.all([site.close(), other.close()]));

  it('says and leaves what cursor_advance does for one item after the other', async () => {
    const seen = new Set<string>();
    await fc.assert(
      fc.asyncProperty(fc.array(op, { minLength: 4, maxLength: 12 }), async (ops) => {
        const [together, apart] = await Promise.all([Copy.make(site), Copy.make(other)]);
        for (const each of ops) {
          if (each.do !== 'advance') await Promise.all([together.perform(each), apart.perform(each)]);
          else {
            const said = await site.delivery.tryAdvance(
              site.tenantId,
              each.items.map((item) => together.move(item)),
            );
            for (const [i, item] of each.items.entries()) {
              const { roomId, userId, seq, isRead } = apart.move(item);
              const one = await other.ack(roomId, seq, userId, isRead);
              expect({ ...NOTHING, ...said[i] }).toEqual({ ...NOTHING, ...one, item: expect.anything() });
              seen.add(said[i]?.status ?? '');
            }
          }
          expect(await together.state()).toEqual(await apart.state());
        }
      }),
      { numRuns: runs(30) },
    );
    expect([...seen].sort()).toEqual(['beyond', 'no_room', 'not_member', 'ok']);
  });

  describe('skips what another transaction holds', () => {
    const held = async (hold: string, roomId: string, calls: () => Promise<void>): Promise<void> => {
      const holder = await site.site.database.connect();
      try {
        await holder.query('BEGIN');
        expect((await holder.query(hold, [site.tenantId, roomId])).rowCount).toBe(1);
        await calls();
      } finally {
        await holder.end();
      }
    };
    const moveTo = (seq: number, roomId: string, userId = 'ben'): Move => ({ roomId, userId, seq, isRead: true });

    it.each([
      ['a cursor', `SELECT 1 FROM cursors WHERE tenant_id = $1 AND room_id = $2 AND user_id = 'ben' FOR UPDATE`],
      [
        'a cursor that moves',
        `UPDATE cursors SET read_seq = 0 WHERE tenant_id = $1 AND room_id = $2 AND user_id = 'ben'`,
      ],
      ['a letter', `SELECT 1 FROM dead_letters WHERE tenant_id = $1 AND room_id = $2 AND user_id = 'ben' FOR UPDATE`],
    ])('%s: that item says so, alone and among others, which count', async (_, hold) => {
      const roomId = await site.room(MESSAGES);
      await site.giveUp(roomId, 2, 5);
      await site.giveUp(roomId, 2, 5, 'ann');
      await held(hold, roomId, async () => {
        expect(await site.delivery.tryAdvance(site.tenantId, [moveTo(3, roomId)])).toEqual([{ status: 'busy' }]);
        const group = [moveTo(3, roomId), moveTo(4, roomId, 'ann'), moveTo(4, roomId)];
        expect((await site.delivery.tryAdvance(site.tenantId, group)).map(({ status }) => status)).toEqual([
          'busy',
          'ok',
          'busy',
        ]);
        expect(await site.runs(roomId)).toEqual([{ from: 2, to: 5, attempts: 5 }]);
        expect(await site.runs(roomId, 'ann')).toEqual([{ from: 5, to: 5, attempts: 5 }]);
      });
      expect(await site.delivery.tryAdvance(site.tenantId, [moveTo(3, roomId)])).toEqual([
        { status: 'ok', advanced: true, acked: 3 },
      ]);
    });

    it('a cursor that somebody else makes just now, once it is made', async () => {
      const roomId = await site.room(MESSAGES);
      const made = `INSERT INTO cursors (tenant_id, room_id, user_id, acked_seq) VALUES ($1, $2, 'ben', 2)`;
      const group = [moveTo(3, roomId), moveTo(4, roomId, 'ann')];
      const said = await site.behind(made, [roomId], () => site.delivery.tryAdvance(site.tenantId, group));
      expect(said.map(({ status }) => status)).toEqual(['busy', 'ok']);
      expect(await site.sql(CURSORS, roomId)).toMatchObject([
        { user_id: 'ann', acked: 4, read: 4 },
        { user_id: 'ben', acked: 2, read: 0 },
      ]);
    });
  });

  it('has the statistics of cursors that have outgrown them renewed, and not again', async () => {
    const roomId = await site.room(MESSAGES);
    const pages = async (): Promise<number> => {
      const sql = `SELECT relpages FROM pg_class WHERE oid = 'public.cursors'::regclass AND $1::uuid IS NOT NULL`;
      return (await site.sql<{ relpages: number }>(sql))[0]?.relpages ?? 0;
    };
    await site.sql(
      `INSERT INTO cursors (tenant_id, room_id, user_id) SELECT $1, $2, 'user' || n FROM generate_series(1, 5000) n`,
      roomId,
    );
    const before = await pages();
    await site.delivery.renewStatistics();
    const known = await pages();
    expect(known).toBeGreaterThan(2 * before);
    await site.sql(
      `INSERT INTO cursors (tenant_id, room_id, user_id) SELECT $1, $2, 'more' || n FROM generate_series(1, 500) n`,
      roomId,
    );
    await site.delivery.renewStatistics();
    expect(await pages()).toBe(known);
  });

  it('deadlocks with nobody, and leaves what it said', async () => {
    const clients = await Promise.all(Array.from({ length: RACERS }, () => site.site.database.connect()));
    try {
      for (let round = 0; round < runs(25); round++) {
        const race = await CursorRace.make(site, round);
        await race.run(clients);
        await race.check();
      }
    } finally {
      await Promise.all(clients.map((client) => client.end()));
    }
  });
});
