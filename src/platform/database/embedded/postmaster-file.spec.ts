import { spawn } from 'node:child_process';
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

  const FILES = ['cluster/postmaster.pid', 'socket/.s.PGSQL.5432.lock'];
  const clear = async (isSole = true): Promise<string[]> => {
    const told: string[] = [];
    const onRemoved = (line: string): void => void told.push(line);
    await removeMisleadingLockFiles(join(dir, 'cluster'), join(dir, 'socket'), { isSole, onRemoved });
    return told;
  };
  const write = (pid: number): void => {
    writeFileSync(join(dir, 'cluster/postmaster.pid'), [pid, ...FILE.slice(1)].join('\n'));
    writeFileSync(join(dir, 'socket/.s.PGSQL.5432.lock'), [pid, ...FILE.slice(1)].join('\n'));
  };
  const kept = (): boolean[] => FILES.map((file) => existsSync(join(dir, file)));

  it('is a postmaster only if it works in the cluster', async () => {
    expect(await isPostmaster(process.pid, process.cwd())).toBe(true);
    expect(await isPostmaster(process.pid, join(dir, 'cluster'))).toBe(false);
    expect(await isPostmaster(NOBODY, join(dir, 'cluster'))).toBe(false);
  });

  it('that is another one is misleading: the files go', async () => {
    write(process.pid);
    expect(await livePostmaster(join(dir, 'cluster'))).toBeUndefined();
    await clear();
    expect(kept()).toEqual([false, false]);
  });

  it('that is dead is left to postgres: the files stay', async () => {
    write(NOBODY);
    await clear();
    expect(kept()).toEqual([true, true]);
  });

  it.each([
    ['an empty file', ''],
    ['zeros', '\0'.repeat(64)],
    ['garbage', 'garbage\n/data'],
    ['pid 0', '0\n'],
    ['pid 1', '1\n'],
    ['a standalone backend whose pid is another process now', `-${process.pid}\n`],
    ['a torn line', `${process.pid}`],
  ])('S9: %s stops nobody: it goes, and only what names nobody is told', async (_, text) => {
    for (const file of FILES) writeFileSync(join(dir, file), text);
    const told = await clear();
    expect(kept()).toEqual([false, false]);
    expect(told).toHaveLength(/^-?[1-9]/.test(text) ? 0 : 2);
  });

  it('S9: what names nobody stays where no lock says that we are alone', async () => {
    for (const file of FILES) writeFileSync(join(dir, file), '');
    await clear(false);
    expect(kept()).toEqual([true, true]);
  });

  it('S9: it stays while a process works in the cluster', async () => {
    const worker = spawn('sleep', ['60'], { cwd: join(dir, 'cluster'), stdio: 'ignore' });
    try {
      await new Promise((resolve) => worker.once('spawn', resolve));
      for (const file of FILES) writeFileSync(join(dir, file), '');
      await expect(clear()).rejects.toMatchObject({
        passes: true,
        message: expect.stringContaining(`${worker.pid}`) as string,
      });
      expect(kept()).toEqual([true, true]);
    } finally {
      worker.kill('SIGKILL');
    }
  });
});
