/**
 * nats-server, the yardstick of connects: built from the Go module proxy at one exact version into a directory outside of the
 * repository (BENCH_CACHE, else ~/.cache/chatapi-bench), once. Without Go, or where the module cannot be had, it is left
 * out with one line that says so.
 */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { startServer } from './processes.mjs';

const VERSION = 'v2.10.29';
const MODULE = `github.com/nats-io/nats-server/v2@${VERSION}`;
const BUILD_TIMEOUT_MS = 600_000;
const CACHE = process.env.BENCH_CACHE ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'chatapi-bench');
const DIRECTORY = join(CACHE, `nats-server-${VERSION}`);
const BINARY = join(DIRECTORY, 'nats-server');

/** Starts it; undefined where it cannot be had. */
export async function startNats() {
  try {
    await built();
  } catch (error) {
    const reason = String(error.stderr || error.message)
      .trim()
      .split('\n')
      .at(-1);
    process.stderr.write(`nats-server ${VERSION} is left out, it could not be built: ${reason}\n`);
    return undefined;
  }
  const server = await startServer(BINARY, ['-a', '127.0.0.1', '-p', '-1'], {}, /Server is ready/);
  const [, port] = /client connections on 127\.0\.0\.1:(\d+)/.exec(server.output);
  return { ...server, name: `nats-server ${VERSION}`, url: `nats://127.0.0.1:${port}` };
}

async function built() {
  if (existsSync(BINARY)) return;
  mkdirSync(DIRECTORY, { recursive: true });
  process.stderr.write(`building nats-server ${VERSION} into ${DIRECTORY}, once (a minute or two) …\n`);
  // Neither another toolchain is fetched for it, nor do flags of the surroundings apply.
  const env = { ...process.env, GOBIN: DIRECTORY, GOTOOLCHAIN: 'local', GOFLAGS: '' };
  await promisify(execFile)('go', ['install', MODULE], { env, timeout: BUILD_TIMEOUT_MS });
}
