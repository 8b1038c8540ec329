import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTestDatabase } from './database';
import { until } from './poll';

const ROOT = join(__dirname, '..', '..');

/** The server as `npm start` runs it, from dist: what the Swagger plugin writes is there only. */
export interface BuiltServer {
  readonly url: string;
  /** What it printed until it listened. */
  readonly output: string;
  stop(): Promise<void>;
}

/** Builds if needed; spec files that run side by side do it one after the other, or they would take each other's dist away. */
export async function build(): Promise<void> {
  const lock = join(tmpdir(), `chatapi-build-${createHash('sha256').update(ROOT).digest('hex').slice(0, 16)}`);
  await until(
    async () => taken(lock),
    (isOurs) => isOurs,
  );
  try {
    const { status, stdout, stderr } = spawnSync(process.execPath, ['scripts/build-if-needed.js'], {
      cwd: ROOT,
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`the build failed: ${stdout}${stderr}`);
  } finally {
    rmSync(lock);
  }
}

/** Whether the lock is ours now; one whose owner died is nobody's. */
function taken(lock: string): boolean {
  try {
    writeFileSync(lock, String(process.pid), { flag: 'wx' });
    return true;
  } catch {
    if (!isAlive(readOwner(lock))) rmSync(lock, { force: true });
    return false;
  }
}

/** Undefined: it is being written, or gone. */
function readOwner(lock: string): number | undefined {
  try {
    return Number(readFileSync(lock, 'utf8')) || undefined;
  } catch {
    return undefined;
  }
}

function isAlive(pid: number | undefined): boolean {
  if (pid === undefined) return true;
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/**
 * Builds if needed and starts the server on a database of its own.
 * @param env more settings of it
 */
export async function startBuiltServer(env: Readonly<Record<string, string>> = {}): Promise<BuiltServer> {
  await build();
  const database = await createTestDatabase();
  const dataDir = mkdtempSync(join(tmpdir(), 'chatapi-built-'));
  const child = spawn(process.execPath, ['dist/main.js'], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env['PATH'],
      PORT: '0',
      DATA_DIR: dataDir,
      DATABASE_URL: database.url,
      HOST: '127.0.0.1',
      DATABASE_ALLOW_UNSAFE: 'true',
      ...env,
    },
  });
  // In production nobody is shown a key, nor a call with one.
  const output = await listening(child, env['NODE_ENV'] === 'production' ? /Health +http\S+\n/ : /curl -X POST/);
  const url = /listens on (http:\S+)/.exec(output)?.[1] ?? '';
  return {
    url,
    output,
    stop: async () => {
      const gone = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      await gone;
      await database.drop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

/** Resolves with the output once the banner is whole. */
function listening(child: ChildProcess, last: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    let output = '';
    const read = (chunk: Buffer): void => {
      output += chunk.toString();
      if (last.test(output)) resolve(output);
    };
    child.stdout?.on('data', read);
    child.stderr?.on('data', read);
    child.once('exit', (code) => reject(new Error(`the server ended with ${code}: ${output}`)));
  });
}
