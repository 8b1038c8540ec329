import { chown, lstat, mkdir, rm, rmdir } from 'node:fs/promises';
import { EmbeddedPostgresError, errorCode } from './errors';
import { socketFile } from './layout';

/**
 * Whoever can reach the socket is the database's superuser (trust), so the directory's mode is the only lock on that
 * door. It lives under a world-writable parent: a directory that somebody else prepared is refused, never repaired.
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
  // Only root runs postgres as somebody else, and only root's or that user's directory got this far.
  if (owner !== undefined && found.uid !== owner) await chown(dir, owner, owner);
}

/** After a clean stop nothing of ours stays in the temporary directory. */
export async function removeSocketDir(dir: string): Promise<void> {
  await rm(socketFile(dir), { force: true });
  await rm(`${socketFile(dir)}.lock`, { force: true });
  await rmdir(dir).catch(() => undefined);
}
