import { DirectoryTakenError, EmbeddedPostgresError, firstLine } from './errors';
import type { Layout } from './layout';
import { lockHolder, lockParameters, openLockSession, tryLock } from './ownership';
import { livePostmaster, type PostmasterFile } from './postmaster-file';
import type { Session } from './session';
import { terminatePostmaster, type TerminationBounds } from './terminate';
import { pollUntil } from './wait';

export interface EvictionOptions {
  readonly onProgress: (line: string) => void;
  readonly signal: AbortSignal;
  readonly bounds: TerminationBounds;
  /** how long a running postmaster may stay silent (frozen, or still recovering) before we give up */
  readonly silentMs: number;
}

/** A dead server's backend needs a moment to notice; a living server's lock stays. */
const HELD_MS = 2_000;

/**
 * Leaves the directory without a running postmaster, or throws. Whoever stops an orphan holds its lock until it is
 * dead: of several servers that find it one stops it, and a server whose own fresh postmaster was mistaken for an
 * orphan finds its lock taken and gives up.
 */
export async function evictOrphan(layout: Layout, options: EvictionOptions): Promise<void> {
  const found = await livePostmaster(layout.cluster);
  if (!found) return;
  options.onProgress(`Stopping the PostgreSQL (pid ${found.pid}) that an earlier server left behind …`);
  const answer = await ask(layout, found, options);
  if (answer === 'gone') return;
  try {
    await terminatePostmaster(found.pid, layout.cluster, options.bounds);
  } finally {
    await answer.close();
  }
}

/** A session that holds the orphan's lock, or 'gone'. */
async function ask(layout: Layout, found: PostmasterFile, options: EvictionOptions): Promise<Session | 'gone'> {
  let complaint = 'it does not answer';
  let heldSince: number | undefined;
  const answer = await pollUntil(
    async () => {
      const now = await livePostmaster(layout.cluster);
      if (now?.pid !== found.pid) return 'gone' as const;
      try {
        const outcome = await lockOrHolder(now);
        if (typeof outcome === 'object' && 'session' in outcome) return outcome.session;
        heldSince ??= performance.now();
        if (performance.now() - heldSince > HELD_MS) throw new DirectoryTakenError(layout.dataDir, outcome.holder);
      } catch (error) {
        if (error instanceof DirectoryTakenError) throw error;
        heldSince = undefined;
        complaint = firstLine(error);
      }
      return undefined;
    },
    { everyMs: 100, forMs: options.silentMs, signal: options.signal },
  );
  if (answer !== undefined) return answer;
  throw new EmbeddedPostgresError(
    `a PostgreSQL (pid ${found.pid}) is already running on ${layout.dataDir} and cannot be asked who owns it ` +
      `(${complaint}); wait for it, stop it, or set DATA_DIR to another directory`,
  );
}

/** The socket's place is what that postmaster wrote down: TMPDIR may have been another one then. */
async function lockOrHolder(found: PostmasterFile): Promise<{ session: Session } | { holder: string | undefined }> {
  const session = await openLockSession(lockParameters(found.socketDir, 'postgres'));
  try {
    if (await tryLock(session)) return { session };
    const holder = await lockHolder(session);
    await session.close();
    return { holder };
  } catch (error) {
    await session.close();
    throw error;
  }
}
