import { locateBinaries } from './binaries';
import { ensureCluster, removeUnfinished } from './cluster';
import { DirectoryLock } from './directory-lock';
import { explainEmbedded, firstLine } from './errors';
import { launch, launchPatiently, type LaunchContext, type Running } from './launch';
import { chooseLauncher } from './launcher';
import { openLayout, type Layout } from './layout';
import type { EmbeddedPostgresLog, EmbeddedPostgresOptions } from './options';
import { livePostmaster } from './postmaster-file';
import { APPLICATION, parametersFor, SUPERUSER } from './provision';
import type { ConnectionParameters } from './session';
import { removeSocketDir } from './socket-dir';
import { DEFAULT_BOUNDS } from './terminate';
import { backoffMs, pause } from './wait';

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

  /** The directory lock goes last: whoever gets it must find nothing of ours. */
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
  // The lock ends with postgres; closing its session first would tell others that an orphan runs here.
  const immediateMs = Math.min(stopMs, DEFAULT_BOUNDS.immediateMs);
  await postmaster.stop({ fastMs, immediateMs }).finally(() => ownership.release());
}

/** Not after a refusal (a postmaster that is not ours listens there), nor where only the advisory lock keeps others off. */
async function removeUnusedSocketDir(layout: Layout): Promise<void> {
  if (!(await livePostmaster(layout.cluster))) await removeSocketDir(layout.socketDir);
}
