import { ManualClock, SystemClock } from './clock';

describe('clocks', () => {
  it('of the system: one that only grows, one that shows the time', () => {
    const clock = new SystemClock();
    const [a, b] = [clock.monotonicMs(), clock.monotonicMs()];
    expect(b).toBeGreaterThanOrEqual(a);
    expect(clock.wallMs()).toBeGreaterThan(Date.UTC(2025));
  });

  it('moved by hand stands still until it is moved', () => {
    const clock = new ManualClock(1000);
    clock.advance(250);
    expect([clock.monotonicMs(), clock.wallMs()]).toEqual([1250, 1250]);
  });
});
