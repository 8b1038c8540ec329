import fc from 'fast-check';
import { runs } from '../../../test/support/timing';
import type { ModelRoom } from '../../../test/support/realtime/model-log';
import {
  anyStep,
  commitStep,
  harmlessStep,
  isEnd,
  type Phase,
  roomFrames,
  SyncSimulator,
  type SyncStep,
  type WatchedConnection,
} from '../../../test/support/realtime/sync-simulator';

type RoomFrame = ReturnType<typeof roomFrames>[number];

const askedStep = fc.record({
  do: fc.constant('sync' as const),
  afterSeq: fc.nat(20),
  afterRev: fc.integer({ min: -10, max: 30 }),
}) as fc.Arbitrary<SyncStep>;

const write = (what: 'message' | 'edit', told: number, nth = 0): SyncStep => ({ do: what, nth, node: 0, told });
/** A channel that is behind a connection reads a page that ends before a message of which the edit lies beyond it. */
const EDITED_BEYOND: SyncStep[] = [
  ...[{ do: 'open' as const }, write('message', 0), { do: 'answer' as const }, write('message', 2), write('edit', 0)],
  ...[write('message', 0), write('message', 0), write('message', 0)],
  ...[{ do: 'open' as const }, { do: 'answer' as const }, write('edit', 0, 9)],
];

const isJoining = (frame: RoomFrame | undefined, user: string): boolean =>
  frame?.type === 'member.joined' && frame.user === user;
const isMembership = ({ type }: RoomFrame): boolean => type === 'member.joined' || type === 'member.left';
const newSeqs = (frames: readonly RoomFrame[]): number[] =>
  frames.flatMap((frame) => (frame.type === 'message' ? [frame.seq ?? 0] : []));
const numbers = (from: number, to: number): number[] =>
  Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => from + i);

/** The newest revision that the frames show of a message. */
function shown(frames: readonly RoomFrame[], seq: number): number {
  const about = frames.filter((f) => f.type.startsWith('message') && (f.of ?? f.seq) === seq);
  return Math.max(0, ...about.map(({ rev }) => rev));
}

/** The frames up to the end of the user's first membership, and what came afterwards. */
function stints(frames: readonly RoomFrame[], user: string): [RoomFrame[], RoomFrame[]] {
  const end = frames.findIndex((frame) => isEnd(frame, user));
  return end < 0 ? [[...frames], []] : [frames.slice(0, end + 1), frames.slice(end + 1)];
}

/** The last frame of a user that is no member any more says so. */
function expectEnd(room: ModelRoom, { connection }: WatchedConnection): void {
  const last = roomFrames(connection).at(-1);
  const isIn = room.members.has(connection.userId) && !room.deleted;
  if (!isIn && last !== undefined) expect(isEnd(last, connection.userId)).toBe(true);
}

/** Everything that was the case after the connection came is what it has seen last. */
function expectCurrent(
  room: ModelRoom,
  { connection, positionRev }: WatchedConnection,
  first: number,
  from: number,
): void {
  const frames = roomFrames(connection);
  for (const { seq, rev } of room.messages) {
    if (seq >= first) expect([seq, shown(frames, seq)]).toEqual([seq, rev]);
    // Of those that it has already it is told what changed since it came; of those left out nothing is promised.
    else if (seq <= from && rev > (positionRev ?? Infinity)) expect([seq, shown(frames, seq)]).toEqual([seq, rev]);
  }
}

/** A connection that asked for nothing: each message once, in order; each change since it came once, in order. */
function expectSynced(room: ModelRoom, watched: WatchedConnection): void {
  const { connection, acked, positionRev } = watched;
  const [frames, later] = stints(roomFrames(connection), connection.userId);
  expectEnd(room, watched);
  // After a removal nothing comes but the user's own return.
  if (later.length > 0) expect(isJoining(later[0], connection.userId)).toBe(true);
  const cut = frames.find(({ type }) => type === 'sync.truncated');
  if (cut !== undefined) expect(frames[0]).toBe(cut);
  const first = (cut?.['before_seq'] as number | undefined) ?? newSeqs(frames)[0] ?? acked + 1;
  const isJoined = isJoining(frames[0], connection.userId);
  if (cut === undefined && !isJoined) expect(first).toBeGreaterThanOrEqual(acked + 1);
  const got = newSeqs(frames);
  expect(got).toEqual(numbers(first, first + got.length - 1));
  const events = frames.filter(isMembership).map(({ rev }) => rev);
  expect(events).toEqual([...new Set(events)].sort((a, b) => a - b));

  const at = frames.findIndex(({ type }) => type === 'sync.complete');
  const { last_seq, last_rev } = (frames[at] ?? {}) as { last_seq?: number; last_rev?: number };
  expect(frames.filter(({ type }) => type === 'sync.complete')).toHaveLength(at < 0 ? 0 : 1);
  if (last_seq !== undefined && last_rev !== undefined) {
    const [before, after] = [frames.slice(0, at), frames.slice(at + 1)];
    if (newSeqs(before).length > 0) expect(newSeqs(before).at(-1)).toBe(last_seq);
    expect(newSeqs(after).every((seq) => seq > last_seq)).toBe(true);
    for (const frame of before) if (isMembership(frame)) expect(frame.rev).toBeLessThanOrEqual(last_rev);
    for (const frame of after) expect(frame.rev).toBeGreaterThan(last_rev);
  }
  const stays = room.members.has(connection.userId) && !room.deleted && later.length === 0;
  const hasPosition = positionRev !== undefined && frames.length > 0;
  if (!stays || !connection.isOpen || !hasPosition || isEnd(frames.at(-1) as RoomFrame, connection.userId)) return;
  // A place taken at a joining is no sync.
  if (isJoined) return;
  expect(at).toBeGreaterThanOrEqual(0);
  expect(first + got.length - 1).toBe(room.messages.length);
  expectCurrent(room, watched, first, acked);
  const due = room.changes
    .filter(({ rev, type }) => rev > positionRev && type.startsWith('member.'))
    .map(({ rev }) => rev);
  expect(events.filter((rev) => rev > positionRev)).toEqual(due);
}

/** One whose client asks again and again: no answer has a gap, and it ends up with what there is. */
function expectAnswered(room: ModelRoom, watched: WatchedConnection): void {
  const { connection, acked, positionRev } = watched;
  const [frames, later] = stints(roomFrames(connection), connection.userId);
  frames.forEach((frame, at) => {
    if (frame.type !== 'sync.complete') return;
    const request = frame['request_id'] as string | undefined;
    const earlier = frames.slice(0, at);
    const cut = earlier.findLast((f) => f.type === 'sync.truncated' && f['request_id'] === request);
    const asked = request === undefined ? acked : Number(request.split(' ')[1]);
    const last = frame['last_seq'] as number;
    // The same may have been asked for twice, and only once too much of it.
    const begins = [asked + 1, (cut?.['before_seq'] as number | undefined) ?? asked + 1];
    const got = newSeqs(earlier);
    expect(begins.some((from) => isSuffix(numbers(from, last), got))).toBe(true);
  });
  // Without a place of its own a connection is told what it asks for, and nothing by itself.
  if (positionRev === undefined || later.length > 0) return;
  expectEnd(room, watched);
  const stays = room.members.has(connection.userId) && !room.deleted;
  if (!stays || !connection.isOpen || frames.length === 0) return;
  if (isEnd(frames.at(-1) as RoomFrame, connection.userId) || isJoining(frames[0], connection.userId)) return;
  const cut = frames.find(({ type }) => type === 'sync.truncated');
  const first = cut === undefined ? acked + 1 : (cut['before_seq'] as number);
  expectCurrent(room, watched, Math.max(first, acked + 1), acked);
}

function isSuffix(part: readonly number[], whole: readonly number[]): boolean {
  return part.every((n, i) => whole[whole.length - part.length + i] === n);
}

describe('the seam between what was missed and what is live', () => {
  beforeEach(() => jest.useFakeTimers({ doNotFake: ['setImmediate', 'queueMicrotask', 'nextTick'] }));
  afterEach(() => jest.useRealTimers());

  type Judge = (room: ModelRoom, watched: WatchedConnection) => void;

  async function play(isChannel: boolean, judge: Judge, moves: (game: SyncSimulator) => Promise<void>): Promise<void> {
    const game = new SyncSimulator(isChannel);
    try {
      await moves(game);
      await game.finish();
      for (const watched of game.watched) {
        judge(game.room, watched);
      }
    } finally {
      game.stop();
    }
  }

  const some = (max: number, step: fc.Arbitrary<SyncStep> = anyStep): fc.Arbitrary<SyncStep[]> =>
    fc.array(step, { maxLength: max, size: 'max' });
  const phases: readonly Phase[] = ['opening', 'reading', 'stalled', 'following', 'live'];
  const happenings = ['message', 'edit', 'join', 'remove', 'delete'] as const;
  const pairs = phases.flatMap((phase) => happenings.map((what) => [phase, what] as const));

  const cases = pairs.flatMap(([phase, what]) => [false, true].map((isMuch) => [phase, what, isMuch] as const));

  it.each(cases)('in the phase %s × %s, more missed than is sent: %s', async (phase, what, hasMissedMuch) => {
    let hits = 0;
    const one = fc.asyncProperty(
      ...([some(12, harmlessStep), commitStep(what), some(20), fc.boolean()] as const),
      async (before, change, after, isChannel) => {
        await play(isChannel, expectSynced, async (game) => {
          await game.run(before);
          await game.reach(phase, hasMissedMuch);
          if (await game.hit(phase, change)) hits++;
          await game.run(after);
        });
      },
    );
    // A slow machine tries few at a time, and it may be that none of them hits.
    for (let tries = 0; hits === 0 && tries < 10; tries++) await fc.assert(one, { numRuns: runs(15) });
    expect(hits).toBeGreaterThan(0);
  });

  it('whatever happens whenever', async () => {
    const any = fc.asyncProperty(some(60), fc.boolean(), async (steps, isChannel) => {
      await play(isChannel, expectSynced, (game) => game.run(steps));
    });
    await fc.assert(any, { numRuns: runs(300), examples: [[EDITED_BEYOND, false]] });
  });

  it('also for what clients ask for on a live connection, again and again', async () => {
    const steps = some(60, fc.oneof({ weight: 6, arbitrary: anyStep }, { weight: 1, arbitrary: askedStep }));
    const any = fc.asyncProperty(steps, async (all) => {
      await play(false, expectAnswered, (game) => game.run(all));
    });
    await fc.assert(any, { numRuns: runs(300) });
  });
});
