import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually, NOBODY } from './embedded/processes';
import { hasPostgres15, type Postgres15 } from './postgres15';
import { freePort } from './server-process';

const BINARY = '/usr/sbin/pgbouncer';

/** jest's own, or a skip that says what is missing. */
export const describePgBouncer = (
  hasPostgres15 && existsSync(BINARY)
    ? describe
    : (name: string, tests: () => void) =>
        describe.skip(`${name} (skipped: install the packages postgresql and pgbouncer of Debian 12)`, tests)
) as jest.Describe;

/** Debian's PgBouncer in front of one database whose role and password have its name. */
export class PgBouncer {
  private constructor(
    readonly url: string,
    private readonly child: ChildProcess,
    private readonly dir: string,
  ) {}

  /** @param more lines of its configuration */
  static async inFrontOf(postgres: Postgres15, name: string, more: readonly string[]): Promise<PgBouncer> {
    const dir = mkdtempSync(join(tmpdir(), 'chatapi-bouncer-'));
    chmodSync(dir, 0o755);
    const port = await freePort();
    const lines = [
      '[databases]',
      `${name} = host=127.0.0.1 port=${postgres.tcpPort} user=${name} password=${name}`,
      '[pgbouncer]',
      ...['listen_addr = 127.0.0.1', `listen_port = ${port}`, 'unix_socket_dir =', 'auth_type = any', ...more],
    ];
    writeFileSync(join(dir, 'pgbouncer.ini'), lines.join('\n'));
    const child = spawn(BINARY, [join(dir, 'pgbouncer.ini')], {
      // It refuses to run as root.
      ...(process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {}),
      cwd: '/',
      stdio: 'ignore',
    });
    await eventually('PgBouncer listens', () => answers(port));
    return new PgBouncer(`postgresql://${name}@127.0.0.1:${port}/${name}`, child, dir);
  }

  async stop(): Promise<void> {
    const gone = new Promise((resolve) => this.child.once('exit', resolve));
    this.child.kill('SIGQUIT');
    await gone;
    rmSync(this.dir, { recursive: true, force: true });
  }
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}
