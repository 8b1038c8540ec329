import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Client, type ClientConfig } from 'pg';
import { eventually, kill, NOBODY, processesOn } from './embedded/processes';
import { scratchDirectory } from './scratch';
import { freePort } from './server-process';

const BIN = '/usr/lib/postgresql/15/bin';
const asNobody = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};

/** Debian's package `postgresql`; .ci/run installs it. */
export const hasPostgres15 = existsSync(join(BIN, 'initdb'));

/** jest's own, or a skip that says what is missing. */
export const describePostgres15 = (
  hasPostgres15
    ? describe
    : (name: string, tests: () => void) =>
        describe.skip(`${name} (skipped: ${BIN} is missing; install the package postgresql of Debian 12)`, tests)
) as jest.Describe;

/** A PostgreSQL 15 of the test's own that nobody watches over: it stays down when it is down. */
export class Postgres15 {
  private child: ChildProcess | undefined;

  private constructor(
    private readonly dir: string,
    private readonly port: number,
  ) {}

  /** A running, empty cluster. TCP asks for passwords, the superuser comes in over a socket of its own. */
  static async create(settings: Readonly<Record<string, string>> = {}): Promise<Postgres15> {
    const args = ['--username=postgres', '--auth-local=trust', '--auth-host=scram-sha-256', '--no-sync'];
    return Postgres15.make(settings, 'initdb', [...args, '--encoding=UTF8', '--locale=C']);
  }

  /** A copy of this one that follows it until it is detached or promoted. */
  async standby(): Promise<Postgres15> {
    const from = ['-h', this.dir, '-p', String(this.port), '-U', 'postgres'];
    return Postgres15.make({}, 'pg_basebackup', [...from, '-R', '-X', 'stream', '-c', 'fast', '--no-sync']);
  }

  private static async make(
    settings: Readonly<Record<string, string>>,
    program: string,
    args: readonly string[],
  ): Promise<Postgres15> {
    const dir = ownDirectory();
    const made = spawnSync(join(BIN, program), [...args, '-D', join(dir, 'data')], {
      ...asNobody,
      cwd: '/',
      encoding: 'utf8',
    });
    if (made.status !== 0) throw new Error(`${program} of PostgreSQL 15 failed: ${made.stderr}`);
    const cluster = new Postgres15(dir, await freePort());
    await cluster.start(settings);
    return cluster;
  }

  /** Sets something for good, and waits until new sessions have it. */
  async set(name: string, value: string): Promise<void> {
    await this.sql(`ALTER SYSTEM SET ${name} = '${value}'`);
    await this.sql('SELECT pg_reload_conf()');
    await eventually(`${name} is ${value}`, async () => {
      const [row] = await this.sql<{ is: string }>(`SELECT current_setting('${name}') AS is`);
      return row?.is === value;
    });
  }

  /** Has everything that the other one has. */
  async reaches(primary: Postgres15): Promise<void> {
    const [there] = await primary.sql<{ lsn: string }>('SELECT pg_current_wal_flush_lsn()::text AS lsn');
    await eventually('the standby has replayed everything', async () => {
      const [row] = await this.sql<{ done: boolean }>(`SELECT pg_last_wal_replay_lsn() >= '${there?.lsn}' AS done`);
      return row?.done;
    });
  }

  /** Gets nothing more from the one that it follows. */
  async detach(): Promise<void> {
    await this.set('primary_conninfo', '');
    await eventually('nothing is received any more', async () => {
      const rows = await this.sql('SELECT FROM pg_stat_wal_receiver');
      return rows.length === 0;
    });
  }

  /** Resolves when it takes writes. */
  async promote(): Promise<void> {
    await this.sql('SELECT pg_promote(true, 600)');
  }

  /** Where its unix socket is. */
  get local(): ClientConfig {
    return { host: this.dir, port: this.port };
  }

  async start(settings: Readonly<Record<string, string>> = {}): Promise<void> {
    const all = { listen_addresses: '127.0.0.1', unix_socket_directories: this.dir, ...settings };
    const args = Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const begin = (): void => {
      this.child = spawn(join(BIN, 'postgres'), ['-D', join(this.dir, 'data'), '-p', String(this.port), ...args], {
        ...asNobody,
        cwd: '/',
        stdio: 'ignore',
      });
    };
    begin();
    await eventually('PostgreSQL 15 answers', () => {
      // While it was away its port may have become that of somebody's outgoing connection, for a while.
      if (this.child?.exitCode !== null) begin();
      return this.sql('SELECT 1').catch(() => undefined);
    });
  }

  /** SIGINT: fast shutdown; SIGKILL: a crash. Resolves when it is gone, its children too. */
  async end(signal: 'SIGINT' | 'SIGKILL'): Promise<void> {
    this.child?.kill(signal);
    await eventually('PostgreSQL 15 is gone', () => processesOn(this.dir).length === 0);
  }

  freeze(): void {
    this.signal('SIGSTOP');
  }

  thaw(): void {
    this.signal('SIGCONT');
  }

  /** Runs SQL as superuser. */
  async sql<R extends object>(text: string, database = 'postgres'): Promise<R[]> {
    const client = await this.connect(database);
    try {
      return (await client.query<R>(text)).rows;
    } finally {
      await client.end();
    }
  }

  /** A superuser connection; the caller ends it. */
  async connect(database = 'postgres'): Promise<Client> {
    const config: ClientConfig = { host: this.dir, port: this.port, user: 'postgres', database };
    const client = new Client(config);
    client.on('error', () => undefined);
    await client.connect();
    return client;
  }

  /** A login role and a database of the same name that it owns; the role's password is its name. */
  async createDatabase(name: string, attributes = 'CREATEROLE'): Promise<string> {
    await this.sql(`CREATE ROLE ${name} LOGIN ${attributes} PASSWORD '${name}'`);
    await this.sql(`CREATE DATABASE ${name} OWNER ${name}`);
    return this.url(name);
  }

  /** Where it listens on 127.0.0.1. */
  get tcpPort(): number {
    return this.port;
  }

  /** DATABASE_URL for a role and database of one name. */
  url(name: string, password = name): string {
    return `postgresql://${name}:${password}@127.0.0.1:${this.port}/${name}`;
  }

  async remove(): Promise<void> {
    this.thaw();
    await this.end('SIGINT');
    rmSync(this.dir, { recursive: true, force: true });
  }

  private signal(signal: NodeJS.Signals): void {
    kill(
      processesOn(this.dir).map(({ pid }) => pid),
      signal,
    );
  }
}

function ownDirectory(): string {
  const dir = mkdtempSync(join(scratchDirectory(), 'chatapi-pg15-'));
  chmodSync(dir, 0o700);
  if (asNobody.uid !== undefined) chownSync(dir, asNobody.uid, NOBODY);
  return dir;
}
