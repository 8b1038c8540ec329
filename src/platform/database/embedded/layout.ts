import { createHash } from 'node:crypto';
import { access, chown, constants, lstat, mkdir, realpath, rm, rmdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeDirectory } from '../../../common/make-directory';
import { EmbeddedPostgresError, errorCode } from './errors';

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
  // 0711 for root: postgres, which then runs as the user `nobody`, must be able to pass through to its own directory.
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

/**
 * A process that can reach the socket is the database's superuser (trust), so the directory's mode is all that protects
 * it. The directory's parent is world-writable: one that another user prepared is refused, never repaired.
 */
export async function claimSocketDir(dir: string, owner: number | undefined): Promise<void> {
  const self = process.getuid?.();
  try {
    await mkdir(dir, { mode: 0o700 });
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error;
  }
  const found = await lstat(dir);
  const refuse = (why: string): never => {
    throw new EmbeddedPostgresError(`the socket directory ${dir} ${why}; remove it and start again`);
  };
  if (!found.isDirectory()) refuse('is not a directory');
  if ((found.mode & 0o777) !== 0o700) refuse('is open to other users (its mode is not 0700)');
  if (found.uid !== self && found.uid !== (owner ?? self)) refuse(`belongs to another user (uid ${found.uid})`);
  // Only root runs postgres as another user, and only root's or that user's directory got this far.
  if (owner !== undefined && found.uid !== owner) await chown(dir, owner, owner);
}

/** After a clean stop nothing of ours stays in the temporary directory. */
export async function removeSocketDir(dir: string): Promise<void> {
  await rm(socketFile(dir), { force: true });
  await rm(`${socketFile(dir)}.lock`, { force: true });
  await rmdir(dir).catch(() => undefined);
}
