import {
  DirectoryTakenError,
  EmbeddedPostgresError,
  explainEmbedded,
  explainOutput,
  firstLine,
  LaunchError,
} from './errors';

const withCode = (code: string): Error => Object.assign(new Error(`${code}: something`), { code });

describe('explain', () => {
  it.each([
    ['EACCES', /\/data is not writable .* set DATA_DIR/],
    ['EROFS', /\/data is not writable/],
    ['ENOTDIR', /\/data cannot be used: .* is a file/],
    ['ENOSPC', /disk of the data directory \/data is full/],
    ['EDQUOT', /is full/],
  ])('%s', (code, message) => {
    const error = explainEmbedded(withCode(code), '/data');
    expect(error).toBeInstanceOf(EmbeddedPostgresError);
    expect(error.message).toMatch(message);
    expect(error.cause).toBeDefined();
  });

  it('keeps what is already explained', () => {
    const taken = new DirectoryTakenError('/data', 'pid 7');
    expect(explainEmbedded(taken, '/data')).toBe(taken);
    expect(taken.message).toBe(
      'another ChatAPI server (pid 7) is already running on /data; stop it or set DATA_DIR to another directory',
    );
    expect(new DirectoryTakenError('/data', undefined).message).toMatch(/^another ChatAPI server is already running/);
  });

  it('makes one line of anything else', () => {
    expect(explainEmbedded(new Error('first\nsecond'), '/data').message).toBe(
      'the embedded database could not start: first',
    );
    expect(explainEmbedded('odd', '/data').message).toMatch(/odd$/);
    expect(explainEmbedded(AbortSignal.abort().reason, '/data').message).toMatch(/was stopped while it was starting/);
    expect(firstLine(undefined)).toBe('undefined');
    expect(firstLine(new Error(''))).toBe('unknown error');
  });
});

describe('explainOutput', () => {
  it('quotes the last complaint without its prefix', () => {
    const log = '2026-01-01 00:00:00 UTC [1] LOG:  starting\n2026-01-01 00:00:00 UTC [1] FATAL:  no such thing\n';
    expect(explainOutput('failed', log, '/data')).toBe('failed: no such thing');
    expect(explainOutput('failed', 'initdb: error: could not look up\nhint', '/data')).toBe(
      'failed: could not look up',
    );
    expect(explainOutput('failed', '', '/data')).toBe('failed');
  });

  it('prefers what the postmaster itself said: clients, and servers that lost a race, write into the log, too', () => {
    const log =
      'UTC [7] FATAL:  lock file "postmaster.pid" already exists\nUTC [9] FATAL:  the database is starting up\n';
    expect(explainOutput('failed', log, '/data', 7)).toBe('failed: lock file "postmaster.pid" already exists');
    expect(explainOutput('failed', log, '/data', 8)).toBe('failed: the database is starting up');
  });

  it('recognises a full disk', () => {
    expect(explainOutput('failed', 'could not write: No space left on device', '/data')).toMatch(/\/data is full/);
  });
});

describe('LaunchError', () => {
  it.each([
    ['pre-existing shared memory block (key 1, ID 2) is still in use', true],
    ['lock file "postmaster.pid" already exists', true],
    ['invalid value for parameter "shared_buffers": "plenty"', false],
  ])('%s', (message, passes) => expect(new LaunchError(message).passes).toBe(passes));
});
