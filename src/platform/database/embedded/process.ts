import { spawn } from 'node:child_process';

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
