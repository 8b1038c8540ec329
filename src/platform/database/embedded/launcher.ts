import { createHash } from 'node:crypto';
import { access, chmod, constants, cp, lstat, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { EmbeddedPostgresError, errorCode } from './errors';
import type { Layout } from './layout';
import { run } from './process';

/** postgres refuses to run as root; these are the ways around it, best first. */
export type RootMode = 'namespace' | 'nobody' | 'capability';
export const ROOT_MODES: readonly RootMode[] = ['namespace', 'nobody', 'capability'];

/** initdb needs a uid with a passwd entry; this one exists on every Linux. */
const NOBODY = 65534;

/** root (or an unnamed uid) on the outside, the user `nobody` inside: the files keep their owner. */
const NAMESPACE = ['unshare', '--user', `--map-user=${NOBODY}`, `--map-group=${NOBODY}`, '--'];

/** The user `nobody`, but allowed through directories that are closed to it (/root, mktemp -d). */
const CAPABILITY = [
  'setpriv',
  `--reuid=${NOBODY}`,
  `--regid=${NOBODY}`,
  '--clear-groups',
  '--inh-caps=-all,+dac_override',
  '--ambient-caps=-all,+dac_override',
  '--',
];

/** How the programs of PostgreSQL are run here, and which user its files must belong to. */
export interface Launcher {
  readonly how: string;
  readonly binDir: string;
  readonly prefix: readonly string[];
  readonly ids: { readonly uid?: number; readonly gid?: number };
  /** set where it is not the user that node runs as */
  readonly owner?: number;
}

export function commandLine(launcher: Launcher, program: string, args: readonly string[]): readonly string[] {
  return [...launcher.prefix, join(launcher.binDir, program), ...args];
}

export interface Installation {
  readonly launcher: Launcher;
  /** of the binaries, e.g. '18' */
  readonly major: string;
}

export async function chooseLauncher(
  native: string,
  layout: Layout,
  rootModes: readonly RootMode[] = ROOT_MODES,
): Promise<Installation> {
  const binDir = join(native, 'bin');
  if (process.getuid?.() !== 0) return chooseForUser(binDir);
  for (const mode of rootModes) {
    const launcher = await rootLauncher(mode, native, layout);
    const major = launcher && (await majorVersion(launcher)).major;
    if (launcher && major) return { launcher, major };
  }
  throw new EmbeddedPostgresError(
    'the embedded database cannot run as root here; start the server as an ordinary user or set DATABASE_URL',
  );
}

async function chooseForUser(binDir: string): Promise<Installation> {
  const plain: Launcher = { how: 'as this user', binDir, prefix: [], ids: {} };
  const probe = await majorVersion(plain);
  if (!probe.major) {
    // The loader of a glibc binary does not exist on musl: the kernel then reports that the *program* is missing.
    const missing = probe.failure === 'ENOENT';
    const why = missing ? 'it needs glibc and this system has none (Alpine?)' : (probe.failure ?? 'it does not run');
    throw new EmbeddedPostgresError(`the embedded database cannot run here: ${why}; set DATABASE_URL to a PostgreSQL`);
  }
  if (hasPasswdEntry()) return { launcher: plain, major: probe.major };
  const inside: Launcher = { ...plain, how: 'in a user namespace (this uid has no passwd entry)', prefix: NAMESPACE };
  if ((await majorVersion(inside)).major) return { launcher: inside, major: probe.major };
  throw new EmbeddedPostgresError(
    `the embedded database needs an entry in /etc/passwd for uid ${process.getuid?.()}; add one or set DATABASE_URL`,
  );
}

function hasPasswdEntry(): boolean {
  try {
    userInfo();
    return true;
  } catch {
    return false;
  }
}

async function rootLauncher(mode: RootMode, native: string, layout: Layout): Promise<Launcher | undefined> {
  const binDir = join(native, 'bin');
  const ids = { uid: NOBODY, gid: NOBODY };
  switch (mode) {
    case 'namespace':
      return { how: 'in a user namespace', binDir, prefix: NAMESPACE, ids: {} };
    case 'nobody': {
      const passes = await run(['test', '-x', layout.dataDir], { ids });
      return passes.code === 0 ? { how: 'as nobody', binDir, prefix: [], ids, owner: NOBODY } : undefined;
    }
    case 'capability': {
      if ((await run([...CAPABILITY, 'true'])).code !== 0) return undefined;
      // initdb asks access(2) for its programs, which ignores capabilities: they must lie where the user `nobody` may look.
      const shared = await shareBinaries(native);
      return {
        how: 'as nobody with CAP_DAC_OVERRIDE',
        binDir: join(shared, 'bin'),
        prefix: CAPABILITY,
        ids: {},
        owner: NOBODY,
      };
    }
  }
}

async function majorVersion(launcher: Launcher): Promise<{ major?: string; failure?: string }> {
  const file = join(launcher.binDir, 'postgres');
  const result = await run(commandLine(launcher, 'postgres', ['--version']), { ids: launcher.ids });
  const major = /\(PostgreSQL\) (\d+)/.exec(result.stdout)?.[1];
  if (result.code === 0 && major) return { major };
  const executable = await access(file, constants.X_OK).then(
    () => true,
    () => false,
  );
  if (!executable) return { failure: `${file} is not executable for this user` };
  return { failure: result.failure ?? (result.stderr.trim().split('\n').at(-1) || 'postgres --version failed') };
}

/**
 * A copy of the binaries that every user may run. root executes it with a capability, so it must be root's own: it is
 * made under a private name, appears complete by rename, and a directory that another user prepared is refused.
 */
async function shareBinaries(native: string): Promise<string> {
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
