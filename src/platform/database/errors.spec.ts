import { DatabaseError } from 'pg';
import { AppError, unavailable } from '../../common/errors';
import { DeadlineExceeded, isConnectionLoss, reasonOf, translate } from './errors';

function answer(code: string, severity = 'ERROR', message = 'the server said so'): DatabaseError {
  const error = new DatabaseError(message, 1, 'error');
  return Object.assign(error, { code, severity });
}

const socket = (code: string): Error => Object.assign(new Error(`connect ${code}`), { code });

describe('reasonOf', () => {
  it.each([
    ['connection', socket('ECONNREFUSED')],
    ['connection', socket('ENOENT')],
    ['connection', socket('EAGAIN')],
    ['connection', new Error('Connection terminated unexpectedly')],
    ['connection', new Error('timeout exceeded when trying to connect')],
    ['connection', new Error('timeout expired')],
    ['connection', new Error('Cannot use a pool after calling end on the pool')],
    ['connection', new Error('Client has encountered a connection error and is not queryable')],
    ['connection', answer('57P01')],
    ['connection', answer('57P03', 'FATAL')],
    ['connection', answer('25P03')],
    ['connection', answer('XX000', 'PANIC')],
    ['deadline', new DeadlineExceeded('call', 4000)],
    ['conflict', answer('40001')],
    ['conflict', answer('40P01')],
    ['storage', answer('53100')],
    ['storage', answer('53100', 'PANIC')],
    ['storage', answer('58030')],
    ['storage', answer('XX000', 'PANIC', 'could not write to file: Disk quota exceeded')],
    ['storage', answer('58P01', 'ERROR', 'could not create file: Read-only file system')],
    ['busy', answer('53300', 'FATAL')],
    ['busy', socket('EMFILE')],
    ['busy', answer('55P03')],
    ['busy', answer('57014')],
    ['busy', answer('25006')],
    ['unexpected', answer('42P01')],
    ['unexpected', new TypeError('a bug')],
    [undefined, answer('23505')],
    [undefined, answer('22P05')],
    [undefined, new AppError('CONFLICT', 'refused by the service')],
  ])('%s: %s', (reason, error) => {
    expect(reasonOf(error)).toBe(reason);
  });
});

describe('translate', () => {
  it('answers 503 with what is known of the write, and keeps the cause for the log', () => {
    const cause = socket('ECONNRESET');
    expect(translate(cause, 'unknown')).toMatchObject({
      code: 'SERVICE_UNAVAILABLE',
      retryAfterSeconds: 1,
      details: { outcome: 'unknown' },
      cause,
    });
    expect(translate(answer('40001'), 'none')).toMatchObject({ status: 503, details: { outcome: 'none' } });
  });

  it('S4: says that the disk is full, also of a call that only lost its connection by that', () => {
    const storage = { status: 503, details: { outcome: 'none', reason: 'storage' } };
    expect(translate(answer('53100'), 'none')).toMatchObject(storage);
    expect(translate(socket('ECONNRESET'), 'none', true)).toMatchObject(storage);
    expect(translate(socket('ECONNRESET'), 'none')).not.toMatchObject(storage);
  });

  it('leaves faults of ours and of the caller as they are', () => {
    for (const error of [answer('42P01'), answer('23505'), new TypeError('a bug'), unavailable('stopping')])
      expect(translate(error, 'none')).toBe(error);
  });
});

it('a lost login or database is not a lost connection: it has its own probe', () => {
  expect(isConnectionLoss(answer('28P01', 'ERROR'))).toBe(false);
  expect(translate(answer('28P01'), 'none')).toMatchObject({ status: 503 });
  expect(translate(answer('3D000'), 'none')).toMatchObject({ status: 503 });
});
