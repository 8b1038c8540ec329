import { mkdirSync, mkdtempSync, existsSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isPostmaster, livePostmaster, parsePostmasterFile, removeMisleadingLockFiles } from './postmaster-file';

const FILE = ['4711', '/data/postgres', '1700000000', '5432', '/tmp/chatapi-x', '', '  123  456', 'ready   ', ''];
/** Linux knows no such pid (pid_max is at most 2^22). */
const NOBODY = 2 ** 22 + 1;

describe('postmaster.pid', () => {
  it('is read by its lines', () => {
    expect(parsePostmasterFile(FILE.join('\n'))).toEqual({ pid: 4711, socketDir: '/tmp/chatapi-x', status: 'ready' });
  });

  it.each(['', 'garbage', '-5\n', '0\n', '1\n'])('names no process: %j', (text) => {
    expect(parsePostmasterFile(text)).toBeUndefined();
  });

  it('may be half-written', () => {
    expect(parsePostmasterFile('4711\n/data')).toEqual({ pid: 4711, socketDir: '', status: '' });
  });
});

describe('a process named by a lock file', () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'postmaster-'));
    mkdirSync(join(dir, 'cluster'));
    mkdirSync(join(dir, 'socket'));
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  const write = (pid: number): void => {
    writeFileSync(join(dir, 'cluster/postmaster.pid'), [pid, ...FILE.slice(1)].join('\n'));
    writeFileSync(join(dir, 'socket/.s.PGSQL.5432.lock'), [pid, ...FILE.slice(1)].join('\n'));
  };
  const kept = (): boolean[] =>
    ['cluster/postmaster.pid', 'socket/.s.PGSQL.5432.lock'].map((file) => existsSync(join(dir, file)));

  it('is a postmaster only if it works in the cluster', async () => {
    expect(await isPostmaster(process.pid, process.cwd())).toBe(true);
    expect(await isPostmaster(process.pid, join(dir, 'cluster'))).toBe(false);
    expect(await isPostmaster(NOBODY, join(dir, 'cluster'))).toBe(false);
  });

  it('that is another one is misleading: the files go', async () => {
    write(process.pid);
    expect(await livePostmaster(join(dir, 'cluster'))).toBeUndefined();
    await removeMisleadingLockFiles(join(dir, 'cluster'), join(dir, 'socket'));
    expect(kept()).toEqual([false, false]);
  });

  it('that is dead is left to postgres: the files stay', async () => {
    write(NOBODY);
    await removeMisleadingLockFiles(join(dir, 'cluster'), join(dir, 'socket'));
    expect(kept()).toEqual([true, true]);
  });
});
