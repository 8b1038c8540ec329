import { RecordingLog } from '../../../test/support/recording-log';
import { ManualClock } from '../../common/time';
import { NodeClock } from './node-clock';

const OFF = 'the clocks of this server and of the database differ by more than a second';

/** A node whose database is `aheadMs` ahead, and takes so many milliseconds for each answer. */
function setUp(aheadMs: number, roundTripsMs: readonly number[] = [2]) {
  const clock = new ManualClock();
  const log = new RecordingLog();
  const database = { aheadMs, asked: 0 };
  const clockMs = (): Promise<number> => {
    const roundTripMs = roundTripsMs[database.asked++ % roundTripsMs.length] ?? 0;
    clock.advance(roundTripMs / 2);
    const now = clock.wallMs() + database.aheadMs;
    clock.advance(roundTripMs / 2);
    return Promise.resolve(now);
  };
  const node = new NodeClock({ clockMs }, clock, log);
  return { node, log, database };
}

describe('the clock of a node', () => {
  it.each([
    [0, undefined],
    [900, undefined],
    [-900, undefined],
    [2400, 2400],
    [-2400, -2400],
  ])('with a database that is %i ms ahead: told as %p', async (aheadMs, told) => {
    const { node, log } = setUp(aheadMs, [200]);
    await node.measure();
    expect([node.offMs, node.seconds()]).toEqual([told, aheadMs / 1000]);
    expect(log.lines.map(({ level }) => level)).toEqual(told === undefined ? [] : ['warn']);
  });

  it('is warned of once, until it is right again', async () => {
    const { node, log, database } = setUp(5000);
    for (const aheadMs of [5000, 6000, 0, 0, -5000, -5000]) {
      database.aheadMs = aheadMs;
      await node.measure();
    }
    expect(log.lines.map(({ level, message }) => [level, message.split(':')[0]])).toEqual([
      ['warn', OFF],
      ['info', 'the clocks agree again'],
      ['warn', OFF],
    ]);
  });

  it('is judged by the quickest of three answers', async () => {
    const { node, database } = setUp(1500, [8000, 20, 4000]);
    await node.measure();
    expect([node.offMs, database.asked]).toEqual([1500, 3]);
  });

  it('is not doubted for answers that are slow', async () => {
    const { node, log } = setUp(1500, [1200]);
    await node.measure();
    expect([node.offMs, log.lines]).toEqual([undefined, []]);
  });

  it.each([
    [29_000, undefined],
    [40_000, 'The clock of this machine is 40 s behind the database'],
    [-40_000, 'The clock of this machine is 40 s ahead of the database'],
  ])('that is %i ms off keeps a server from joining others, and never one that is alone', async (aheadMs, refusal) => {
    await setUp(aheadMs).node.checkClock(true);
    const joins = setUp(aheadMs).node.checkClock(false);
    if (refusal === undefined) await joins;
    else await expect(joins).rejects.toThrow(refusal);
  });
});
