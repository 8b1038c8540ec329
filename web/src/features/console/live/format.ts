const WHOLE = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const TENTH = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });
const SHORT = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });
const TENTHS_BELOW = 10;
const SHORT_FROM = 10_000;
const SECOND_MS = 1000;
const KIB = 1024;

/** Where there is no figure: not zero. */
export const NONE = '–';

/** A count or a rate, as short as it can be read. */
export function figure(value: number | null | undefined): string {
  if (value === null || value === undefined) return NONE;
  if (value >= SHORT_FROM) return SHORT.format(value);
  return (value < TENTHS_BELOW ? TENTH : WHOLE).format(value);
}

export function duration(ms: number | null | undefined): string {
  if (ms === null || ms === undefined) return NONE;
  return ms < SECOND_MS ? `${figure(ms)} ms` : `${figure(ms / SECOND_MS)} s`;
}

export function bytes(count: number | null | undefined): string {
  if (count === null || count === undefined) return NONE;
  let left = count;
  let unit = 0;
  const units = ['B', 'KB', 'MB', 'GB', 'TB'];
  for (; left >= KIB && unit < units.length - 1; unit++) left /= KIB;
  return `${figure(left)} ${units[unit] ?? ''}`;
}

const CLOCK = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const DAY_CLOCK = new Intl.DateTimeFormat(undefined, {
  weekday: 'short',
  day: 'numeric',
  month: 'short',
  hour: '2-digit',
  minute: '2-digit',
});

/** @param seconds since 1970 */
export function clock(seconds: number, hasDay: boolean): string {
  return (hasDay ? DAY_CLOCK : CLOCK).format(seconds * SECOND_MS);
}
