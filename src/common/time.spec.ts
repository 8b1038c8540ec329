import { isoTime, ManualClock, retryAfterMs, SystemClock } from './time';

const NOW = Date.parse('2026-01-31T12:00:00Z');

it.each([
  ['120', 120_000],
  [' 5 ', 5000],
  ['0', 1000],
  ['99999999999999999999', 86_400_000],
  ['Sat, 31 Jan 2026 12:01:00 GMT', 60_000],
  ['Sat, 31 Jan 2026 11:00:00 GMT', 1000],
  ['soon', undefined],
  ['', undefined],
  [undefined, undefined],
])('Retry-After: %s', (header, ms) => {
  expect(retryAfterMs(header, NOW)).toBe(ms);
});

it('writes times one after the other, of dates and of texts, the same one again and an unreadable one between them', () => {
  const [first, second] = ['2026-01-31T12:00:00.000Z', '2026-01-31T12:00:00.001Z'];
  for (const time of [first, first, second, first]) {
    expect(isoTime(new Date(time))).toBe(time);
    expect(isoTime(time.replace('Z', '+00:00'))).toBe(time);
    expect(() => isoTime(new Date(NaN))).toThrow(RangeError);
  }
});

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
