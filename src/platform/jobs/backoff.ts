const JITTER = 0.2;

/**
 * A schedule that grows: `first`, `first × factor` … up to `most`.
 * @param n how many delays, in milliseconds
 */
export function exponential(first: number, factor: number, most: number, n: number): readonly number[] {
  return Array.from({ length: n }, (_, i) => Math.min(most, Math.round(first * factor ** i)));
}

/**
 * Milliseconds to wait after a failed attempt.
 * @param attempt from 1
 * @param random from 0 to 1
 */
export function delayAfter(schedule: readonly number[], attempt: number, random = Math.random()): number {
  const delay = schedule[Math.min(attempt, schedule.length) - 1] ?? 0;
  return Math.round(delay * (1 - JITTER + 2 * JITTER * random));
}
