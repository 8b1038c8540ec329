import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../embedded/processes';
import { freePort } from '../server-process';

const BINARY = '/usr/bin/redis-server';

/** jest's own, or a skip that says what is missing. */
export const describeRedis = (
  existsSync(BINARY)
    ? describe
    : (name: string, tests: () => void) =>
        describe.skip(`${name} (skipped: install the package redis-server of Debian 12)`, tests)
) as jest.Describe;

/** Debian's Redis on a port of its own; it keeps nothing on disk. */
export class RedisServer {
  private child: ChildProcess | undefined;

  private constructor(
    readonly port: number,
    private readonly dir: string,
    private readonly password: string | undefined,
  ) {}

  static async start(password?: string): Promise<RedisServer> {
    const server = new RedisServer(await freePort(), mkdtempSync(join(tmpdir(), 'chatapi-redis-')), password);
    await server.restart();
    return server;
  }

  /** Starts it anew, empty, on the same port; resolves when it answers. */
  async restart(): Promise<void> {
    const settings = ['--port', `${this.port}`, '--bind', '127.0.0.1', '--dir', this.dir];
    const volatile = ['--save', '', '--appendonly', 'no'];
    const locked = this.password === undefined ? [] : ['--requirepass', this.password];
    this.child = spawn(BINARY, [...settings, ...volatile, ...locked], { cwd: this.dir, stdio: 'ignore' });
    await eventually('Redis answers', () => this.answers());
  }

  /** It is gone from one moment to the next. */
  kill(): Promise<void> {
    return this.end('SIGKILL');
  }

  /** It stands still, with its connections open. */
  freeze(): void {
    this.child?.kill('SIGSTOP');
  }

  thaw(): void {
    this.child?.kill('SIGCONT');
  }

  async stop(): Promise<void> {
    this.thaw();
    await this.end('SIGKILL');
    rmSync(this.dir, { recursive: true, force: true });
  }

  private async end(signal: NodeJS.Signals): Promise<void> {
    const { child } = this;
    this.child = undefined;
    if (child === undefined) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    await gone;
  }

  private answers(): Promise<boolean> {
    return new Promise((resolve) => {
      const socket = connect(this.port, '127.0.0.1', () => socket.write('PING\r\n'));
      socket.once('data', (bytes) => {
        socket.destroy();
        resolve(/^(\+PONG|-NOAUTH)/.test(bytes.toString()));
      });
      socket.on('error', () => resolve(false));
    });
  }
}
