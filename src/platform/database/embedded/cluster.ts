import { chown, mkdtemp, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { EmbeddedPostgresError, errorCode, explainOutput } from './errors';
import { commandLine, type Installation, type Launcher } from './launcher';
import type { Layout } from './layout';
import { run, type RunResult } from './process';

export interface ClusterOptions {
  readonly onProgress: (line: string) => void;
  readonly signal: AbortSignal;
  /** false only for tests: the files of a new cluster are not synced */
  readonly durable: boolean;
}

/**
 * Order and upper case are PostgreSQL's own (builtin C.UTF-8). Extensions ask the system's locale what a letter is
 * (pg_trgm: show_trgm('привет') is empty in C); where the system does not know this one, C must do.
 */
const CTYPES = ['--lc-ctype=C.UTF-8', '--lc-ctype=C'];
const INITDB = [
  ...['--username=postgres', '--auth-local=trust', '--auth-host=reject', '--encoding=UTF8'],
  ...['--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--data-checksums', '--no-instructions'],
];

/** Leaves a cluster of the right version that belongs to the right user, or throws. */
export async function ensureCluster(layout: Layout, installed: Installation, options: ClusterOptions): Promise<void> {
  let version = await readVersion(layout.cluster);
  if (version === undefined) {
    options.onProgress('Creating the database (first start) …');
    await createCluster(layout, installed.launcher, options);
    version = await readVersion(layout.cluster);
  }
  if (version !== installed.major) {
    throw new EmbeddedPostgresError(
      `the database in ${layout.cluster} was written by PostgreSQL ${version ?? '?'} and this server brings ` +
        `${installed.major}; dump it with the old release and restore it, or set DATA_DIR to a new directory`,
    );
  }
}

/** The way of running may differ from the last time (another container, another user mode). postgres checks the owner. */
export async function ensureOwner(layout: Layout, launcher: Launcher): Promise<void> {
  const self = process.getuid?.();
  if (self !== 0) return;
  const owner = launcher.owner ?? self;
  if ((await stat(layout.cluster)).uid === owner) return;
  const changed = await run(['chown', '-R', `${owner}:${owner}`, layout.cluster], { timeoutMs: 600_000 });
  if (changed.code !== 0) {
    throw new EmbeddedPostgresError(`cannot give ${layout.cluster} to uid ${owner}: ${changed.stderr.trim()}`);
  }
}

async function readVersion(cluster: string): Promise<string | undefined> {
  const text = await readFile(join(cluster, 'PG_VERSION'), 'utf8').catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  });
  return text?.trim();
}

/** initdb works in a directory of its own, and the result appears by rename: whole or not at all. */
async function createCluster(layout: Layout, launcher: Launcher, options: ClusterOptions): Promise<void> {
  await refuseForeignFiles(layout.cluster);
  const work = await mkdtemp(`${layout.cluster}.init-`);
  try {
    if (launcher.owner !== undefined) await chown(work, launcher.owner, launcher.owner);
    const result = await initdb(launcher, work, options);
    if (result.code !== 0) {
      const output = `${result.stderr}\n${result.failure ?? ''}`;
      throw new EmbeddedPostgresError(explainOutput('creating the database failed', output, layout.dataDir));
    }
    await rename(work, layout.cluster).catch((error: unknown) => {
      // A concurrent first start was faster; its cluster is as good as ours.
      if (errorCode(error) !== 'ENOTEMPTY' && errorCode(error) !== 'EEXIST') throw error;
    });
    await syncDirectory(layout.dataDir);
  } finally {
    await removeWork(work);
  }
}

async function initdb(launcher: Launcher, work: string, options: ClusterOptions): Promise<RunResult> {
  const { durable, signal } = options;
  let result: RunResult | undefined;
  for (const ctype of CTYPES) {
    const args = [...INITDB, ctype, ...(durable ? [] : ['--no-sync']), '-D', work];
    result = await run(commandLine(launcher, 'initdb', args), { ids: launcher.ids, timeoutMs: 300_000, signal });
    signal.throwIfAborted();
    if (!/invalid locale/.test(result.stderr)) return result;
  }
  return result ?? { code: undefined, stdout: '', stderr: '' };
}

async function refuseForeignFiles(cluster: string): Promise<void> {
  const files = await readdir(cluster).catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return [];
    throw error;
  });
  if (files.length === 0) return;
  throw new EmbeddedPostgresError(
    `${cluster} is not empty and holds no PostgreSQL database; move it away or set DATA_DIR to another directory`,
  );
}

/** Without this a power cut could forget the rename, and with it a cluster that already holds acknowledged messages. */
async function syncDirectory(dir: string): Promise<void> {
  const handle = await open(dir, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** What a killed first start left behind. Only for the holder of the directory lock: else another one may be at work. */
export async function removeUnfinished(layout: Layout): Promise<void> {
  const prefix = `${basename(layout.cluster)}.init-`;
  for (const name of await readdir(layout.dataDir)) {
    if (name.startsWith(prefix)) await removeWork(join(layout.dataDir, name));
  }
}

/** An orphaned initdb may still be writing there: what cannot be removed now is removed at the next start. */
async function removeWork(dir: string): Promise<void> {
  await rm(dir, { recursive: true, force: true, maxRetries: 3, retryDelay: 50 }).catch(() => undefined);
}
