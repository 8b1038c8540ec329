import { DatabaseError } from 'pg';
import { unavailable } from '../../common/errors';
import { delayAfter, exponential, outcomeOf, textOf } from './outcome';

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

describe('the outcome of a failed attempt', () => {
  it('does not count what our own database could not do', () => {
    const rules = { schedule: [1000], maxAttempts: 3, concurrency: 1 };
    expect(outcomeOf(unavailable('away'), 3, rules)).toMatchObject({ outcome: 'released' });
  });

  it('says nothing that the database said of a row', () => {
    const error = Object.assign(new DatabaseError('Key (email)=(x@y.z) exists', 1, 'error'), { code: '23505' });
    expect(textOf(error)).toBe('database error 23505');
  });

  it('stores only what the database can hold', () => {
    expect(textOf(new Error(`a\0b\ud800${'x'.repeat(900)}`))).toBe(`ab\ufffd${'x'.repeat(497)}`);
    expect(textOf('not an error')).toBe('failed');
  });
});
