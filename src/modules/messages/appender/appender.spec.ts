import { SilentLog } from '../../../platform/logging';
import { FreshStatistics } from './appender';

describe('FreshStatistics', () => {
  function make(fails = false): { statistics: FreshStatistics; calls: number[] } {
    const calls: number[] = [];
    const statistics = new FreshStatistics(async (rows) => {
      calls.push(rows);
      if (fails) throw new Error('away');
    }, new SilentLog());
    return { statistics, calls };
  }

  async function note(statistics: FreshStatistics, batches: number[]): Promise<void> {
    for (const batch of batches) {
      statistics.note(batch);
      await statistics.idle();
    }
  }

  it('asks once for each mark that the log passes', async () => {
    const { statistics, calls } = make();
    await note(statistics, [99, 1, 1, 898, 1, 9000, 90_000, 1_000_000]);
    expect(calls).toEqual([100, 1000, 10_000, 100_000]);
  });

  it('asks once when one batch passes several marks', async () => {
    const { statistics, calls } = make();
    await note(statistics, [20_000, 1]);
    expect(calls).toEqual([20_000]);
  });

  it('asks again at the next mark after a failure, and never while one is running', async () => {
    const { statistics, calls } = make(true);
    statistics.note(150);
    statistics.note(2000);
    await statistics.idle();
    await note(statistics, [1]);
    expect(calls).toEqual([150, 2151]);
  });
});
