import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { chmodSync, chownSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { ConnectionParameters } from '../../src/platform/database/embedded';
import { socketDirFor } from '../../src/platform/database/embedded/layout';
import { readPostmasterFile } from '../../src/platform/database/embedded/postmaster-file';
import { APPLICATION, parametersFor, SUPERUSER } from '../../src/platform/database/embedded/session';
import { eventually, kill, processesOn, startedPid } from './embedded/processes';
import { Api, type Bodies } from './http/api';
import type { WriterTarget } from './message-writers';
import { createRoom } from './rooms';
import { copyTree, scratchDirectory } from './scratch';
import { MAX_WAIT_MS } from './timing';

export const SERVED_MASTER_KEY = 'master-key-of-a-served-test';

/** A tenant without limits on a server in a process of its own, with rooms that all its users are in. */
export async function createServedTenant(
  url: () => string,
  users: number,
  rooms: number,
): Promise<WriterTarget & { readonly tenantId: string }> {
  const anonymous = new Api(url());
  const { status, body } = await anonymous
    .with({ 'x-master-key': SERVED_MASTER_KEY })
    .post<Bodies['TenantCreatedDto']>('/admin/tenants', {
      name: 'served',
      limits: { requests_per_second: null, ai_requests_per_minute: null },
    });
  if (status !== 201) throw new Error(`creating a tenant answered ${status}: ${JSON.stringify(body)}`);
  const as = (userId: string): Api => new Api(url(), { 'x-api-key': body.api_key, 'x-user-id': userId });
  const userIds = Array.from({ length: users }, (_, i) => `writer${i}`);
  const roomIds: string[] = [];
  for (let i = 0; i < rooms; i++) roomIds.push((await createRoom(as(userIds[0] ?? ''), 'group', userIds)).room_id);
  return { as, userIds, roomIds, tenantId: body.tenant_id };
}

const HOOK = join(__dirname, 'server-hook.cjs');
const SOURCE = join(__dirname, '..', '..', 'src');

export interface ServerOptions {
  /** All that the server sees, besides PATH. DATA_DIR and PORT have defaults of their own. */
  readonly env?: Readonly<Record<string, string>>;
  /** Where it is started; default `/`, where no .env of a developer is found. */
  readonly cwd?: string;
  /** Run as another user; for root only. */
  readonly uid?: number;
  /** Instead of main.ts, with its arguments: a command beside it. */
  readonly command?: readonly [file: string, ...args: string[]];
  /** A checkout whose built server is run, instead of the sources here. */
  readonly checkout?: string;
}

/** A line of the server's log. */
export interface LogLine {
  readonly level: number;
  readonly msg: string;
  readonly [field: string]: unknown;
}

/** The real server in a process of its own, as `npm start` runs it, from the sources. */
export class ServerProcess {
  readonly stdout: string[] = [];
  readonly stderr: string[] = [];
  readonly pid: number;
  private readonly listens: Promise<string>;
  private readonly ended: Promise<number | NodeJS.Signals>;
  private end: number | NodeJS.Signals | undefined;

  constructor(private readonly child: ChildProcess) {
    this.pid = startedPid(child);
    this.collect(child.stderr, this.stderr);
    const out = this.collect(child.stdout, this.stdout);
    this.listens = new Promise((resolve) => {
      out?.on('line', (line) => {
        const url = /^ChatAPI listens on (\S+)$/.exec(line)?.[1];
        if (url !== undefined) resolve(url);
      });
    });
    // `close` comes after the last line of output, `exit` may come before it.
    this.ended = new Promise((resolve) => {
      child.once('close', (code, signal) => resolve((this.end = code ?? signal ?? -1)));
    });
  }

  get output(): string {
    return [...this.stdout, ...this.stderr].join('\n');
  }

  /** What the log says, as objects; banner and progress lines are left out. */
  get log(): LogLine[] {
    return this.stdout.filter((line) => line.startsWith('{"level"')).map((line) => JSON.parse(line) as LogLine);
  }

  /** The URL, once it takes requests. */
  async url(): Promise<string> {
    const ended = this.ended.then((end) => {
      throw new Error(`the server ended (${end}) before it listened:\n${this.output}`);
    });
    return bounded('the server listens', Promise.race([this.listens, ended]), MAX_WAIT_MS, () => this.output);
  }

  /** Its exit code, or the signal that ended it. */
  exit(): Promise<number | NodeJS.Signals> {
    return bounded('the server ends', this.ended, MAX_WAIT_MS, () => this.output);
  }

  /** How a start that must fail ended: its exit code, and what it told the person in front of it. */
  async failure(): Promise<{ code: number | NodeJS.Signals; lines: string[] }> {
    const code = await this.exit();
    return { code, lines: this.stderr.filter((line) => line !== '') };
  }

  signal(signal: NodeJS.Signals): void {
    if (this.end === undefined) this.child.kill(signal);
  }

  async kill(signal: NodeJS.Signals): Promise<number | NodeJS.Signals> {
    this.signal(signal);
    return this.exit();
  }

  async logged(message: string): Promise<LogLine> {
    return eventually(`the log says "${message}"`, () => this.log.find((line) => line.msg === message));
  }

  private collect(stream: Readable | null, into: string[]): ReturnType<typeof createInterface> | undefined {
    if (!stream) return undefined;
    return createInterface(stream).on('line', (line) => into.push(line));
  }
}

/** Owns the servers and directories of a test. */
export class Servers {
  private readonly processes: ServerProcess[] = [];
  private readonly dirs: string[] = [];

  /** @param place where the directories are made */
  constructor(private readonly place = scratchDirectory()) {}

  /** An empty directory for DATA_DIR. */
  dataDir(owner?: number): string {
    const dir = mkdtempSync(join(this.place, 'chatapi-server-'));
    chmodSync(dir, 0o755);
    if (owner !== undefined) chownSync(dir, owner, owner);
    this.dirs.push(dir);
    return dir;
  }

  /** A directory for DATA_DIR whose database is made and has the schema, but no server has been on it. */
  seededDir(): string {
    const dir = this.dataDir();
    copyTree(process.env['TEST_SEED'] ?? '', join(dir, 'postgres'));
    return dir;
  }

  /** `npm run backup` or `npm run restore`, with the configuration of a server. */
  command(args: readonly string[], env: Readonly<Record<string, string>>): ServerProcess {
    return this.launch({ env, command: ['backup.ts', ...args] });
  }

  /** One that has to go well; what it printed. */
  async done(args: readonly string[], env: Readonly<Record<string, string>>): Promise<string> {
    const command = this.command(args, env);
    const code = await command.exit();
    if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}:\n${command.output}`);
    return command.stdout.join('\n');
  }

  /** Starts and does not wait. */
  launch(options: ServerOptions = {}): ServerProcess {
    const { env = {}, uid, cwd = '/', command = ['main.ts'] as const } = options;
    const [file, ...args] = command;
    const isSeeded = uid === undefined && env['DATABASE_URL'] === undefined;
    const dataDir = env['DATA_DIR'] ?? (isSeeded ? this.seededDir() : this.dataDir(uid));
    const program =
      options.checkout === undefined
        ? ['-r', HOOK, join(SOURCE, file)]
        : [join(options.checkout, 'dist', file.replace(/ts$/, 'js'))];
    const child = spawn(process.execPath, [...program, ...args], {
      cwd,
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(uid === undefined ? {} : { uid, gid: uid }),
      env: { PATH: process.env['PATH'], TMPDIR: tmpdir(), PORT: '0', DATA_DIR: dataDir, ...env },
    });
    return this.own(new ServerProcess(child));
  }

  /** Ends it with the others, too. */
  own(server: ServerProcess): ServerProcess {
    this.processes.push(server);
    return server;
  }

  /** Starts and waits until it takes requests. */
  async start(options: ServerOptions = {}): Promise<{ server: ServerProcess; url: string }> {
    const server = this.launch(options);
    return { server, url: await server.url() };
  }

  /** Ends whatever is left and removes the directories. */
  async cleanUp(): Promise<void> {
    for (const dir of this.dirs) signalAll(dir, 'SIGCONT');
    await Promise.all(this.processes.splice(0).map((server) => server.kill('SIGKILL')));
    for (const dir of this.dirs.splice(0)) {
      const patience = performance.now() + 5000;
      await eventually(`no process on ${dir}`, () => {
        // First the signal that lets postgres remove its shared memory.
        signalAll(dir, performance.now() < patience ? 'SIGQUIT' : 'SIGKILL');
        return processesOn(dir).length === 0;
      });
      rmSync(dir, { recursive: true, force: true });
      rmSync(socketDirFor(dir, tmpdir()), { recursive: true, force: true });
    }
  }
}

/** A superuser's way into the embedded database of a data directory. */
export function adminOf(dataDir: string): ConnectionParameters {
  return parametersFor(socketDirFor(dataDir, tmpdir()), SUPERUSER, APPLICATION);
}

/** The pid of the embedded postmaster. */
export async function postmasterOf(dataDir: string): Promise<number> {
  const file = await readPostmasterFile(join(dataDir, 'postgres'));
  if (!file) throw new Error(`no postmaster on ${dataDir}`);
  return file.pid;
}

/** Signals every process of the embedded PostgreSQL of a data directory. */
export function signalAll(dataDir: string, signal: NodeJS.Signals): void {
  kill(
    processesOn(dataDir).map(({ pid }) => pid),
    signal,
  );
}

/** Below the range from which outgoing connections have theirs: whoever is away for a moment finds its port free again. */
const PORTS = { from: 10_000, to: 32_000 };

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(PORTS.from, PORTS.to);
    // Browsers and fetch refuse this one.
    if (port !== 10_080 && (await isFree(port))) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer().once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

async function bounded<T>(what: string, promise: Promise<T>, ms: number, output: () => string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${ms} ms: ${what}; so far:\n${output()}`)), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
