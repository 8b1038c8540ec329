import { type ChildProcess, spawn } from 'node:child_process';
import { open, rename, stat } from 'node:fs/promises';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { EmbeddedPostgresError, explainOutput, LaunchError } from './errors';
import type { Launcher } from './launcher';
import type { Layout } from './layout';
import { readPostmasterFile } from './postmaster-file';
import { childEnvironment, pollUntil, settlesWithin, terminatePostmaster, type TerminationBounds } from './process';

/**
 * Durability is the default of every message that was acknowledged. The log settings keep message content out of
 * postgres.log: statement errors quote values ("invalid input syntax for …"), so ERROR is not logged at all (the
 * application gets it anyway; `log` keeps LOG, FATAL and PANIC), and terse drops DETAIL, where postgres prints keys
 * and the statement of a crashed backend.
 */
const DEFAULTS: Readonly<Record<string, string>> = {
  listen_addresses: '',
  unix_socket_permissions: '0700',
  fsync: 'on',
  full_page_writes: 'on',
  synchronous_commit: 'on',
  max_connections: '100',
  shared_buffers: '128MB',
  io_method: 'sync',
  wal_level: 'minimal',
  max_wal_senders: '0',
  wal_compression: 'on',
  timezone: 'UTC',
  log_timezone: 'UTC',
  logging_collector: 'off',
  log_destination: 'stderr',
  log_min_messages: 'log',
  log_min_error_statement: 'panic',
  log_error_verbosity: 'terse',
  log_statement: 'none',
  log_min_duration_statement: '-1',
  log_min_duration_sample: '-1',
  log_parameter_max_length: '0',
  log_parameter_max_length_on_error: '0',
  log_lock_waits: 'off',
  log_temp_files: '-1',
  log_checkpoints: 'off',
};

export function postgresArguments(
  cluster: string,
  socketDir: string,
  extra: Readonly<Record<string, string>>,
): readonly string[] {
  const settings = Object.entries({ ...DEFAULTS, ...extra });
  // A list of directories to postgres: quoted, or a comma in the path would split it.
  const sockets = `"${socketDir.replaceAll('"', '""')}"`;
  return ['-D', cluster, '-k', sockets, ...settings.flatMap(([name, value]) => ['-c', `${name}=${value}`])];
}

const MAX_BYTES = 10 * 1024 * 1024;

/** Looked at before every start of postgres: a log of at most 10 MB, and one predecessor. */
export async function rotateLog(file: string, maxBytes: number = MAX_BYTES): Promise<void> {
  if ((await sizeOf(file)) > maxBytes) await rename(file, `${file}.1`);
}

export async function sizeOf(file: string): Promise<number> {
  return stat(file).then(
    ({ size }) => size,
    () => 0,
  );
}

/** What was written since `offset`, at most the last 16 KB of it. */
export async function readSince(file: string, offset: number): Promise<string> {
  const handle = await open(file, 'r').catch(() => undefined);
  if (!handle) return '';
  try {
    const { size } = await handle.stat();
    const from = Math.max(offset, size - 16_384);
    if (size <= from) return '';
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(size - from), 0, size - from, from);
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await handle.close();
  }
}

/**
 * postgres runs under this shell, whose standard input is a pipe that only node writes to. When node dies, even by
 * SIGKILL, the pipe ends and the reader stops postgres. The shell ignores signals: it must outlive a Ctrl-C or a
 * SIGTERM to the whole group to report how postgres ended. Descriptors are closed for postgres, or it would keep the
 * pipes open that tell each side about the other's death.
 */
const WATCHDOG = `
trap '' PIPE HUP INT TERM QUIT
exec 3<&0 4>&1 0</dev/null 1>&2
"$@" 3<&- 4>&- &
p=$!
(
  exec 4>&-
  while read -r _ <&3; do :; done
  n=0
  while [ $n -lt 30 ] && kill -INT $p 2>/dev/null; do
    n=$((n+1))
    [ $n -gt 10 ] && kill -QUIT $p 2>/dev/null
    sleep 1
  done
) &
w=$!
exec 3<&-
echo $p >&4
exec 4>&-
wait $p
r=$?
kill -9 $w 2>/dev/null
exit $r
`;

/** Crash recovery reads the WAL since the last checkpoint: at most a few GB. */
const READY_MS = 600_000;

export interface Exit {
  /** 0: another process asked it to stop; 128 + n: it died by signal n */
  readonly code: number | undefined;
  readonly failure?: string;
}

/** One running postgres, owned by this process. */
export class Postmaster {
  /** of the postmaster itself, not of the shell around it */
  pid: number | undefined;
  readonly exited: Promise<Exit>;
  /** set when it has ended */
  exit: Exit | undefined;
  private wasReady = false;

  private constructor(
    private readonly child: ChildProcess,
    private readonly layout: Layout,
    private readonly logOffset: number,
  ) {
    this.exited = new Promise((resolve) => {
      const settle = (exit: Exit): void => resolve((this.exit ??= exit));
      child.once('error', (error) => settle({ code: undefined, failure: error.message }));
      child.once('exit', (code) => settle({ code: code ?? undefined }));
    });
    // The shell alone may have been killed: the end of the pipe tells the reader to stop postgres then, too.
    void this.exited.then(() => this.releasePipes());
    child.stdin?.on('error', () => undefined);
    child.stdout?.setEncoding('utf8').once('data', (text: string) => (this.pid = Number.parseInt(text, 10)));
    this.unref();
  }

  static async spawn(
    layout: Layout,
    launcher: Launcher,
    settings: Readonly<Record<string, string>>,
  ): Promise<Postmaster> {
    await rotateLog(layout.logFile);
    const offset = await sizeOf(layout.logFile);
    const log = await open(layout.logFile, 'a', 0o600);
    try {
      const postgres = [
        join(launcher.binDir, 'postgres'),
        ...postgresArguments(layout.cluster, layout.socketDir, settings),
      ];
      // Inside the prefix, so that the shell is as allowed as postgres is to signal it.
      const [command = '', ...args] = [...launcher.prefix, 'sh', '-c', WATCHDOG, 'chatapi-postgres', ...postgres];
      const child = spawn(command, args, {
        ...launcher.ids,
        cwd: '/',
        env: childEnvironment(),
        stdio: ['pipe', 'pipe', log.fd],
        // Its own process group: Ctrl-C reaches the server first, which then stops postgres in its order.
        detached: true,
      });
      return new Postmaster(child, layout, offset);
    } finally {
      await log.close();
    }
  }

  /** Resolves when postgres accepts connections; rejects with its last words when it ended instead. */
  async ready(signal: AbortSignal, onSlow: () => void): Promise<void> {
    const slow = setTimeout(onSlow, 5_000);
    try {
      const state = await pollUntil(() => this.progress(), { everyMs: 10, forMs: READY_MS, signal });
      this.wasReady = state === 'ready';
      if (state === 'ready') return;
      if (state === undefined) throw new EmbeddedPostgresError(`PostgreSQL did not get ready in ${READY_MS / 1000} s`);
      const said = await readSince(this.layout.logFile, this.logOffset);
      const what = `PostgreSQL does not start (see ${this.layout.logFile})`;
      throw new LaunchError(explainOutput(what, `${said}\n${state.failure ?? ''}`, this.layout.dataDir, this.pid));
    } finally {
      clearTimeout(slow);
    }
  }

  /** The pid makes sure that the status is about our postgres and not about one that was faster on this directory. */
  private async progress(): Promise<'ready' | Exit | undefined> {
    if (this.exit) return this.exit;
    const file = await readPostmasterFile(this.layout.cluster);
    return file?.pid === this.pid && file?.status === 'ready' ? 'ready' : undefined;
  }

  /** Before it is ready there is nothing to save, and a fast shutdown that interrupts a recovery may hang. */
  async stop(wanted: TerminationBounds): Promise<void> {
    const bounds = this.wasReady ? wanted : { ...wanted, fastMs: 0 };
    const { pid } = this;
    // Even when the shell has ended: if it was killed, postgres lives on without it.
    if (pid !== undefined) await terminatePostmaster(pid, this.layout.cluster, bounds);
    // Before the shell has told the pid, the pipe is the only way to say it.
    this.child.stdin?.end();
    if (await settlesWithin(this.exited, pid === undefined ? 5_000 : 2_000)) return;
    this.killGroup();
    await settlesWithin(this.exited, 2_000);
  }

  private killGroup(): void {
    const group = this.child.pid;
    if (group === undefined) return;
    try {
      process.kill(-group, 'SIGKILL');
    } catch {
      // Gone already.
    }
  }

  /** A server that forgets to stop us may end: the watchdog takes postgres with it. */
  private unref(): void {
    this.child.unref();
    for (const pipe of [this.child.stdin, this.child.stdout]) if (pipe instanceof Socket) pipe.unref();
  }

  private releasePipes(): void {
    this.child.stdin?.destroy();
    this.child.stdout?.destroy();
  }
}
