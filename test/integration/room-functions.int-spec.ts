import fc from 'fast-check';
import { membershipOp, MembershipModel, perform, replay } from '../support/membership-model';
import type { FunctionResult } from '../support/schema-function-calls';
import { RoomFunctions, type RoomState } from '../support/room-functions';
import { runs } from '../support/timing';

const FOUNDERS = [
  { user_id: 'ann', role: 'admin' },
  { user_id: 'Ben', role: 'member' },
  { user_id: 'cat', role: 'member' },
];
const TWO_ADMINS = [...FOUNDERS.slice(0, 1), { user_id: 'Ben', role: 'admin' }, ...FOUNDERS.slice(2)];
const NOTHING = 'SELECT 1';

const statuses = (results: readonly FunctionResult[]): string[] => results.map((result) => result.status);
const rolesOf = (state: RoomState): string[] => state.members.map((member) => `${member.user_id}:${member.role}`);

/** What holds of every room, whatever happened to it. */
function expectSound(state: RoomState, founders: readonly { user_id: string; role: string }[]): void {
  expect(state.member_count).toBe(state.members.length);
  if (state.members.length > 0) expect(state.members.map((member) => member.role)).toContain('admin');
  expect(state.events.map((event) => event.rev)).toEqual(Array.from({ length: state.last_rev }, (_, i) => i + 1));
  expect(replay(founders, state.events)).toEqual(state.members);
}

describe('room functions', () => {
  let rooms: RoomFunctions;

  beforeAll(async () => {
    rooms = await RoomFunctions.open();
  });
  afterAll(() => rooms.close());

  describe('one after the other', () => {
    it.each(['group', 'channel'] as const)('keep the members of a %s as a small model says', async (type) => {
      await fc.assert(
        fc.asyncProperty(fc.array(membershipOp, { minLength: 5, maxLength: 40 }), async (ops) => {
          const room = await rooms.create(type, FOUNDERS);
          const model = new MembershipModel(type, FOUNDERS);
          for (const op of ops) expect([op, await perform(rooms, room, op)]).toEqual([op, model.apply(op)]);
          const state = await rooms.state(room);
          expect(state.members).toEqual(model.members);
          expect(state.last_rev).toBe(model.changes);
          expectSound(state, FOUNDERS);
        }),
        { numRuns: runs(60) },
      );
    });

    it('tell of a room what clients get, and no other column', async () => {
      const room = await rooms.create('group', FOUNDERS);
      const told = await rooms.merge(room, 'ann', { a: 1 });
      const shown = [
        ...['room_id', 'type', 'unique_key', 'name', 'metadata', 'metadata_text', 'posting', 'settings'],
        ...['first_seq', 'last_seq', 'last_rev', 'member_count', 'created_at', 'updated_at'],
      ];
      expect(Object.keys(told['room'] as object).sort()).toEqual(shown.sort());
      const { events } = await rooms.state(room);
      expect(Object.keys(events[0]?.payload ?? {}).sort()).toEqual(shown);
    });

    it('measure metadata as JavaScript writes it', async () => {
      const text = fc.string({ unit: 'binary' }).filter((s) => !s.includes('\u0000') && s.isWellFormed());
      const json = fc.letrec((tie) => ({
        value: fc.oneof(
          { maxDepth: 4 },
          fc.constantFrom(
            null,
            true,
            false,
            1e21,
            999999999999999900000,
            1e-6,
            9.99e-7,
            5e-324,
            -1.7976931348623157e308,
          ),
          fc.double({ noNaN: true, noDefaultInfinity: true }),
          fc.integer(),
          text,
          fc.array(tie('value'), { maxLength: 5 }),
          fc.dictionary(text, tie('value'), { maxKeys: 5, noNullPrototype: true }),
        ),
      }));
      await fc.assert(
        fc.asyncProperty(fc.array(json.value, { minLength: 50, maxLength: 50 }), async (values) => {
          const expected = values.map((value) => Buffer.byteLength(JSON.stringify(value)));
          expect(await rooms.jsonBytes(values)).toEqual(expected);
        }),
        { numRuns: runs(30) },
      );
    });

    it('never make an agent the admin, and never leave it alone with people without one', async () => {
      const room = await rooms.create('channel', FOUNDERS.slice(0, 1));
      await rooms.seatAgent(room, 'agent_default');
      await rooms.add(room, 'ann', ['Ben']);
      expect(await rooms.remove(room, 'ann', 'ann')).toEqual({ status: 'ok', promoted: 'Ben' });
      expect((await rooms.setRole(room, 'Ben', 'agent_default', 'admin')).status).toBe('not_member');
      expect((await rooms.remove(room, 'Ben', 'agent_default')).status).toBe('not_member');
      expect(await rooms.remove(room, 'Ben', 'Ben')).toEqual({ status: 'ok', promoted: null });
      expect((await rooms.join(room, 'cat')).status).toBe('ok');
      expect(rolesOf(await rooms.state(room))).toEqual(['agent_default:agent', 'cat:admin']);
    });
  });

  describe('at the same time', () => {
    it.each(['group', 'channel'] as const)('keep a %s sound whatever races', async (type) => {
      await fc.assert(
        fc.asyncProperty(fc.array(membershipOp, { minLength: 10, maxLength: 40 }), async (ops) => {
          const room = await rooms.create(type, TWO_ADMINS);
          await Promise.all(ops.map((op) => perform(rooms, room, op)));
          expectSound(await rooms.state(room), TWO_ADMINS);
        }),
        { numRuns: runs(40) },
      );
    });

    it('leave an admin when the two that there are leave', async () => {
      const room = await rooms.create('group', TWO_ADMINS);
      const results = await rooms.behind(room, NOTHING, [
        () => rooms.remove(room, 'ann', 'ann'),
        () => rooms.remove(room, 'Ben', 'Ben'),
      ]);
      expect(statuses(results)).toEqual(['ok', 'ok']);
      expect(results.map((result) => result['promoted']).sort()).toEqual(['cat', null]);
      const state = await rooms.state(room);
      expect(rolesOf(state)).toEqual(['cat:admin']);
      expectSound(state, TWO_ADMINS);
    });

    it('leave an admin when the two that there are take the role from each other', async () => {
      const room = await rooms.create('group', TWO_ADMINS);
      const results = await rooms.behind(room, NOTHING, [
        () => rooms.setRole(room, 'ann', 'Ben', 'member'),
        () => rooms.setRole(room, 'Ben', 'ann', 'member'),
      ]);
      expect(statuses(results).sort()).toEqual(['forbidden', 'ok']);
      const [first] = statuses(results);
      const left = first === 'ok' ? ['ann:admin', 'Ben:member'] : ['ann:member', 'Ben:admin'];
      expect(rolesOf(await rooms.state(room))).toEqual([...left, 'cat:member']);
    });

    it('decide after the lock: who was demoted meanwhile may no more', async () => {
      const room = await rooms.create('group', TWO_ADMINS);
      const demoted = `UPDATE room_members SET role = 'member' WHERE $room AND user_id = 'ann'`;
      const results = await rooms.behind(room, demoted, [
        () => rooms.add(room, 'ann', ['dan']),
        () => rooms.remove(room, 'ann', 'cat'),
        () => rooms.setRole(room, 'ann', 'cat', 'admin'),
        () => rooms.merge(room, 'ann', { a: 1 }),
        () => rooms.delete(room, 'ann'),
      ]);
      expect(statuses(results)).toEqual(Array(5).fill('forbidden'));
      expect(await rooms.state(room)).toMatchObject({ member_count: 3, last_rev: 0, metadata: null });
    });

    it('find no room that was deleted meanwhile', async () => {
      const room = await rooms.create('channel', FOUNDERS);
      const results = await rooms.behind(room, `UPDATE rooms SET deleted_at = now() WHERE $room`, [
        () => rooms.add(room, 'ann', ['dan']),
        () => rooms.join(room, 'dan'),
        () => rooms.remove(room, 'ann', 'cat'),
        () => rooms.setRole(room, 'ann', 'cat', 'admin'),
        () => rooms.merge(room, 'ann', { a: 1 }),
        () => rooms.delete(room, 'ann'),
      ]);
      expect(statuses(results)).toEqual(Array(6).fill('no_room'));
    });

    it('merge metadata of many without losing a key, in any order of writing and removing', async () => {
      const room = await rooms.create('group', TWO_ADMINS);
      await rooms.merge(room, 'ann', Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`old${i}`, i])));
      const merges = Array.from({ length: 20 }, (_, i) =>
        rooms.merge(room, i % 2 ? 'ann' : 'Ben', { [`old${i}`]: null, [`new${i}`]: { i } }),
      );
      expect(statuses(await Promise.all(merges))).toEqual(Array(20).fill('ok'));
      const state = await rooms.state(room);
      expect(state.metadata).toEqual(Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`new${i}`, { i }])));
      expectSound(state, TWO_ADMINS);
    });

    it('let metadata grow to the limit and not past it', async () => {
      const room = await rooms.create('group', FOUNDERS);
      const merges = Array.from({ length: 8 }, (_, i) => rooms.merge(room, 'ann', { [`k${i}`]: 'x'.repeat(100) }, 400));
      const results = statuses(await Promise.all(merges)).sort();
      expect(results).toEqual([...Array(3).fill('ok'), ...Array(5).fill('too_large')]);
      expect(Object.keys((await rooms.state(room)).metadata ?? {})).toHaveLength(3);
    });
  });
});
