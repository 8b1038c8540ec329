import { retryAfterMs } from './retry-after';

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
