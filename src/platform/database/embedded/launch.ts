import { ensureOwner } from './cluster';
import { DirectoryTakenError, EmbeddedPostgresError, LaunchError } from './errors';
import type { Launcher } from './launcher';
import type { Layout } from './layout';
import { evictOrphan } from './orphan';
import { lockParameters, Ownership, type OwnershipLog } from './ownership';
import { Postmaster } from './postmaster';
import { removeMisleadingLockFiles } from './postmaster-file';
import { APPLICATION, provision } from './provision';
import { claimSocketDir } from './socket-dir';
import type { TerminationBounds } from './terminate';
import { pollUntil, settlesWithin } from './wait';

export interface LaunchContext {
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
export interface Running {
  readonly postmaster: Postmaster;
  readonly ownership: Ownership;
}

/** One attempt, from whatever state the last owner left. It leaves nothing running when it fails. */
export async function launch(context: LaunchContext, signal: AbortSignal): Promise<Running> {
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

/** A clean end that we did not ask for: another server took our fresh postmaster for an orphan. It has won. */
async function wasStoppedByAnother(postmaster: Postmaster, error: unknown): Promise<boolean> {
  if (error instanceof LaunchError || !(error instanceof EmbeddedPostgresError)) {
    return (await settlesWithin(postmaster.exited, 3_000)) && postmaster.exit?.code === 0;
  }
  return false;
}

/** For the first start: what passes by itself (processes of a killed postgres that still end) is waited for. */
export async function launchPatiently(context: LaunchContext, signal: AbortSignal): Promise<Running> {
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
