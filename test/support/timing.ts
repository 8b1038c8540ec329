/**
 * How long a test waits for what comes by itself, in milliseconds. Machines differ fivefold from day to day: this is more
 * than ten times what the slowest wait takes on a quiet one, and only what never comes costs it.
 */
export const MAX_WAIT_MS = 120_000;

/** For tests that are about something else than a database that hangs: a deadline that no slow machine reaches. */
export const LONG_DATABASE_DEADLINE = { DATABASE_DEADLINE_MS: '60000' };

/** What the fixed work takes, in milliseconds, on the quiet machine that the numbers of runs were chosen on (2 × AMD EPYC). */
const QUIET_MS = 200;
const LEAST = 0.1;

/** TEST_EFFORT=full: the long form of the tests, however slow the machine is. */
export const isThorough = process.env['TEST_EFFORT'] === 'full';

/**
 * How often a property is tried: `full` on a machine as fast as the one that the number was chosen on, fewer on a slower one
 * in proportion, a tenth at least. TEST_EFFORT=full tries all of them on any machine, TEST_EFFORT=least a tenth: for another
 * Node.js, on which laws hold or break as on this one.
 */
export function runs(full: number): number {
  const effort = process.env['TEST_EFFORT'];
  const measured = effort === 'least' ? LEAST : Number(process.env['TEST_PACE'] ?? 1);
  const pace = effort === 'full' ? 1 : measured;
  return Math.ceil(full * Math.min(1, Math.max(LEAST, pace)));
}

/** How fast this machine is just now, as a part of the quiet one. The global setup measures it once, for `runs`. */
export function measureSpeed(): number {
  const began = performance.now();
  const value = { text: 'abcdefghij'.repeat(20), list: Array.from({ length: 50 }, (_, i) => ({ i, at: `${i}` })) };
  for (let i = 0; i < 12_000; i++) JSON.parse(JSON.stringify(value));
  return QUIET_MS / (performance.now() - began);
}
