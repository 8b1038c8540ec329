import fc from 'fast-check';
import { newUuid } from '../../src/common/ids';
import type { GroupCommit } from '../../src/modules/messages/appender/group-commit';
import type { StateChange, StateOutcome } from '../../src/modules/messages/appender/item';
import { messageDelete, messageEdit } from '../../src/modules/messages/messages.functions';
import { MessagesRepository } from '../../src/modules/messages/messages.repository';
import { MissedRepository, RoomLogRepository } from '../../src/modules/messages/room-log/room-log.repository';
import { statesOf } from '../../src/modules/messages/views';
import { roomUpdate } from '../../src/modules/rooms/rooms.functions';
import { AppendFixture, messageTo, type RoomRef, WAITING } from '../support/append-model';
import { runs } from '../support/timing';

interface Shown {
  readonly key: string;
  readonly count: number;
  readonly users: readonly string[];
}

const USERS = ['alice', 'bob', 'cat', 'dan', 'eve'];

describe('states of messages', () => {
  let bench: AppendFixture;
  let commits: GroupCommit;
  let messages: MessagesRepository;
  let room: RoomRef;
  let message: string;

  beforeAll(async () => {
    bench = await AppendFixture.start();
    commits = bench.groupCommit();
    messages = new MessagesRepository(bench.open.database);
  });
  afterAll(() => bench.close());
  beforeEach(async () => {
    room = await bench.room({ members: USERS });
    message = (await bench.appendOne(messageTo(room))).message_id;
  });

  const change = (what: Partial<StateChange>): Promise<StateOutcome> =>
    commits.change({ ...room, messageId: message, userId: 'bob', state: 'reaction', key: '👍', on: true, ...what });
  const pin = (what: Partial<StateChange> = {}): Promise<StateOutcome> => change({ state: 'pin', key: null, ...what });
  const set = async (settings: object): Promise<void> => {
    await bench.call(room, roomUpdate, {
      p_room: room.roomId,
      p_user: 'alice',
      p_settings: settings,
      p_max_bytes: 8192,
    });
  };
  const page = async () =>
    (await messages.list(room.tenantId, room.roomId, 'alice', {
      ...{ afterSeq: null, beforeSeq: null, limit: 100, offset: 0, newest: false },
    })) ?? { rows: [] };
  const shown = async (): Promise<readonly Shown[] | undefined> =>
    statesOf((await page()).rows[0] ?? {})?.shown.reactions;
  const count = async (table: string): Promise<number> => {
    const [row] = await bench.database.sql(`SELECT count(*)::int AS n FROM ${table} WHERE room_id = $1`, [room.roomId]);
    return (row as { n: number }).n;
  };
  const changes = async (after: number) =>
    (await messages.changes(room.tenantId, room.roomId, 'alice', after, 100))?.rows ?? [];

  describe('reactions', () => {
    it('are counted with the first three, in the order in which keys came', async () => {
      for (const userId of USERS) await change({ userId });
      await change({ userId: 'eve', key: '🎉' });
      expect(await shown()).toEqual([
        { key: '👍', count: 5, users: ['alice', 'bob', 'cat'] },
        { key: '🎉', count: 1, users: ['eve'] },
      ]);
      expect(await change({ userId: 'alice', on: false })).toMatchObject({
        outcome: 'new',
        state: { rev: 8, seq: 1, count: 4, reactions: [{ users: ['bob', 'cat', 'dan'] }, { key: '🎉' }] },
      });
      await change({ userId: 'eve', key: '🎉', on: false });
      expect(await shown()).toEqual([{ key: '👍', count: 4, users: ['bob', 'cat', 'dan'] }]);
    });

    it('that change nothing have no revision', async () => {
      expect(await change({ on: false })).toMatchObject({ outcome: 'unchanged', state: { rev: null } });
      await change({});
      expect(await change({})).toMatchObject({ outcome: 'unchanged', state: { rev: 2, count: 1 } });
      expect(await bench.counters(room)).toEqual({ last_seq: 1, last_rev: 2 });
    });

    it('given by a hundred at once are one row and one revision', async () => {
      const outcomes = await Promise.all(Array.from({ length: 100 }, () => change({})));
      expect(outcomes.filter(({ outcome }) => outcome === 'new')).toHaveLength(1);
      expect(await count('message_reactions')).toBe(1);
      expect(await bench.counters(room)).toEqual({ last_seq: 1, last_rev: 2 });
    });

    it('end exactly at thirty keys, however many race', async () => {
      const keys = Array.from({ length: 45 }, (_, i) => `k${i}`);
      const outcomes = await Promise.all(keys.map((key, i) => change({ key, userId: USERS[i % 5] ?? '' })));
      expect(outcomes.filter(({ outcome }) => outcome === 'full')).toHaveLength(15);
      expect(await shown()).toHaveLength(30);
      expect(await count('message_reactions')).toBe(30);
    });

    it('are one of a kind where the room says so: another one is one change of two counts', async () => {
      await change({ key: 'a' });
      await change({ key: 'a', userId: 'cat' });
      await set({ reactions: 'unique' });
      expect(await change({ key: 'b' })).toMatchObject({
        state: { key: 'b', count: 1, rev: 5, replaced: [{ key: 'a', count: 1 }] },
      });
      expect(await shown()).toEqual([
        { key: 'a', count: 1, users: ['cat'] },
        { key: 'b', count: 1, users: ['bob'] },
      ]);
    });

    it('make room for another key where they are replaced, at thirty', async () => {
      for (let i = 0; i < 30; i++) await change({ key: `k${i}`, userId: i === 0 ? 'bob' : 'cat' });
      await set({ reactions: 'unique' });
      expect(await change({ key: 'new' })).toMatchObject({ outcome: 'new' });
      expect(await change({ key: 'newer', userId: 'dan' })).toMatchObject({ outcome: 'full' });
      expect(await shown()).toHaveLength(30);
    });

    it('are refused to others than members, of what is not there, and where they are off', async () => {
      expect(await change({ userId: 'mallory' })).toMatchObject({ outcome: 'not_member' });
      expect(await change({ messageId: newUuid() })).toMatchObject({ outcome: 'no_message' });
      expect(await change({ messageId: null })).toMatchObject({ outcome: 'no_message' });
      expect(await change({ roomId: newUuid() })).toMatchObject({ outcome: 'no_room' });
      await set({ reactions: 'off' });
      expect(await change({})).toMatchObject({ outcome: 'off' });
      expect(await count('message_reactions')).toBe(0);
    });

    it('are given in a room where one may not post', async () => {
      await bench.call(room, roomUpdate, {
        ...{ p_room: room.roomId, p_user: 'alice', p_posting: 'admins', p_max_bytes: 8192 },
      });
      expect(await change({})).toMatchObject({ outcome: 'new' });
    });

    it('stay with an edit, and go with a deletion', async () => {
      const target = { p_room: room.roomId, p_message: message, p_user: 'alice' };
      await change({});
      expect(await bench.call(room, messageEdit, { ...target, p_content: 'x' })).toMatchObject({
        message: { rev: 3, states: { rev: 2, shown: { reactions: [{ count: 1 }], reactions_rev: 2 } } },
      });
      await pin();
      await bench.call(room, messageDelete, target);
      expect(await shown()).toBeUndefined();
      for (const table of ['message_reactions', 'message_reaction_counts', 'room_pins'])
        expect(await count(table)).toBe(0);
      expect(await change({})).toMatchObject({ outcome: 'no_message' });
      expect(await change({ on: false })).toMatchObject({ outcome: 'unchanged' });
    });
  });

  describe('pins', () => {
    it('are told once, and again nothing', async () => {
      expect(await pin()).toMatchObject({ outcome: 'new', state: { seq: 1, rev: 2 } });
      expect(await pin({ userId: 'cat' })).toMatchObject({ outcome: 'unchanged' });
      expect(await pin({ on: false, userId: 'cat' })).toMatchObject({ outcome: 'new', state: { rev: 3 } });
      expect(await pin({ on: false })).toMatchObject({ outcome: 'unchanged' });
      expect(await bench.counters(room)).toEqual({ last_seq: 1, last_rev: 3 });
    });

    it('are for admins alone where the room says so', async () => {
      await set({ pin: 'admins' });
      expect(await pin()).toMatchObject({ outcome: 'admins' });
      expect(await pin({ userId: 'alice' })).toMatchObject({ outcome: 'new' });
    });

    it('are fifty at most, at a race', async () => {
      const sent = await Promise.all(Array.from({ length: 54 }, () => commits.append(messageTo(room))));
      const ids = sent.map((each) => ('messageId' in each ? each.messageId : ''));
      const outcomes = await Promise.all(ids.map((messageId) => pin({ messageId })));
      expect(outcomes.filter(({ outcome }) => outcome === 'full')).toHaveLength(4);
      expect(await pin({ messageId: ids[0] ?? '', on: false })).toMatchObject({ outcome: 'new' });
      expect(await pin({ messageId: ids[53] ?? '' })).toMatchObject({ outcome: 'new' });
    });
  });

  describe('in one commit with messages', () => {
    it('have their revisions behind those of the messages, in all rooms of the batch', async () => {
      const other = await bench.room({ tenantId: room.tenantId, members: ['alice', 'bob'] });
      const state: StateChange = {
        ...{ ...room, messageId: message, userId: 'bob', state: 'reaction', key: 'a', on: true },
      };
      const rows = await bench.repository.append([state, messageTo(room), messageTo(other), { ...state, key: 'b' }], 0);
      expect(rows.map(({ item, status, rev }) => [item, status, rev]).sort()).toEqual([
        [1, 'new', 3],
        [2, 'new', 2],
        [3, 'new', 1],
        [4, 'new', 4],
      ]);
    });

    it.each([0, WAITING])('leave a room alone that somebody holds, waiting for %d ms', async (lockMs) => {
      const held = await bench.hold(room);
      const state = { ...room, messageId: message, userId: 'bob', state: 'reaction', key: 'a', on: true } as const;
      const other = await bench.room();
      const writing = bench.repository.append([state, messageTo(other)], lockMs);
      const rows = await writing;
      expect(rows.map(({ item, status }) => [item, status]).sort()).toEqual([
        [1, 'locked'],
        [2, 'new'],
      ]);
      await held.release();
      expect(await change({})).toMatchObject({ outcome: 'new' });
    });
  });

  describe('what is told of them', () => {
    it('is the present state once, beside messages and events, in order of rev', async () => {
      await change({});
      await pin();
      await change({ userId: 'cat' });
      expect((await changes(0)).map(({ rev, type }) => [rev, type])).toEqual([
        [1, 'message'],
        [3, 'message.pinned'],
        [4, 'reaction.updated'],
      ]);
      expect((await changes(3))[0]).toMatchObject({
        ...{ rev: 4, payload: { seq: 1, reactions: [{ key: '👍', count: 2, users: ['bob', 'cat'] }] } },
      });
      await change({ on: false });
      await change({ on: false, userId: 'cat' });
      expect((await changes(3)).map(({ rev }) => rev)).toEqual([6]);
    });

    it('comes to a channel that reads the log, with a new message or after an old one', async () => {
      const log = new RoomLogRepository(bench.open.database);
      await change({});
      const kinds = async (rev: number, seq: number) =>
        (await log.after(room.tenantId, room.roomId, { rev, seq }, 10)).map((row) => [row.kind, row.rev]);
      expect(await kinds(0, 0)).toEqual([['new', 2]]);
      expect(await kinds(1, 1)).toEqual([['state', 2]]);
      expect(await kinds(2, 1)).toEqual([]);
    });

    it('comes to who was away, page by page', async () => {
      const missed = new MissedRepository(bench.open.database);
      await change({});
      await pin();
      const part = {
        ...{ roomId: room.roomId, afterSeq: 1, throughSeq: 1, afterRev: 1, throughRev: 3, changedThroughSeq: 1 },
        ...{ marks: false, named: undefined },
      };
      const rows = await missed.missed(
        room.tenantId,
        [{ userId: 'cat', part, limits: { messages: 10, changes: 10, bytes: 10_000 } }],
        10,
      );
      expect(rows.map((row) => [row.kind, 'rev' in row ? row.rev : 0]).sort()).toEqual([
        ['state', 2],
        ['state', 3],
      ]);
    });
  });

  /** What is shown and does not follow from who gave what; empty: recount = stored. */
  const miscounted = (): Promise<object[]> =>
    bench.database.sql(
      `SELECT seq FROM message_reaction_counts c, LATERAL (SELECT COALESCE(jsonb_object_agg(k.key, k.n), '{}') AS counted
         FROM (SELECT r.key, count(*) AS n FROM message_reactions r
           WHERE r.tenant_id = c.tenant_id AND r.room_id = c.room_id AND r.seq = c.seq GROUP BY 1) k) x
       WHERE c.room_id = $1 AND x.counted <> (SELECT COALESCE(jsonb_object_agg(e->>'key', e->'count'), '{}')
         FROM jsonb_array_elements(c.counts) e)`,
      [room.roomId],
    );

  it('are what was acknowledged, and counted, when connections die in the middle', async () => {
    const ids = [message, (await bench.appendOne(messageTo(room))).message_id];
    let killed = 0;
    for (let round = 0; round < 10; round++) {
      const wanted = new Map<string, boolean>();
      const held = await bench.hold(room);
      const work = Array.from({ length: 40 }, async (_, i) => {
        const what = {
          userId: USERS[i % 5] ?? '',
          messageId: ids[i % 2] ?? null,
          key: `k${i % 3}`,
          on: round % 2 === 0,
        };
        wanted.set(`${what.userId} ${what.messageId} ${what.key}`, what.on);
        await commits.append(messageTo(room));
        return change(what);
      });
      await bench.lockWaiters(1);
      killed += await bench.killBusySessions();
      await held.release();
      for (const { outcome } of await Promise.all(work)) expect(['new', 'unchanged']).toContain(outcome);
      const given = round % 2 === 0 ? wanted.size : 0;
      expect([round, await count('message_reactions')]).toEqual([round, given]);
      expect(await miscounted()).toEqual([]);
    }
    expect(killed).toBeGreaterThanOrEqual(10);
    const { last_seq: seq, last_rev: rev } = await bench.counters(room);
    const told = await changes(0);
    expect(new Set(told.map((each) => each.rev)).size).toBe(told.length);
    expect(rev).toBeGreaterThan(seq);
  });

  it('of random toggles are what the table counts, and what whoever follows them by changes has', async () => {
    const toggle = fc.record({
      ...{ userId: fc.constantFrom(...USERS), key: fc.constantFrom('a', 'b', 'c', 'd'), on: fc.boolean() },
    });
    await fc.assert(
      fc.asyncProperty(fc.array(toggle, { minLength: 1, maxLength: 40 }), fc.nat(40), async (toggles, from) => {
        room = await bench.room({ members: USERS });
        message = (await bench.appendOne(messageTo(room))).message_id;
        const model = new Map<string, string[]>();
        await Promise.all(toggles.map((each) => change(each)));
        for (const { userId, key, on } of toggles) {
          const others = (model.get(key) ?? []).filter((each) => each !== userId);
          const had = others.length < (model.get(key) ?? []).length;
          if (on && !had) model.set(key, [...others, userId]);
          else if (!on && had) model.set(key, others);
          if (model.get(key)?.length === 0) model.delete(key);
        }
        const expected = [...model].map(([key, users]) => ({ key, count: users.length, users: users.slice(0, 3) }));
        expect((await shown()) ?? []).toEqual(expected);
        const { last_rev: last } = await bench.counters(room);
        const told = await changes(Math.min(from, last - 1));
        const state = told.find(({ type }) => type === 'reaction.updated');
        expect(await miscounted()).toEqual([]);
        if (last > 1) expect(state).toMatchObject({ payload: { reactions: expected } });
      }),
      { numRuns: runs(30) },
    );
  });
});
