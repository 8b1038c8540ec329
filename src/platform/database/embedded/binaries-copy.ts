import { createHash } from 'node:crypto';
import { chmod, cp, lstat, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EmbeddedPostgresError, errorCode } from './errors';

/**
 * A copy of the binaries that every user may run. root executes it with a capability, so it must be root's own: it is
 * made under a private name, appears complete by rename, and a directory that somebody else prepared is refused.
 */
export async function shareBinaries(native: string): Promise<string> {
  const fingerprint = await listing(native);
  const hash = createHash('sha256').update(native).update(fingerprint).digest('hex').slice(0, 12);
  const shared = join(tmpdir(), `chatapi-pg-${hash}`);
  await refuseForeign(shared);
  // Cleaners of temporary directories delete old files one by one: a copy with holes is made anew.
  if ((await listing(shared).catch(() => '')) === fingerprint) return shared;
  const fresh = await mkdtemp(`${shared}.`);
  try {
    await cp(native, fresh, { recursive: true, verbatimSymlinks: true });
    await chmod(fresh, 0o755);
    await rm(shared, { recursive: true, force: true });
    await rename(fresh, shared).catch(async (error: unknown) => {
      // Another server was faster.
      if (errorCode(error) !== 'ENOTEMPTY' && errorCode(error) !== 'EEXIST') throw error;
      await refuseForeign(shared);
    });
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
  return shared;
}

async function refuseForeign(dir: string): Promise<void> {
  const found = await lstat(dir).catch(() => undefined);
  if (!found) return;
  if (found.isDirectory() && found.uid === process.getuid?.() && (found.mode & 0o022) === 0) return;
  throw new EmbeddedPostgresError(`${dir} was not made by this user; remove it and start again`);
}

/** Names and sizes: changes with every release of the package. */
async function listing(dir: string): Promise<string> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  const lines: string[] = [];
  for (const entry of entries) {
    if (entry.isDirectory()) continue;
    const path = join(entry.parentPath, entry.name);
    lines.push(`${path.slice(dir.length)} ${(await lstat(path)).size}`);
  }
  return lines.sort().join('\n');
}
