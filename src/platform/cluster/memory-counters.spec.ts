import { countersSuite } from '../../../test/support/suites/counters-suite';
import { ManualClock } from '../../common/time';
import { MemoryCounters } from '.';

const START = 1_700_000_000_000;

countersSuite('memory', () => {
  const clock = new ManualClock(START + 1);
  return {
    port: new MemoryCounters(clock),
    now: () => clock.wallMs(),
    advance: (ms) => clock.advance(ms),
    close: () => undefined,
  };
});

function at(now: number): { clock: ManualClock; counters: MemoryCounters } {
  const clock = new ManualClock(now);
  return { clock, counters: new MemoryCounters(clock) };
}

describe('MemoryCounters', () => {
  it('answers synchronously', () => {
    expect(at(START).counters.take('a', 1000)).toEqual({ count: 1, resetAtMs: START + 1000 });
  });

  it('the last millisecond belongs to the window, its end to the next', () => {
    const { clock, counters } = at(START);
    counters.take('a', 1000);
    clock.advance(999);
    expect(counters.take('a', 1000)).toEqual({ count: 2, resetAtMs: START + 1000 });
    clock.advance(1);
    expect(counters.take('a', 1000)).toEqual({ count: 1, resetAtMs: START + 2000 });
  });

  it('holds the keys of the current windows only, whatever lengths were used before', () => {
    const { clock, counters } = at(START);
    for (let i = 0; i < 100; i++) {
      counters.take(`long ${i}`, 60_000);
      counters.take(`short ${i}`, 1000);
    }
    expect(counters.size).toBe(200);
    clock.advance(1000);
    counters.take('short', 1000);
    expect(counters.size).toBe(101);
    clock.advance(60_000);
    counters.take('short', 1000);
    expect(counters.size).toBe(1);
  });
});

describe('MemoryCounters: odd times', () => {
  it('gives no second allowance when the clock is set back a little', () => {
    const { clock, counters } = at(START);
    counters.take('a', 1000);
    clock.advance(-50);
    expect(counters.take('a', 1000).count).toBe(2);
    clock.advance(50);
    expect(counters.take('a', 1000).count).toBe(3);
  });

  it('locks nobody out when the clock is set back far', () => {
    const { clock, counters } = at(START);
    counters.take('a', 1000);
    clock.advance(-3_600_000);
    expect(counters.take('a', 1000)).toEqual({ count: 1, resetAtMs: START - 3_600_000 + 1000 });
  });

  it.each([0, -1, 0.5, Number.NaN])('refuses the window length %p', (windowMs) => {
    expect(() => at(START).counters.take('a', windowMs)).toThrow(RangeError);
  });
});
