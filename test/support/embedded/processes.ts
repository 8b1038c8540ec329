import { spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { MAX_WAIT_MS } from '../timing';

/** Polls a condition; fails with what was waited for when it does not come true in time. */
export async function eventually<T>(
  what: string,
  probe: () => T | undefined | false | Promise<T | undefined | false>,
  forMs = MAX_WAIT_MS,
): Promise<T> {
  const end = performance.now() + forMs;
  for (;;) {
    const answer = await probe();
    if (answer !== undefined && answer !== false) return answer;
    if (performance.now() > end) throw new Error(`not within ${forMs} ms: ${what}`);
    await sleep(20);
  }
}

export interface FoundProcess {
  readonly pid: number;
  readonly command: string;
}

/** Every process that works in a directory, or names it on its command line: postgres, its children, its watchdog. */
export function processesOn(dir: string): FoundProcess[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 1 && pid !== process.pid)
    .map((pid) => ({ pid, command: commandOf(pid), cwd: workingDirectoryOf(pid) }))
    .filter(({ command, cwd }) => cwd.startsWith(dir) || (command.includes(dir) && !command.startsWith('node ')))
    .map(({ pid, command }) => ({ pid, command }));
}

export function watchdogsOf(dir: string): number[] {
  return processesOn(dir)
    .filter(({ command }) => command.startsWith('sh -c'))
    .map(({ pid }) => pid);
}

export function isAlive(pid: number): boolean {
  return existsSync(`/proc/${pid}`) && !/^State:\s+Z/m.test(readQuietly(`/proc/${pid}/status`));
}

/** Debian's and Alpine's number of it. */
export const NOBODY = 65_534;

type Block<T> = (name: string, tests: T) => void;

/** For tests that run as another user: what jest has, or its skip, whose name says what is in the way. */
export function asNobody<T>(run: Block<T> & { readonly skip: Block<T> }): Block<T> {
  if (canRunAsNobody()) return run;
  return (name, tests) =>
    run.skip(`${name} (skipped: only root can, where nobody may read node and this checkout)`, tests);
}

/** Root alone can, and only where that user may read node and this checkout: neither may lie in a closed home. */
function canRunAsNobody(): boolean {
  if (process.getuid?.() !== 0) return false;
  const readsThis = ['-e', 'require("node:fs").readFileSync(process.argv[1])', __filename];
  return spawnSync(process.execPath, readsThis, { uid: NOBODY, gid: NOBODY, cwd: '/' }).status === 0;
}

/** The pid of a child that was started; one that was not (a user who may not run node) fails here, with its file. */
export function startedPid(child: ChildProcess): number {
  if (child.pid !== undefined) return child.pid;
  child.once('error', () => undefined);
  throw new Error(`${child.spawnfile} could not be started as the user that was asked for`);
}

export function kill(pids: readonly number[], signal: NodeJS.Signals = 'SIGKILL'): void {
  // 0 and what is below it are process groups: the one of the tests, and everybody.
  if (!pids.every((pid) => pid > 1)) throw new Error(`no signal goes to ${pids.join(', ')}`);
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch {
      // It was faster.
    }
  }
}

function commandOf(pid: number): string {
  return readQuietly(`/proc/${pid}/cmdline`).replaceAll('\0', ' ');
}

function workingDirectoryOf(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return '';
  }
}

function readQuietly(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
