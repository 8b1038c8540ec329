import { DatabaseError } from 'pg';
import { unavailable } from '../../common/errors';
import { outcomeOf, textOf } from './ending';
import { JobHandlers } from './handlers';
import type { JobHandler } from './job';

const HANDLER: JobHandler = { run: () => Promise.resolve(), schedule: [1000], maxAttempts: 3, concurrency: 1 };

describe('handlers of jobs', () => {
  it('has one per kind, or the server does not start', () => {
    const handlers = new JobHandlers();
    handlers.add('a', HANDLER);
    expect(() => handlers.add('a', HANDLER)).toThrow('Two handlers for jobs of kind a');
    expect(handlers.get('a')).toBe(HANDLER);
    expect(handlers.get('b')).toBeUndefined();
  });

  it.each([{ schedule: [] }, { maxAttempts: 0 }, { concurrency: 0.5 }, { perTenant: 0 }, { slots: -1 }])(
    'refuses numbers that would never run a job: %j',
    (wrong) => {
      expect(() => new JobHandlers().add('a', { ...HANDLER, ...wrong })).toThrow('Jobs of kind a');
    },
  );
});

describe('the outcome of a failed attempt', () => {
  it('does not count what our own database could not do', () => {
    expect(outcomeOf(unavailable('away'), 3, HANDLER)).toMatchObject({ outcome: 'released' });
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
