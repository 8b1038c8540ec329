import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode, LaunchError } from './errors';
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

/** What is done about a lock file that stops postgres although no postmaster runs. */
export interface LockFilesOptions {
  /** A lock of ours says that no other server is at work here: a file that names no process is then stale. */
  readonly isSole: boolean;
  readonly onRemoved: (line: string) => void;
}

/**
 * postgres itself replaces the lock files of a dead postmaster, unless their pid now belongs to something else or they
 * name none at all: emptied, zeroed or torn by a power cut. Only those are cleared, and only while no process works in
 * the cluster; everything else is left to postgres' own interlock.
 */
export async function removeMisleadingLockFiles(
  cluster: string,
  socketDir: string,
  { isSole, onRemoved }: LockFilesOptions,
): Promise<void> {
  for (const file of [join(cluster, 'postmaster.pid'), `${socketFile(socketDir)}.lock`]) {
    const text = await readFile(file, 'utf8').catch(() => undefined);
    if (text === undefined) continue;
    const pid = lockPid(text);
    if (pid === undefined ? !isSole : !respondsToSignals(pid) || (await isPostmaster(pid, cluster))) continue;
    const worker = await workerIn(cluster);
    if (worker !== undefined)
      throw new LaunchError(`a process of an earlier PostgreSQL (pid ${worker}) still works in ${cluster}`);
    await rm(file, { force: true });
    if (pid === undefined) onRemoved(`removed ${file}, which names no process (was the power cut?): nobody runs here`);
  }
}

/** As postgres reads it: a standalone backend writes its pid with a minus. undefined: none, which postgres refuses. */
function lockPid(text: string): number | undefined {
  const pid = Math.abs(Number.parseInt(text, 10));
  return pid > 0 ? pid : undefined;
}

/** The pid of a process whose working directory is the cluster; where there is no /proc, none is seen. */
async function workerIn(cluster: string): Promise<number | undefined> {
  const own = await stat(cluster);
  for (const name of await readdir('/proc').catch(() => [])) {
    if (!/^\d+$/.test(name)) continue;
    const cwd = await stat(`/proc/${name}/cwd`).catch(() => undefined);
    if (cwd?.dev === own.dev && cwd.ino === own.ino) return Number(name);
  }
  return undefined;
}
