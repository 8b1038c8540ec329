import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { PATIENCE_MS } from '../patience';

/** Polls a condition; fails with what was waited for when it does not come true in time. */
export async function eventually<T>(
  what: string,
  probe: () => T | undefined | false | Promise<T | undefined | false>,
  forMs = PATIENCE_MS,
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

export function kill(pids: readonly number[], signal: NodeJS.Signals = 'SIGKILL'): void {
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
