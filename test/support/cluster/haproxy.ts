import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../embedded/processes';
import { freePort } from '../server-process';

const BINARY = '/usr/sbin/haproxy';
const EXAMPLE = join(__dirname, '..', '..', '..', 'examples', 'haproxy.cfg');

/** Debian's package `haproxy`; .ci/run installs it. */
export const hasHaproxy = existsSync(BINARY);

/** jest's own, or a skip that says what is missing. */
export const describeHaproxy = (
  hasHaproxy
    ? describe
    : (name: string, tests: () => void) =>
        describe.skip(`${name} (skipped: install the package haproxy of Debian 12)`, tests)
) as jest.Describe;

/**
 * The example that operators copy, with other addresses in it and nothing else: whatever it says is what is tested.
 * @param bind where it listens, `host:port`
 * @param nodes where they listen, `host:port`
 */
export function configurationFor(bind: string, nodes: readonly string[]): string {
  const lines = readFileSync(EXAMPLE, 'utf8').split('\n');
  const at = lines.findIndex((line) => /^ +server node1 /.test(line));
  const rest = lines.filter((line) => !/^ +(bind|server node\d) /.test(line));
  if (lines.length - rest.length !== 4) throw new Error(`${EXAMPLE} has not one bind and three nodes`);
  const servers = nodes.map((node, i) => `    server node${i + 1} ${node}`);
  const bound = lines.map((line) => (/^ +bind /.test(line) ? `    bind ${bind}` : line));
  return bound.toSpliced(at, 3, ...servers).join('\n');
}

/** Debian's HAProxy on a free port, in front of servers on this machine. */
export class Haproxy {
  private constructor(
    readonly url: string,
    private readonly child: ChildProcess,
    private readonly dir: string,
    private readonly said: () => string,
  ) {}

  /** Resolves once it leads to a server that says that it is ready. @param urls of the servers */
  static async inFrontOf(urls: readonly string[]): Promise<Haproxy> {
    const port = await freePort();
    const dir = mkdtempSync(join(tmpdir(), 'chatapi-haproxy-'));
    const file = join(dir, 'haproxy.cfg');
    const nodes = urls.map((url) => new URL(url).host);
    writeFileSync(file, configurationFor(`127.0.0.1:${port}`, nodes));
    // In the foreground, as one process: it ends with the signal.
    const child = spawn(BINARY, ['-db', '-f', file], { cwd: dir, stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    child.stderr.on('data', (text: Buffer) => (said += text.toString()));
    const proxy = new Haproxy(`http://127.0.0.1:${port}`, child, dir, () => said);
    await eventually('HAProxy leads to a server', () => proxy.leads(port)).catch((error: unknown) => {
      child.kill('SIGKILL');
      throw new Error(`${String(error)}; it said: ${said}`);
    });
    return proxy;
  }

  /** What it said so far; "Server nodes/node1 is DOWN" or UP where that changed. */
  get output(): string {
    return this.said();
  }

  async stop(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      const gone = new Promise((resolve) => this.child.once('exit', resolve));
      this.child.kill('SIGTERM');
      await gone;
    }
    rmSync(this.dir, { recursive: true, force: true });
  }

  private async leads(port: number): Promise<boolean> {
    if (this.child.exitCode !== null) throw new Error(`HAProxy ended: ${this.said()}`);
    if (!(await listens(port))) return false;
    return (await fetch(`${this.url}/health/ready`)).status === 200;
  }
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}
