import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DirectoryLock } from './directory-lock';
import { claimSocketDir, removeSocketDir } from './layout';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'lock-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

describe('DirectoryLock', () => {
  const acquire = (): Promise<DirectoryLock> =>
    DirectoryLock.acquire(join(dir, 'lock'), dir, new AbortController().signal);

  it('has one holder, who is named, and passes on when released', async () => {
    const first = await acquire();
    expect(readFileSync(join(dir, 'lock'), 'utf8')).toBe(`${process.pid}\n`);
    await expect(acquire()).rejects.toThrow(`another ChatAPI server (pid ${process.pid}) is already running on ${dir}`);
    await first.release();
    const second = await acquire();
    expect(second.strong).toBe(true);
    await second.release();
  });

  it('does not care for a file that a dead holder left', async () => {
    writeFileSync(join(dir, 'lock'), `${process.ppid}\n`);
    await (await acquire()).release();
  });
});

describe('claimSocketDir', () => {
  it('makes a directory, takes its own again, and removes it', async () => {
    const socketDir = join(dir, 'socket');
    await claimSocketDir(socketDir, undefined);
    writeFileSync(join(socketDir, '.s.PGSQL.5432'), '');
    await claimSocketDir(socketDir, undefined);
    await removeSocketDir(socketDir);
    await removeSocketDir(socketDir);
    await expect(claimSocketDir(join(dir, 'none/socket'), undefined)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('refuses a file', async () => {
    writeFileSync(join(dir, 'socket'), '');
    await expect(claimSocketDir(join(dir, 'socket'), undefined)).rejects.toThrow(/is not a directory; remove it/);
  });
});
