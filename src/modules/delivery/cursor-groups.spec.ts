import { AppError, notAMember, unavailable } from '../../common/errors';
import { CursorGroups, MOST_WAITING } from './cursor-groups';
import type { Tried } from './delivery.functions';
import type { Move, MoveResult } from './delivery.repository';

const TENANT = 'tenant';
const DEADLINE_MS = 1000;
const OK: Tried & MoveResult = { status: 'ok', advanced: true, acked: 1 };
const BUSY: Tried = { status: 'busy' };

interface Call<R> {
  readonly users: readonly string[];
  readonly answer: (result: R) => void;
  readonly fail: (error: unknown) => void;
}

/** Calls that wait for the test's answer. */
class FakeCursors {
  readonly together: Call<Tried[]>[] = [];
  readonly alone: Call<MoveResult>[] = [];

  renewals = 0;

  renewStatistics(): Promise<void> {
    this.renewals++;
    return Promise.reject(new Error('the database is away'));
  }

  tryAdvance(_tenantId: string, moves: readonly Move[]): Promise<Tried[]> {
    return this.note(this.together, moves);
  }

  advance(_tenantId: string, move: Move): Promise<MoveResult> {
    return this.note(this.alone, [move]);
  }

  private note<R>(calls: Call<R>[], moves: readonly Move[]): Promise<R> {
    return new Promise((answer, fail) => calls.push({ users: moves.map(({ userId }) => userId), answer, fail }));
  }
}

describe('moves of cursors in groups', () => {
  let cursors: FakeCursors;
  let groups: CursorGroups;

  beforeEach(() => {
    jest.useFakeTimers({ doNotFake: ['setImmediate'] });
    cursors = new FakeCursors();
    groups = new CursorGroups(cursors, { check: () => undefined }, { deadlineMs: DEADLINE_MS });
  });
  afterEach(() => jest.useRealTimers());

  const settled = () => new Promise((resolve) => setImmediate(resolve));
  /** What a caller gets: the answer, or the error's code and outcome. */
  const move = (userId: string, tenantId = TENANT): Promise<unknown> =>
    groups.advance(tenantId, { roomId: 'room', userId, seq: 1, isRead: false }).then(
      ({ advanced, acked }) => ({ advanced, acked }),
      (error: unknown) =>
        error instanceof AppError ? [error.code, error.details?.['outcome']] : `thrown: ${String(error)}`,
    );
  const MOVED = { advanced: true, acked: 1 };
  const usersOf = (calls: readonly Call<never>[]) => calls.map(({ users }) => users);

  /** A lone one is under way; those of `users` wait, and become the next group. */
  async function behindOne(...users: string[]): Promise<Promise<unknown>[]> {
    const first = move('first');
    await settled();
    const waiting = users.map((user) => move(user));
    await settled();
    cursors.together[0]?.answer([OK]);
    expect(await first).toEqual(MOVED);
    await settled();
    expect(usersOf(cursors.together)).toEqual([['first'], users]);
    return waiting;
  }

  it('begin at once when alone, and answer each of a group with what became of it', async () => {
    const waiting = await behindOne('ann', 'ben', 'zoe');
    cursors.together[1]?.answer([OK, { ...OK, ...{ advanced: false, acked: null } }, { status: 'not_member' }]);
    expect(await Promise.all(waiting)).toEqual([
      MOVED,
      { advanced: false, acked: null },
      [notAMember().code, undefined],
    ]);
    expect(cursors.alone).toEqual([]);
  });

  it('leave out what somebody holds: it waits by itself, and nobody for it', async () => {
    const [ann, ben, cem] = await behindOne('ann', 'ben', 'cem');
    cursors.together[1]?.answer([BUSY, OK, BUSY]);
    expect(await ben).toEqual(MOVED);
    const next = move('dan');
    await settled();
    cursors.together[2]?.answer([OK]);
    expect(await next).toEqual(MOVED);
    expect(usersOf(cursors.alone)).toEqual([['ann']]);
    cursors.alone[0]?.answer(OK);
    expect(await ann).toEqual(MOVED);
    await settled();
    cursors.alone[1]?.fail(unavailable('no', { outcome: 'none' }));
    expect(await cem).toEqual(['SERVICE_UNAVAILABLE', 'none']);
  });

  it.each([
    ['by a fault of one of them', new Error('a fault')],
    ['by a deadlock', unavailable('no', { cause: Object.assign(new Error(), { code: '40P01' }) })],
  ])('go one by one when the group failed %s', async (_, error) => {
    const [ann, ben] = await behindOne('ann', 'ben');
    cursors.together[1]?.fail(error);
    await settled();
    cursors.alone[0]?.fail(new Error('a fault of ann'));
    expect(await ann).toBe('thrown: Error: a fault of ann');
    await settled();
    cursors.alone[1]?.answer(OK);
    expect(await ben).toEqual(MOVED);
  });

  it('all fail as one would where the database did not answer, and the next ones are tried', async () => {
    const waiting = await behindOne('ann', 'ben');
    const next = move('cem');
    await settled();
    cursors.together[1]?.fail(unavailable('no', { outcome: 'unknown' }));
    const unknown = ['SERVICE_UNAVAILABLE', 'unknown'];
    expect(await Promise.all(waiting)).toEqual([unknown, unknown]);
    await settled();
    cursors.together[2]?.answer([OK]);
    expect(await next).toEqual(MOVED);
    expect(cursors.alone).toEqual([]);
  });

  it('are answered in time, and what only waited is not tried any more', async () => {
    const first = move('first');
    await settled();
    const waiting = move('ann');
    jest.advanceTimersByTime(2 * DEADLINE_MS);
    expect(await first).toEqual(['SERVICE_UNAVAILABLE', 'unknown']);
    expect(await waiting).toEqual(['SERVICE_UNAVAILABLE', 'none']);
    const later = move('ben');
    cursors.together[0]?.answer([OK]);
    await settled();
    expect(usersOf(cursors.together)).toEqual([['first'], ['ben']]);
    cursors.together[1]?.answer([BUSY]);
    await settled();
    const held = move('cem');
    await settled();
    cursors.together[2]?.answer([BUSY]);
    await settled();
    jest.advanceTimersByTime(2 * DEADLINE_MS);
    expect(await later).toEqual(['SERVICE_UNAVAILABLE', 'unknown']);
    expect(await held).toEqual(['SERVICE_UNAVAILABLE', 'none']);
    cursors.alone[0]?.answer(OK);
    await settled();
    expect(usersOf(cursors.alone)).toEqual([['ben']]);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('are refused where too many of the tenant wait; another tenant’s are not', async () => {
    const waiting = Array.from({ length: MOST_WAITING }, (_, n) => move(`user-${n}`));
    expect(await move('ann')).toEqual(['SERVICE_UNAVAILABLE', 'none']);
    const other = move('ann', 'other');
    await settled();
    const call = cursors.together.find(({ users }) => users.length === 1);
    call?.answer([OK]);
    expect(await other).toEqual(MOVED);
    for (let at = 0; at < cursors.together.length; at++) {
      const { users, answer } = cursors.together[at] ?? { users: [], answer: () => undefined };
      answer(users.map(() => OK));
      await settled();
    }
    expect(await Promise.all(waiting)).toEqual(Array(MOST_WAITING).fill(MOVED));
    expect(Math.max(...usersOf(cursors.together).map(({ length }) => length))).toBe(500);
    expect(cursors.renewals).toBe(MOST_WAITING / 1000);
  });

  it('are refused at once while the database is away', async () => {
    const away = {
      check: () => {
        throw unavailable('away');
      },
    };
    groups = new CursorGroups(cursors, away, { deadlineMs: DEADLINE_MS });
    expect(await move('ann')).toEqual(['SERVICE_UNAVAILABLE', 'none']);
    expect(cursors.together).toEqual([]);
  });
});
