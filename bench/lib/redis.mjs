/** Debian's redis-server on a free port, which keeps nothing on disk; it ends with the bench. */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startServer } from './processes.mjs';

const BINARY = '/usr/bin/redis-server';

export async function openRedis() {
  const dir = mkdtempSync(join(tmpdir(), 'chatapi-bench-redis-'));
  const port = await freePort();
  const volatile = ['--save', '', '--appendonly', 'no'];
  const args = ['--port', `${port}`, '--bind', '127.0.0.1', '--dir', dir, ...volatile];
  const { pid, stop } = await startServer(BINARY, args, {}, /Ready to accept connections/);
  return {
    pid,
    url: `redis://127.0.0.1:${port}`,
    async close() {
      await stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
