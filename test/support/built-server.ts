import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTestDatabase } from './database';

const ROOT = join(__dirname, '..', '..');

/** The server as `npm start` runs it, from dist: what the Swagger plugin writes is there only. */
export interface BuiltServer {
  readonly url: string;
  /** What it printed until it listened. */
  readonly output: string;
  stop(): Promise<void>;
}

/**
 * Builds if needed and starts the server on a database of its own. For one spec file only: files run side by side, and
 * two builds take each other's dist away.
 * @param env more environment variables
 */
export async function startBuiltServer(env: Readonly<Record<string, string>> = {}): Promise<BuiltServer> {
  const build = spawnSync(process.execPath, ['scripts/build-if-needed.js'], { cwd: ROOT, encoding: 'utf8' });
  if (build.status !== 0) throw new Error(`the build failed: ${build.stdout}${build.stderr}`);
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
  const output = await listening(child);
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
function listening(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let output = '';
    const read = (chunk: Buffer): void => {
      output += chunk.toString();
      if (output.includes('curl -X POST')) resolve(output);
    };
    child.stdout?.on('data', read);
    child.stderr?.on('data', read);
    child.once('exit', (code) => reject(new Error(`the server ended with ${code}: ${output}`)));
  });
}
