import { delayAfter, exponential } from './backoff';

describe('backoff', () => {
  it('a schedule grows by its factor up to its end', () => {
    expect(exponential(1000, 2, 5000, 5)).toEqual([1000, 2000, 4000, 5000, 5000]);
  });

  it('each attempt has its delay, the last one repeats, with jitter of 20 % both ways', () => {
    const schedule = [100, 1000];
    expect([1, 2, 3, 50].map((attempt) => delayAfter(schedule, attempt, 0.5))).toEqual([100, 1000, 1000, 1000]);
    expect([delayAfter(schedule, 2, 0), delayAfter(schedule, 2, 1)]).toEqual([800, 1200]);
  });
});
