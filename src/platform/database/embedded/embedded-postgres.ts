import { access, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { locateBinaries } from './binaries';
import { ensureCluster, ensureOwner, removeUnfinished } from './cluster';
import { DirectoryLock } from './directory-lock';
import { DirectoryTakenError, EmbeddedPostgresError, explainEmbedded, firstLine, LaunchError } from './errors';
import { chooseLauncher, type Launcher, type RootMode } from './launcher';
import { claimSocketDir, type Layout, openLayout, removeSocketDir } from './layout';
import { evictOrphan, lockParameters, Ownership, type OwnershipLog } from './ownership';
import { Postmaster } from './postmaster';
import { livePostmaster, removeMisleadingLockFiles } from './postmaster-file';
import { backoffMs, DEFAULT_BOUNDS, pause, pollUntil, settlesWithin, type TerminationBounds } from './process';
import { APPLICATION, type ConnectionParameters, parametersFor, provision, SUPERUSER } from './session';

export interface EmbeddedPostgresLog {
  debug?(message: string): void;
  info(message: string): void;
  warn(message: string): void;
  error(message: string): void;
}

export interface EmbeddedPostgresOptions {
  /** DATA_DIR; the cluster is in <dataDir>/postgres */
  readonly dataDir: string;
  /** progress lines for a person, e.g. 'Creating the database (first start) …' */
  readonly onProgress?: (line: string) => void;
  /** structured log; no secrets */
  readonly log?: EmbeddedPostgresLog;
  /** extra `-c name=value` settings (tests use fsync=off; the new cluster's files are then not synced either) */
  readonly settings?: Readonly<Record<string, string>>;
  /** called when postgres died and was started again by the supervisor */
  readonly onRestart?: () => void;
  /** tests: the ways to run postgres for root that are tried, in order */
  readonly rootModes?: readonly RootMode[];
  readonly timeouts?: {
    /** for postgres' fast shutdown before it is forced (15 s) */
    readonly stopMs?: number;
    /** for an answer from a postmaster that another server left behind (20 s) */
    readonly orphanMs?: number;
  };
}

const SILENT: EmbeddedPostgresLog = { info: () => undefined, warn: () => undefined, error: () => undefined };

const ORPHAN_MS = 20_000;

/** See index.ts for the invariants. One instance may be started again after stop(). */
export class EmbeddedPostgres {
  private abort = new AbortController();
  private layout: Layout | undefined;
  private lock: DirectoryLock | undefined;
  private running: Running | undefined;
  private starting: Promise<void> | undefined;
  private stopping: Promise<void> | undefined;
  private supervising: Promise<void> | undefined;
  private readonly log: EmbeddedPostgresLog;

  constructor(private readonly options: EmbeddedPostgresOptions) {
    this.log = options.log ?? SILENT;
  }

  /** Resolves when the database accepts connections; rejects with EmbeddedPostgresError, and nothing left running. */
  async start(): Promise<void> {
    if (this.starting || this.stopping) throw new Error('EmbeddedPostgres.start: already started');
    this.abort = new AbortController();
    this.starting = this.boot(this.abort.signal);
    await this.starting;
  }

  /**
   * Idempotent; wins over a start or a restart that is under way.
   * @param mostMs for the clean stop, where it has to be shorter than the options say
   */
  async stop(mostMs = Infinity): Promise<void> {
    this.stopping ??= this.shutDown(mostMs).finally(() => (this.stopping = undefined));
    await this.stopping;
  }

  /** of the running postmaster */
  get pid(): number | undefined {
    return this.running?.postmaster.pid;
  }

  /** For node-postgres: the application's role on its database. Valid from start() to stop(), over restarts too. */
  connection(): ConnectionParameters {
    return parametersFor(this.socketDir(), APPLICATION, APPLICATION);
  }

  /** The superuser, for test tooling alone: no code of the running server may use it. */
  adminConnection(): ConnectionParameters {
    return parametersFor(this.socketDir(), SUPERUSER, 'postgres');
  }

  private socketDir(): string {
    if (!this.layout) throw new Error('EmbeddedPostgres: not started');
    return this.layout.socketDir;
  }

  private async boot(signal: AbortSignal): Promise<void> {
    try {
      const native = await locateBinaries();
      const context = await this.prepare(native, signal);
      this.running = await launchPatiently(context, signal);
      this.log.debug?.(
        `embedded PostgreSQL runs ${context.launcher.how} on ${context.layout.cluster} (pid ${this.pid})`,
      );
      this.supervising = this.supervise(context, signal);
    } catch (error) {
      await this.cleanUp();
      this.starting = undefined;
      throw explainEmbedded(error, this.options.dataDir);
    }
  }

  private async prepare(native: string, signal: AbortSignal): Promise<LaunchContext> {
    const { dataDir, settings = {}, onProgress = () => undefined, rootModes, timeouts = {} } = this.options;
    const layout = await openLayout(dataDir);
    this.lock = await DirectoryLock.acquire(layout.lockFile, layout.dataDir, signal);
    this.layout = layout;
    if (this.lock.strong) await removeUnfinished(layout);
    else this.log.warn(`no file lock on ${layout.lockFile}: the ownership lock in the database alone must do`);
    const installed = await chooseLauncher(native, layout, rootModes);
    await ensureCluster(layout, installed, { onProgress, signal, durable: settings['fsync'] !== 'off' });
    return {
      ...{ layout, settings, onProgress, launcher: installed.launcher, log: this.log },
      bounds: { ...DEFAULT_BOUNDS, fastMs: timeouts.stopMs ?? DEFAULT_BOUNDS.fastMs },
      orphanMs: timeouts.orphanMs ?? ORPHAN_MS,
      isSole: this.lock.strong,
    };
  }

  /** Ends when the signal is aborted; until then a dead postgres is started again. */
  private async supervise(context: LaunchContext, signal: AbortSignal): Promise<void> {
    const aborted = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
    while (!signal.aborted && this.running) {
      await Promise.race([this.running.postmaster.exited, aborted]);
      if (signal.aborted) return;
      await this.recover(this.running, context, signal);
    }
  }

  private async recover(dead: Running, context: LaunchContext, signal: AbortSignal): Promise<void> {
    const since = performance.now();
    const { exit } = dead.postmaster;
    this.log.error(`embedded PostgreSQL ended unexpectedly (${exit?.failure ?? `code ${exit?.code}`}); restarting it`);
    this.running = undefined;
    await dead.ownership.release();
    this.running = await this.relaunch(context, signal);
    if (!this.running) return;
    this.log.info(`embedded PostgreSQL runs again after ${Math.round(performance.now() - since)} ms (pid ${this.pid})`);
    try {
      this.options.onRestart?.();
    } catch (error) {
      this.log.error(`onRestart of the embedded PostgreSQL failed: ${firstLine(error)}`);
    }
  }

  /** For ever: an outage of hours (a full disk) must end by itself when its cause does. */
  private async relaunch(context: LaunchContext, signal: AbortSignal): Promise<Running | undefined> {
    let reported = '';
    for (let attempt = 0; !signal.aborted; attempt += 1) {
      try {
        return await launch(context, signal);
      } catch (error) {
        // The usual attempts in vain right after a crash are no news, and a lasting cause is told once.
        const { message } = explainEmbedded(error, this.options.dataDir);
        if (attempt >= 5 && !signal.aborted && reported === '') this.log.warn((reported = message));
      }
      await pause(backoffMs(attempt), signal).catch(() => undefined);
    }
    return undefined;
  }

  private async shutDown(mostMs: number): Promise<void> {
    this.abort.abort();
    await this.starting?.catch(() => undefined);
    await this.supervising;
    await this.cleanUp(mostMs);
    this.starting = undefined;
    this.supervising = undefined;
  }

  /** The directory lock goes last: the next server that gets it must find nothing of ours. */
  private async cleanUp(mostMs = Infinity): Promise<void> {
    const { running, layout, lock } = this;
    this.running = undefined;
    this.layout = undefined;
    this.lock = undefined;
    try {
      if (running) await stopRunning(running, Math.min(mostMs, this.options.timeouts?.stopMs ?? DEFAULT_BOUNDS.fastMs));
      if (layout && lock?.strong) await removeUnusedSocketDir(layout);
    } finally {
      await lock?.release();
    }
  }
}

async function stopRunning({ postmaster, ownership }: Running, stopMs: number): Promise<void> {
  // Without a session postgres is in crash recovery: there is nothing to save, the next start recovers as well, and
  // PostgreSQL 18 hangs in a fast shutdown that comes at that moment (its checkpointer is never told to end).
  const fastMs = ownership.held ? stopMs : 0;
  ownership.expectEnd();
  // The lock ends with postgres; closing its session first would tell other servers that an orphan runs here.
  const immediateMs = Math.min(stopMs, DEFAULT_BOUNDS.immediateMs);
  await postmaster.stop({ fastMs, immediateMs }).finally(() => ownership.release());
}

/** Not after a refusal (a postmaster that is not ours listens there), nor where the advisory lock alone decides. */
async function removeUnusedSocketDir(layout: Layout): Promise<void> {
  if (!(await livePostmaster(layout.cluster))) await removeSocketDir(layout.socketDir);
}

interface LaunchContext {
  readonly layout: Layout;
  readonly launcher: Launcher;
  readonly settings: Readonly<Record<string, string>>;
  readonly bounds: TerminationBounds;
  readonly orphanMs: number;
  /** the directory lock is one that the kernel keeps for us */
  readonly isSole: boolean;
  readonly onProgress: (line: string) => void;
  readonly log: OwnershipLog;
}

/** postgres that answers, is provisioned, and whose ownership lock is ours. */
interface Running {
  readonly postmaster: Postmaster;
  readonly ownership: Ownership;
}

/** One attempt, from whatever state the last owner left. It leaves nothing running when it fails. */
async function launch(context: LaunchContext, signal: AbortSignal): Promise<Running> {
  const { layout, launcher, bounds, onProgress } = context;
  await evictOrphan(layout, { onProgress, signal, bounds, silentMs: context.orphanMs });
  await ensureOwner(layout, launcher);
  await claimSocketDir(layout.socketDir, launcher.owner);
  await removeMisleadingLockFiles(layout.cluster, layout.socketDir, {
    isSole: context.isSole,
    onRemoved: (line) => context.log.warn(line),
  });
  signal.throwIfAborted();
  const postmaster = await Postmaster.spawn(layout, launcher, context.settings);
  try {
    await postmaster.ready(signal, () => onProgress('The database recovers from an unclean stop …'));
    await provision(layout.socketDir);
    const parameters = lockParameters(layout.socketDir, APPLICATION);
    const ownership = await Ownership.take(parameters, layout.dataDir, context.log);
    return { postmaster, ownership };
  } catch (error) {
    const stolen = !signal.aborted && (await wasStoppedByAnother(postmaster, error));
    await postmaster.stop(bounds);
    throw stolen ? new DirectoryTakenError(layout.dataDir, undefined) : error;
  }
}

/** For the first start: what passes by itself (processes of a killed postgres that still end) is waited for. */
async function launchPatiently(context: LaunchContext, signal: AbortSignal): Promise<Running> {
  let last: unknown;
  const attempt = async (): Promise<Running | undefined> => {
    try {
      return await launch(context, signal);
    } catch (error) {
      if (!(error instanceof LaunchError) || !error.passes) throw error;
      last = error;
      return undefined;
    }
  };
  const running = await pollUntil(attempt, { everyMs: 200, forMs: 15_000, signal });
  if (running) return running;
  throw last;
}

/** A clean end that we did not ask for: another server took our fresh postmaster for an orphan. It has won. */
async function wasStoppedByAnother(postmaster: Postmaster, error: unknown): Promise<boolean> {
  if (error instanceof LaunchError || !(error instanceof EmbeddedPostgresError)) {
    return (await settlesWithin(postmaster.exited, 3_000)) && postmaster.exit?.code === 0;
  }
  return false;
}

/** Whether there is a database in <dataDir>. */
export async function hasCluster(dataDir: string): Promise<boolean> {
  return access(join(dataDir, 'postgres', 'PG_VERSION')).then(
    () => true,
    () => false,
  );
}

/**
 * How the application's role gets to the PostgreSQL that a server of another process runs on <dataDir>, once it takes
 * connections. Its end is that server's business.
 */
export async function runningConnection(dataDir: string): Promise<ConnectionParameters | undefined> {
  const found = await livePostmaster(join(await realpath(dataDir), 'postgres'));
  return found?.status === 'ready' ? parametersFor(found.socketDir, APPLICATION, APPLICATION) : undefined;
}
