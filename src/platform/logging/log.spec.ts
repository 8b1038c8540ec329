import { describeError } from '.';

describe('describeError', () => {
  it('tells name, code, message and where it came from', () => {
    const error = Object.assign(new TypeError('no good'), { code: 'ECONNRESET' });
    expect(describeError(error)).toEqual({
      name: 'TypeError',
      code: 'ECONNRESET',
      message: 'no good',
      stack: expect.stringContaining('describe-error.spec') as unknown,
    });
  });

  it('leaves out what the database wrote: it may hold values of rows', () => {
    const error = Object.assign(new Error('Key (email)=(a@example.com) exists'), {
      code: '23505',
      detail: 'a@example.com',
    });
    expect(JSON.stringify(describeError(error))).not.toContain('example.com');
    expect(describeError(error)).toMatchObject({ code: '23505' });
  });

  it('tells of a thrown value only its type', () => {
    expect(describeError('a secret')).toEqual({ thrown: 'string' });
  });
});
