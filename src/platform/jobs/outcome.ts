import { isUnavailable } from '../../common/errors';
import { codeOf } from '../database';
import { DeadJob, type JobRules, PostponeJob, RetryJob } from './job';
import type { Ending } from './jobs.repository';

/** How an attempt ended, before it is written. */
export type JobOutcome = Pick<Ending, 'outcome' | 'delayMs' | 'error'>;

const MAX_ERROR = 500;
/** After a failure of our own database. */
const AWAY_MS = 1000;

export const DONE: JobOutcome = { outcome: 'done', delayMs: 0, error: null };
/** Given back by a server that stops. */
export const RELEASED: JobOutcome = { outcome: 'released', delayMs: 0, error: null };
/** The lease ran out under a worker that lives; counted, since whatever held it up may do so again. */
export const OUTLIVED: JobOutcome = { outcome: 'retry', delayMs: 0, error: 'the lease ran out' };

/** What a failed attempt means for its job. */
export function outcomeOf(error: unknown, attempt: number, handler: JobRules): JobOutcome {
  const text = textOf(error);
  if (error instanceof PostponeJob) return { outcome: 'released', delayMs: error.delayMs, error: null };
  if (isUnavailable(error)) return { outcome: 'released', delayMs: AWAY_MS, error: text };
  if (error instanceof DeadJob || attempt >= handler.maxAttempts) return { outcome: 'dead', delayMs: 0, error: text };
  const delayMs = error instanceof RetryJob ? error.delayMs : delayAfter(handler.schedule, attempt);
  return { outcome: 'retry', delayMs, error: text };
}

/** What is stored of an error. The database's own messages may hold values of rows: of those only the code. */
export function textOf(error: unknown): string {
  if (!(error instanceof Error)) return 'failed';
  const code = codeOf(error);
  const text = code !== undefined && /^[0-9A-Z]{5}$/.test(code) ? `database error ${code}` : error.message;
  return text.replaceAll('\0', '').toWellFormed().slice(0, MAX_ERROR).toWellFormed();
}

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
