import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { EmbeddedPostgresError, errorCode } from './errors';
import { isPostmaster } from './postmaster-file';

export interface RunOptions {
  readonly ids?: { readonly uid?: number; readonly gid?: number };
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal | undefined;
  /** handed to the child as descriptor 3 */
  readonly fd?: number;
}

export interface RunResult {
  /** undefined when the program could not be started or was killed */
  readonly code: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
  /** ENOENT and the like, when it could not be started */
  readonly failure?: string;
}

/**
 * Children get no copy of our environment: it holds secrets, and PG* variables would change what postgres does.
 */
export function childEnvironment(): NodeJS.ProcessEnv {
  return { PATH: process.env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C' };
}

/** Runs a short program to its end; never rejects, and never outlives its timeout. */
export function run(argv: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const [command = '', ...args] = argv;
  const { ids = {}, timeoutMs = 15_000, signal, fd } = options;
  return new Promise((resolve) => {
    let stdout = '';
    let stderr = '';
    const child = spawn(command, args, {
      ...ids,
      ...(signal ? { signal } : {}),
      cwd: '/',
      env: childEnvironment(),
      stdio: ['ignore', 'pipe', 'pipe', fd ?? 'ignore'],
      killSignal: 'SIGKILL',
    });
    // Not spawn's own timeout: its timer outlives a child that could not be started.
    const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
    const settle = (result: RunResult): void => {
      clearTimeout(timer);
      resolve(result);
    };
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.on('error', (error: NodeJS.ErrnoException) => {
      settle({ code: undefined, stdout, stderr, failure: error.code ?? error.message });
    });
    child.on('close', (code) => settle({ code: code ?? undefined, stdout, stderr }));
  });
}

interface PollOptions {
  readonly everyMs: number;
  readonly forMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** Asks until the answer is not undefined; undefined when the time is over. An aborted signal rejects (AbortError). */
export async function pollUntil<T>(
  probe: () => Promise<T | undefined>,
  { everyMs, forMs, signal }: PollOptions,
): Promise<T | undefined> {
  const end = performance.now() + forMs;
  for (;;) {
    signal?.throwIfAborted();
    const answer = await probe();
    if (answer !== undefined) return answer;
    if (performance.now() >= end) return undefined;
    await pause(everyMs, signal);
  }
}

export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return sleep(ms, undefined, signal ? { signal } : {});
}

/** Resolves to false when the promise has not settled in time; never rejects for the promise's sake. */
export async function settlesWithin(promise: Promise<unknown>, ms: number): Promise<boolean> {
  const timer = new AbortController();
  const late = sleep(ms, false, { signal: timer.signal }).catch(() => false);
  const settled = promise.then(
    () => true,
    () => true,
  );
  const result = await Promise.race([settled, late]);
  timer.abort();
  return result;
}

/** 100 ms, 200 ms … 5 s, for as long as the caller asks. */
export function backoffMs(attempt: number): number {
  return Math.min(100 * 2 ** Math.min(attempt, 10), 5_000);
}

export interface TerminationBounds {
  /** for the fast shutdown, which writes a checkpoint */
  readonly fastMs: number;
  /** for the immediate shutdown; the next start then recovers from the WAL */
  readonly immediateMs: number;
}

export const DEFAULT_BOUNDS: TerminationBounds = { fastMs: 15_000, immediateMs: 3_000 };

/** Ends a postmaster: SIGINT (fast), then SIGQUIT (immediate), then SIGKILL. No acknowledged commit is lost by any. */
export async function terminatePostmaster(
  pid: number,
  cluster: string,
  bounds: TerminationBounds = DEFAULT_BOUNDS,
): Promise<void> {
  const steps: readonly (readonly [NodeJS.Signals, number])[] = [
    ['SIGINT', bounds.fastMs],
    ['SIGQUIT', bounds.immediateMs],
    ['SIGKILL', 5_000],
  ];
  for (const [signal, forMs] of steps) {
    if (await endsAfter(pid, cluster, signal, forMs)) return;
  }
  throw new EmbeddedPostgresError(`PostgreSQL (pid ${pid}) on ${cluster} cannot be stopped, not even by SIGKILL`);
}

async function endsAfter(pid: number, cluster: string, signal: NodeJS.Signals, forMs: number): Promise<boolean> {
  let last = -Infinity;
  const gone = async (): Promise<true | undefined> => {
    if (!(await isPostmaster(pid, cluster))) return true;
    // Again every second: a signal sent before postgres has installed its handlers is lost.
    if (performance.now() - last >= 1_000) {
      send(pid, signal);
      last = performance.now();
    }
    return undefined;
  };
  return (await pollUntil(gone, { everyMs: 10, forMs })) ?? false;
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (errorCode(error) === 'ESRCH') return;
    throw new EmbeddedPostgresError(
      `PostgreSQL (pid ${pid}) runs as another user and cannot be stopped from here; stop it or set DATA_DIR`,
      { cause: error },
    );
  }
}
