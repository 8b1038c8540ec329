import { ManualClock } from '../../common/time';
import type { Bus } from '../../platform/cluster';
import { PollPace } from './poll-pace';

/** Looks as often as the pace says, on a clock that moves with it. */
class Looks {
  readonly clock = new ManualClock();
  readonly pace: PollPace;
  private readonly bus: { state: Bus['state']; readonly isShared: boolean };

  constructor(isShared = true) {
    this.bus = { state: 'live', isShared };
    this.pace = new PollPace(this.bus, this.clock);
  }

  down(isDown: boolean): void {
    this.bus.state = isDown ? 'down' : 'live';
  }

  /** How many ms after the last poll the next one comes; it asks so many times, each of which takes `costMs`. */
  async next(costMs: number, questions = 1): Promise<number> {
    const from = this.clock.monotonicMs();
    let begunAt: number | undefined;
    while (begunAt === undefined) {
      this.clock.advance(this.pace.lookMs);
      await this.pace.run(async (timed) => {
        begunAt = this.clock.monotonicMs();
        for (let n = 0; n < questions; n++)
          await timed(() => {
            this.clock.advance(costMs);
            return Promise.resolve();
          });
      });
    }
    return begunAt - from;
  }
}

describe('the pace of the polls', () => {
  it('is 10 s in a process alone, whatever they cost and whatever the bus says', async () => {
    const looks = new Looks(false);
    expect([await looks.next(0), await looks.next(60_000), await looks.next(1)]).toEqual([10_000, 10_000, 10_000]);
    looks.down(true);
    expect(await looks.next(1)).toBe(10_000);
  });

  it.each([
    [0, 10_000],
    [200, 10_000],
    [400, 20_000],
    [880, 44_000],
    [2400, 120_000],
    [60_000, 120_000],
  ])('questions of %i ms have the next one come after %i ms: a fiftieth, within bounds', async (costMs, afterMs) => {
    const looks = new Looks();
    expect(await looks.next(costMs)).toBe(10_000);
    expect(await looks.next(0)).toBe(afterMs);
    expect(await looks.next(0)).toBe(10_000);
  });

  it('counts all questions of a poll', async () => {
    const looks = new Looks();
    await looks.next(100, 8);
    expect(await looks.next(0)).toBe(40_000);
  });

  it.each([
    [0, 1000],
    [20, 1000],
    [100, 5000],
    [880, 10_000],
  ])('is faster while the bus is down: %i ms, the next after %i ms', async (costMs, afterMs) => {
    const looks = new Looks();
    looks.down(true);
    await looks.next(costMs);
    expect(await looks.next(0)).toBe(afterMs);
  });

  it('notices within a second that the bus goes down in the middle of a long pause, and that it is back', async () => {
    const looks = new Looks();
    await looks.next(60_000);
    for (let second = 0; second < 30; second++) {
      looks.clock.advance(1000);
      await looks.pace.run(() => Promise.reject(new Error('not due')));
    }
    looks.down(true);
    expect(await looks.next(60_000)).toBe(1000);
    looks.down(false);
    expect(await looks.next(0)).toBe(120_000);
  });

  it('goes on after a poll that failed', async () => {
    const looks = new Looks();
    looks.clock.advance(10_000);
    await expect(looks.pace.run(() => Promise.reject(new Error('away')))).rejects.toThrow('away');
    expect(await looks.next(0)).toBe(10_000);
  });
});
