import { readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode } from './errors';
import { socketFile } from './layout';

export interface PostmasterFile {
  readonly pid: number;
  readonly socketDir: string;
  readonly status: string;
}

export async function readPostmasterFile(cluster: string): Promise<PostmasterFile | undefined> {
  const text = await readFile(join(cluster, 'postmaster.pid'), 'utf8').catch(() => '');
  return parsePostmasterFile(text);
}

/** Lines (PostgreSQL's miscadmin.h): pid, data directory, start time, port, socket directory, address, shmem, status. */
export function parsePostmasterFile(text: string): PostmasterFile | undefined {
  const lines = text.split('\n').map((line) => line.trim());
  const pid = Number.parseInt(lines[0] ?? '', 10);
  if (!(pid > 1)) return undefined;
  return { pid, socketDir: lines[4] ?? '', status: lines[7] ?? '' };
}

/**
 * Pids are reused, in containers within seconds, and a zombie still has one: a postmaster is a process whose working
 * directory is the cluster. Where that cannot be read (root in a container without CAP_SYS_PTRACE, no /proc) the
 * program's name, and then the pid alone, must do: they err on the side of "running".
 */
export async function isPostmaster(pid: number, cluster: string): Promise<boolean> {
  try {
    const [cwd, own] = await Promise.all([stat(`/proc/${pid}/cwd`), stat(cluster)]);
    return cwd.dev === own.dev && cwd.ino === own.ino;
  } catch (error) {
    const code = errorCode(error);
    if ((code === 'ENOENT' || code === 'ESRCH') && process.platform === 'linux') return false;
  }
  const comm = await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => undefined);
  return comm === undefined ? respondsToSignals(pid) : comm.trim() === 'postgres';
}

function respondsToSignals(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errorCode(error) === 'EPERM';
  }
}

export async function livePostmaster(cluster: string): Promise<PostmasterFile | undefined> {
  const file = await readPostmasterFile(cluster);
  return file && (await isPostmaster(file.pid, cluster)) ? file : undefined;
}

/**
 * postgres itself replaces the lock files of a dead postmaster, unless their pid now belongs to something else. Only
 * that case is cleared: everything else is left to postgres' own interlock.
 */
export async function removeMisleadingLockFiles(cluster: string, socketDir: string): Promise<void> {
  for (const file of [join(cluster, 'postmaster.pid'), `${socketFile(socketDir)}.lock`]) {
    const holder = parsePostmasterFile(await readFile(file, 'utf8').catch(() => ''));
    if (holder && respondsToSignals(holder.pid) && !(await isPostmaster(holder.pid, cluster))) {
      await rm(file, { force: true });
    }
  }
}
