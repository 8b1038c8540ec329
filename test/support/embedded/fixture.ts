import { spawn, type ChildProcess } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statfsSync,
  symlinkSync,
  existsSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Client, type QueryResultRow } from 'pg';
import {
  EmbeddedPostgres,
  type ConnectionParameters,
  type EmbeddedPostgresOptions,
} from '../../../src/platform/database/embedded';
import { socketDirFor } from '../../../src/platform/database/embedded/layout';
import { eventually, kill, processesOn, startedPid } from './processes';
import type { SupervisorArguments, SupervisorReport } from './supervisor-main';

/** What is not about durability need not wait for the disk. */
export const FAST = { fsync: 'off', full_page_writes: 'off', synchronous_commit: 'off' } as const;

const HOOK = join(__dirname, 'ts-hook.cjs');
const MAIN = join(__dirname, 'supervisor-main.ts');

type ReportOf<T extends SupervisorReport['type']> = Extract<SupervisorReport, { type: T }>;

/** A supervisor in a process of its own. */
export class SupervisorProcess {
  readonly reports: SupervisorReport[] = [];
  readonly pid: number;
  private ended = false;

  constructor(private readonly child: ChildProcess) {
    this.pid = startedPid(child);
    if (child.stdout)
      createInterface(child.stdout).on('line', (line) => this.reports.push(JSON.parse(line) as SupervisorReport));
    child.on('close', () => (this.ended = true));
  }

  all<T extends SupervisorReport['type']>(type: T): ReportOf<T>[] {
    return this.reports.filter((report): report is ReportOf<T> => report.type === type);
  }

  async next<T extends SupervisorReport['type']>(type: T): Promise<ReportOf<T>> {
    return eventually(`a report '${type}' of process ${this.pid}`, () => this.all(type)[0]);
  }

  /** 'ready' or the failure's message. */
  async outcome(): Promise<string> {
    return eventually(
      `an outcome of process ${this.pid}`,
      () => this.all('failed')[0]?.message ?? this.all('ready')[0]?.type ?? (this.ended && 'ended without a word'),
      25_000,
    );
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    // By its handle, which knows when it has ended: its number may be somebody else's by then.
    this.child.kill(signal);
    await eventually(`the end of process ${this.pid}`, () => this.ended);
  }
}

export interface SpawnOptions {
  readonly uid?: number;
  readonly path?: string;
}

/** Owns what a test starts: directories, supervisors, processes. */
export class EmbeddedFixture {
  private seed: string | undefined;
  private readonly dirs: string[] = [];
  private readonly supervisors: EmbeddedPostgres[] = [];
  private readonly children: SupervisorProcess[] = [];

  tempDir(owner?: number): string {
    const dir = mkdtempSync(join(scratchParent(), 'embedded-test-'));
    if (owner !== undefined) chownSync(dir, owner, owner);
    this.dirs.push(dir);
    return dir;
  }

  /** With a copy of one finished cluster: for the tests that are not about the first start. */
  async seededDir(): Promise<string> {
    if (!this.seed) {
      this.seed = mkdtempSync(join(scratchParent(), 'embedded-seed-'));
      const first = await this.started(this.seed);
      await first.stop();
    }
    const dir = this.tempDir();
    cpSync(join(this.seed, 'postgres'), join(dir, 'postgres'), { recursive: true });
    return dir;
  }

  create(dataDir: string, options: Partial<EmbeddedPostgresOptions> = {}): EmbeddedPostgres {
    const supervisor = new EmbeddedPostgres({ dataDir, settings: FAST, ...options });
    this.supervisors.push(supervisor);
    return supervisor;
  }

  async started(dataDir: string, options: Partial<EmbeddedPostgresOptions> = {}): Promise<EmbeddedPostgres> {
    const supervisor = this.create(dataDir, options);
    await supervisor.start();
    return supervisor;
  }

  spawn(args: SupervisorArguments, { uid, path }: SpawnOptions = {}): SupervisorProcess {
    const child = spawn(process.execPath, ['-r', HOOK, MAIN, JSON.stringify({ settings: FAST, ...args })], {
      cwd: '/',
      stdio: ['ignore', 'pipe', 'inherit'],
      ...(uid === undefined ? {} : { uid, gid: uid }),
      env: { ...process.env, ...(path === undefined ? {} : { PATH: path }) },
    });
    const supervisor = new SupervisorProcess(child);
    this.children.push(supervisor);
    return supervisor;
  }

  /** A PATH on which everything is found but flock: the advisory lock then has to decide alone. */
  pathWithoutFlock(): string {
    const bin = join(this.tempDir(), 'bin');
    mkdirSync(bin);
    for (const name of ['sh', 'sleep', 'unshare', 'setpriv', 'chown', 'test', 'true']) {
      const found = ['/usr/bin', '/bin'].map((dir) => join(dir, name)).find((file) => existsSync(file));
      if (found) symlinkSync(found, join(bin, name));
    }
    return bin;
  }

  /** Whatever a failed test left running ends here. */
  async cleanUp(): Promise<void> {
    await Promise.allSettled(this.supervisors.splice(0).map((supervisor) => supervisor.stop()));
    await Promise.allSettled(this.children.map((child) => child.end('SIGTERM')));
    for (const child of this.children.splice(0)) await child.end('SIGKILL');
    for (const dir of this.dirs.splice(0)) {
      await endProcessesOn(dir);
      chmodSync(dir, 0o700);
      rmSync(dir, { recursive: true, force: true });
      rmSync(socketDirFor(dir, tmpdir()), { recursive: true, force: true });
    }
  }

  dispose(): void {
    if (this.seed) rmSync(this.seed, { recursive: true, force: true });
  }
}

/** First a signal that lets postgres remove its shared memory: nobody will start again on this directory. */
async function endProcessesOn(dir: string): Promise<void> {
  const end = performance.now() + 3_000;
  await eventually(`no process on ${dir}`, () => {
    const left = processesOn(dir).map(({ pid }) => pid);
    kill(left, 'SIGCONT');
    kill(left, performance.now() < end ? 'SIGQUIT' : 'SIGKILL');
    return left.length === 0;
  });
}

/** Half of these tests' time is the disk's; what they prove is about processes. Docker's /dev/shm is too small. */
function scratchParent(): string {
  try {
    const { bavail, bsize } = statfsSync('/dev/shm');
    return bavail * bsize > 2 ** 30 ? '/dev/shm' : tmpdir();
  } catch {
    return tmpdir();
  }
}

export async function connect(parameters: ConnectionParameters): Promise<Client> {
  const client = new Client(parameters);
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

export async function query<Row extends QueryResultRow>(parameters: ConnectionParameters, sql: string): Promise<Row[]> {
  const client = await connect(parameters);
  try {
    return (await client.query<Row>(sql)).rows;
  } finally {
    await client.end();
  }
}
