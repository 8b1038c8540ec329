import fc from 'fast-check';
import { memberRemove, roomDelete } from '../../src/modules/rooms/rooms.functions';
import { DeadLettersFixture } from '../support/dead-letters-fixture';
import { runs } from '../support/timing';

const MESSAGES = 12;

/** How often dead_letters and its indexes were looked into. */
const LOOKS = `SELECT (SELECT COALESCE(sum(seq_scan), 0) FROM pg_stat_user_tables WHERE relname = 'dead_letters')::int
  + (SELECT COALESCE(sum(idx_scan), 0) FROM pg_stat_user_indexes WHERE relname = 'dead_letters')::int AS n`;
const ACK = `SELECT cursor_advance($1, $2, 'ben', $3, false)`;

type Op =
  | { readonly do: 'give up'; readonly from: number; readonly to: number }
  | { readonly do: 'ack' | 'read' | 'drop'; readonly seq: number }
  | { readonly do: 'replay' };

const seq = fc.integer({ min: 1, max: MESSAGES });
const op: fc.Arbitrary<Op> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.tuple(seq, fc.nat(5)).map(([from, more]): Op => ({
      do: 'give up',
      from,
      to: Math.min(from + more, MESSAGES),
    })),
  },
  { weight: 3, arbitrary: seq.map((n): Op => ({ do: 'drop', seq: n })) },
  { weight: 1, arbitrary: seq.map((n): Op => ({ do: 'ack', seq: n })) },
  { weight: 1, arbitrary: seq.map((n): Op => ({ do: 'read', seq: n })) },
  { weight: 1, arbitrary: fc.constant<Op>({ do: 'replay' }) },
);

describe('dead letters of messages in the database', () => {
  let site: DeadLettersFixture;

  beforeAll(async () => {
    site = await DeadLettersFixture.open();
  });
  afterAll(() => site.close());

  const perform = async (room: string, each: Op, ids: ReadonlyMap<number, string>): Promise<void> => {
    if (each.do === 'give up') await site.giveUp(room, each.from, each.to);
    else if (each.do === 'replay') await site.letters.replay(site.tenantId, { roomId: room }, undefined, 1000);
    else if (each.do === 'drop') {
      const id = ids.get(each.seq);
      if (id !== undefined) expect(await site.drop(id)).toBe(true);
    } else await site.ack(room, each.seq, 'ben', each.do === 'read');
  };

  it('are what was given up on and neither acknowledged nor dropped, each with one id for as long as it lasts', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(op, { minLength: 5, maxLength: 25 }), async (ops) => {
        const room = await site.room(MESSAGES);
        let acked = 0;
        const dead = new Set<number>();
        let ids = new Map<number, string>();
        for (const each of ops) {
          await perform(room, each, ids);
          if (each.do === 'give up') for (let n = Math.max(each.from, acked + 1); n <= each.to; n++) dead.add(n);
          if (each.do === 'drop') dead.delete(each.seq);
          if (each.do === 'ack' || each.do === 'read') {
            acked = Math.max(acked, each.seq);
            for (let n = 1; n <= acked; n++) dead.delete(n);
          }
          const now = await site.ids(room);
          expect([...now.keys()]).toEqual([...dead].sort((a, b) => a - b));
          for (const [n, id] of now) if (ids.has(n)) expect(id).toBe(ids.get(n));
          ids = now;
        }
        expect(new Set(ids.values()).size).toBe(ids.size);
      }),
      { numRuns: runs(25) },
    );
  });

  it('stay in order and beyond the cursor, whatever happens at once', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(op, { minLength: 10, maxLength: 30 }), async (ops) => {
        const room = await site.room(MESSAGES);
        await site.giveUp(room, 1, MESSAGES);
        const ids = await site.ids(room);
        const noDrop = { get: () => undefined, [Symbol.iterator]: () => ids[Symbol.iterator]() };
        await Promise.all(
          ops.map((each) =>
            each.do === 'drop'
              ? site.drop(ids.get(each.seq) ?? '')
              : perform(room, each, noDrop as unknown as Map<number, string>),
          ),
        );
        const [cursor] = await site.sql<{ acked: number }>(
          `SELECT acked_seq::int AS acked FROM cursors WHERE tenant_id = $1 AND room_id = $2 AND user_id = 'ben'`,
          room,
        );
        const runs = await site.runs(room);
        let last = cursor?.acked ?? 0;
        for (const run of runs) {
          expect(run.from).toBeGreaterThan(last);
          expect(run.to).toBeGreaterThanOrEqual(run.from);
          last = run.to;
        }
      }),
      { numRuns: runs(25) },
    );
  });

  it('are touched by no drop that did not hold the cursor: dropped again while they are given up on again', async () => {
    for (let round = 0; round < runs(60); round++) {
      const room = await site.room(MESSAGES);
      await site.giveUp(room, 1, MESSAGES);
      const id = (await site.ids(room)).get(6) ?? '';
      await Promise.all(
        Array.from({ length: 4 }, () => [
          site.drop(id),
          site.giveUp(room, 6, 6),
          site.drop(id),
          site.giveUp(room, 3, 9),
        ]).flat(),
      );
      const stored = await site.runs(room);
      expect(stored.every((run, at) => run.from > (stored[at - 1]?.to ?? 0))).toBe(true);
    }
  });

  it('are one row per member and room, two where one was dropped in the middle, and one again', async () => {
    const room = await site.room(MESSAGES);
    await site.giveUp(room, 2, 3);
    await site.giveUp(room, 4, 6);
    expect(await site.runs(room)).toEqual([{ from: 2, to: 6, attempts: 5 }]);
    const id = (await site.ids(room)).get(4) ?? '';
    expect([await site.drop(id), await site.drop(id)]).toEqual([true, false]);
    expect((await site.runs(room)).map(({ from, to }) => [from, to])).toEqual([
      [2, 3],
      [5, 6],
    ]);
    await site.giveUp(room, 4, 4);
    expect(await site.runs(room)).toEqual([{ from: 2, to: 6, attempts: 5 }]);
    expect((await site.ids(room)).get(4)).toBe(id);
  });

  it('begin where the member joined, and are none of who is no member', async () => {
    const room = await site.room(MESSAGES, 5);
    await site.giveUp(room, 1, 8);
    expect(await site.runs(room)).toMatchObject([{ from: 6, to: 8 }]);
    expect(await site.delivery.positions(site.tenantId, 'ben', [room])).toEqual([{ room_id: room, acked_seq: 5 }]);
    await site.giveUp(room, 1, 8, 'zoe');
    expect(await site.runs(room, 'zoe')).toEqual([]);
    expect(await site.delivery.positions(site.tenantId, 'zoe', [room])).toEqual([]);
  });

  it('end with the membership and with the room', async () => {
    const room = await site.room(MESSAGES);
    await site.giveUp(room, 1, 2);
    await site.giveUp(room, 1, 2, 'ann');
    expect((await site.call(memberRemove, { p_room: room, p_actor: 'ann', p_user: 'ben' })).status).toBe('ok');
    expect(await site.runs(room)).toEqual([]);
    expect(await site.runs(room, 'ann')).toHaveLength(1);
    expect((await site.call(roomDelete, { p_room: room, p_user: 'ann' })).status).toBe('ok');
    expect(await site.runs(room, 'ann')).toEqual([]);
    await site.giveUp(room, 1, 2, 'ann');
    expect(await site.runs(room, 'ann')).toEqual([]);
  });

  it.each([
    ['acknowledged', `SELECT cursor_advance($1, $2, 'ben', 3, false)`, [{ from: 4, to: 5, attempts: 5 }]],
    ['ended with the membership', `SELECT member_remove($1, $2, 'ann', 'ben')`, []],
    ['ended with the room', `SELECT room_delete($1, $2, 'ann')`, []],
  ])('that are %s meanwhile are none', async (_, meanwhile, left) => {
    const room = await site.room(MESSAGES);
    await site.behind(meanwhile, [room], () => site.giveUp(room, 1, 5));
    expect(await site.runs(room)).toEqual(left);
  });

  const ENDINGS: readonly (readonly [string, string, (room: string) => Promise<unknown>])[] = [
    [
      'the end of the membership',
      `SELECT member_remove($1, $2, 'ann', 'ben')`,
      (room) => site.call(memberRemove, { p_room: room, p_actor: 'ann', p_user: 'ben' }),
    ],
    [
      'the end of the room',
      `SELECT room_delete($1, $2, 'ann')`,
      (room) => site.call(roomDelete, { p_room: room, p_user: 'ann' }),
    ],
    ['an acknowledgement', `SELECT cursor_advance($1, $2, 'ben', 5, false)`, (room) => site.ack(room, 5)],
  ];

  it.each(ENDINGS)('that are being written when %s comes are gone after it', async (_, _sql, ending) => {
    const room = await site.room(MESSAGES);
    const hold = `SELECT dead_letters_add($1, $2, 'ben', 1, 5, 5, 'ack timeout')`;
    await site.behind(hold, [room], () => ending(room));
    expect(await site.runs(room)).toEqual([]);
  });

  it.each(ENDINGS)('of which one is being dropped when %s comes are gone after it', async (_, _sql, ending) => {
    const room = await site.room(MESSAGES);
    await site.giveUp(room, 1, 5);
    const id = (await site.ids(room)).get(3);
    await site.behind('SELECT dead_letters_drop($1, $2)', [id], () => ending(room));
    expect(await site.runs(room)).toEqual([]);
  });

  it.each(ENDINGS)('are gone after %s though one of them was to be dropped', async (_, sql) => {
    const room = await site.room(MESSAGES);
    await site.giveUp(room, 1, 5);
    const id = (await site.ids(room)).get(3) ?? '';
    expect(await site.behind(sql, [room], () => site.drop(id))).toBe(false);
    expect(await site.runs(room)).toEqual([]);
  });

  it('cost an ack nothing where there are none', async () => {
    const room = await site.room(MESSAGES);
    const session = await site.site.database.connect();
    /** How often the acks looked into the table. */
    const looks = async (...seqs: number[]): Promise<number> => {
      const total = async (): Promise<number> => {
        await session.query('SELECT pg_stat_force_next_flush()');
        return (await session.query<{ n: number }>(LOOKS)).rows[0]?.n ?? 0;
      };
      const before = await total();
      for (const n of seqs) await session.query(ACK, [site.tenantId, room, n]);
      return (await total()) - before;
    };
    try {
      expect(await looks(1, 2, 3)).toBe(0);
      await site.giveUp(room, 8, 9);
      expect(await looks(9)).toBeGreaterThan(0);
      expect(await looks(10, 11)).toBe(0);
    } finally {
      await session.end();
    }
  });

  it('list the last attempted first, and exactly as many as are wanted', async () => {
    const own = await DeadLettersFixture.open();
    try {
      const rooms = [await own.room(MESSAGES), await own.room(MESSAGES), await own.room(MESSAGES)];
      for (const room of rooms) await own.giveUp(room, 3, 7);
      const [first, second, third] = rooms;
      await own.sql(
        `UPDATE dead_letters SET last_attempt_at = now() - interval '1 hour' * CASE room_id WHEN $2::uuid THEN 3
         WHEN $3::uuid THEN 2 ELSE 1 END WHERE tenant_id = $1`,
        first,
        second,
      );
      const page = async (limit: number) => (await own.letters.page(own.tenantId, limit)).map((row) => row.room_id);
      expect(await page(1000)).toEqual([third, second, first].flatMap((room) => Array<unknown>(5).fill(room)));
      expect(await page(7)).toEqual([...Array<unknown>(5).fill(third), second, second]);
      expect(await page(1)).toEqual([third]);
      const [letter] = await own.letters.page(own.tenantId, 1);
      const [message] = await own.sql<{ id: string }>(
        'SELECT message_id AS id FROM messages WHERE tenant_id = $1 AND room_id = $2 AND seq = 3',
        third,
      );
      expect(letter).toMatchObject({ message_id: message?.id, user_id: 'ben', attempts: 5, error: 'ack timeout' });
      expect(await own.letters.count()).toBe(15);
    } finally {
      await own.close();
    }
  });

  describe('replayed', () => {
    it('by filter are counted, run by run and page by page', async () => {
      const own = await DeadLettersFixture.open();
      try {
        const rooms = [await own.room(MESSAGES), await own.room(MESSAGES)].sort();
        const [one = '', two = ''] = rooms;
        await own.giveUp(one, 1, 4);
        await own.giveUp(two, 2, 2);
        await own.giveUp(two, 2, 3, 'ann');
        await own.sql(
          `UPDATE dead_letters SET last_attempt_at = now() - interval '1 day' WHERE tenant_id = $1 AND room_id = $2`,
          one,
        );
        const replay = (selection: object, limit = 1000, after?: Parameters<typeof own.letters.replay>[2]) =>
          own.letters.replay(own.tenantId, selection, after, limit);
        const before = new Date(Date.now() - 3_600_000);
        expect(await replay({ before })).toEqual([{ room_id: one, user_id: 'ben', from_seq: 1, to_seq: 4 }]);
        expect(await replay({ before })).toEqual([]);
        expect(await replay({ userId: 'ann' })).toEqual([{ room_id: two, user_id: 'ann', from_seq: 2, to_seq: 3 }]);
        const all = await replay({});
        expect(all).toHaveLength(3);
        expect(await replay({ roomId: two })).toEqual(all.slice(1));
        expect(await replay({}, 2)).toEqual(all.slice(0, 2));
        expect(await replay({}, 2, all[1])).toEqual(all.slice(2));
        expect((await own.runs(one))[0]?.attempts).toBe(5 + 3);
      } finally {
        await own.close();
      }
    });

    it('by id are those messages alone, each once', async () => {
      const room = await site.room(MESSAGES);
      await site.giveUp(room, 1, 5);
      const ids = await site.ids(room);
      const wanted = [ids.get(4), ids.get(2), ids.get(4)].map((id) => id ?? '');
      const unknown = ['019000000000700080000000ffffffff', '00000000000080008000000000000001'].map((hex) =>
        hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5'),
      );
      const sent = await site.letters.replay(site.tenantId, { ids: [...wanted, ...unknown] }, undefined, 1000);
      expect(sent.map(({ from_seq, to_seq }) => [from_seq, to_seq])).toEqual([
        [2, 2],
        [4, 4],
      ]);
      expect((await site.runs(room))[0]?.attempts).toBe(6);
      for (const id of unknown) expect(await site.drop(id)).toBe(false);
    });
  });
});
