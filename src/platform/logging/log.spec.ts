import { captureLog } from '../../../test/support/recording-log';
import { describeError, NestLog } from '.';

describe('PinoLog', () => {
  it('writes one JSON object per line, with an ISO time and the fields', () => {
    const { log, lines } = captureLog('debug');
    log.debug({ request_id: 'r1' }, 'one');
    log.error({ code: 'X' }, 'two');
    expect(lines()).toMatchObject([
      { level: 20, request_id: 'r1', msg: 'one', time: expect.stringMatching(/^\d{4}-.*Z$/) },
      { level: 50, code: 'X', msg: 'two' },
    ]);
  });

  it('leaves out what is below its level', () => {
    const { log, lines } = captureLog('warn');
    log.info({}, 'quiet');
    log.warn({}, 'heard');
    expect(lines().map((line) => line['msg'])).toEqual(['heard']);
  });

  it('takes secrets and content out, up to two levels deep', () => {
    const { log, lines } = captureLog('info');
    log.info(
      {
        authorization: 'S',
        headers: { 'x-api-key': 'S' },
        body: { message: { content: 'S', meta: 'S' } },
        password: 'S',
      },
      'x',
    );
    expect(JSON.stringify(lines())).not.toContain('"S"');
    expect(lines()[0]).toMatchObject({ authorization: '[redacted]', headers: { 'x-api-key': '[redacted]' } });
  });
});

describe('NestLog', () => {
  it('makes chatter debug and keeps errors', () => {
    const { log, lines } = captureLog('info');
    const nest = new NestLog(log);
    nest.log('Mapped {/rooms, GET} route', 'RouterExplorer');
    nest.error('it broke', 'stack', 'Somewhere');
    expect(lines()).toMatchObject([{ level: 50, msg: 'it broke', context: 'Somewhere' }]);
  });
});

describe('describeError', () => {
  it('tells name, code, message and where it came from', () => {
    const error = Object.assign(new TypeError('no good'), { code: 'ECONNRESET' });
    expect(describeError(error)).toEqual({
      name: 'TypeError',
      code: 'ECONNRESET',
      message: 'no good',
      stack: expect.stringContaining('log.spec') as unknown,
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
