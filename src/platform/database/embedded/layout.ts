import { createHash } from 'node:crypto';
import { access, constants, realpath } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeDirectory } from '../../../common/make-directory';
import { EmbeddedPostgresError } from './errors';

/** Only the suffix of the socket's file name: nothing listens on TCP. */
export const SOCKET_PORT = 5432;

/** sun_path: 108 bytes on Linux, 104 on macOS, with the closing NUL. */
const MAX_SOCKET_PATH = process.platform === 'darwin' ? 103 : 107;

export interface Layout {
  readonly dataDir: string;
  /** PGDATA */
  readonly cluster: string;
  readonly logFile: string;
  readonly lockFile: string;
  readonly socketDir: string;
}

/** The real path is the identity: a directory reached through a symlink must not look like a second one. */
export async function openLayout(dataDir: string): Promise<Layout> {
  // 0711 for root: postgres, which then runs as nobody, must be able to pass through to its own directory.
  const mode = process.getuid?.() === 0 ? 0o711 : 0o700;
  makeDirectory(dataDir, mode);
  const real = await realpath(dataDir);
  await access(real, constants.W_OK | constants.X_OK);
  return {
    dataDir: real,
    cluster: join(real, 'postgres'),
    logFile: join(real, 'postgres.log'),
    lockFile: join(real, 'postgres.lock'),
    socketDir: socketDirFor(real, tmpdir()),
  };
}

export function socketDirFor(dataDir: string, tmp: string): string {
  const name = `chatapi-${createHash('sha256').update(dataDir).digest('hex').slice(0, 12)}`;
  for (const parent of [tmp, '/tmp']) {
    const dir = join(parent, name);
    if (Buffer.byteLength(socketFile(dir)) + '.lock'.length <= MAX_SOCKET_PATH) return dir;
  }
  throw new EmbeddedPostgresError(`the path ${tmp} is too long for a unix socket; set TMPDIR to a shorter one`);
}

export function socketFile(socketDir: string): string {
  return join(socketDir, `.s.PGSQL.${SOCKET_PORT}`);
}
