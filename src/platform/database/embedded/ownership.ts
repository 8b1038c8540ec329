import { DirectoryTakenError, EmbeddedPostgresError, firstLine } from './errors';
import { type Layout, SOCKET_PORT } from './layout';
import { livePostmaster, type PostmasterFile } from './postmaster-file';
import { backoffMs, pause, pollUntil, terminatePostmaster, type TerminationBounds } from './process';
import { type ConnectionParameters, Session } from './session';

/** 'CHAT', 1: the session advisory lock, in the database `postgres`, that makes a server the owner of the cluster. */
const LOCK = [0x43484154, 1] as const;

const TIMEOUT_MS = 2_000;

/** Always there, even where a crash came between initdb and the creation of our own database. */
export const LOCK_DATABASE = 'postgres';

export async function tryLock(session: Session): Promise<boolean> {
  const rows = await session.query<{ got: boolean }>('select pg_try_advisory_lock($1::int4, $2::int4) as got', LOCK);
  return rows[0]?.got === true;
}

/** The lock's sessions carry their server's pid in their name: "ChatAPI owner, pid 4711". */
export async function lockHolder(session: Session): Promise<string | undefined> {
  const rows = await session.query<{ name: string }>(
    `select a.application_name as name from pg_locks l join pg_stat_activity a using (pid)
      where l.locktype = 'advisory' and l.classid::int8 = $1 and l.objid::int8 = $2 and l.objsubid = 2 and l.granted`,
    LOCK,
  );
  return /pid \d+/.exec(rows[0]?.name ?? '')?.[0];
}

export function lockParameters(socketDir: string, user: string): ConnectionParameters {
  return { host: socketDir, port: SOCKET_PORT, user, database: LOCK_DATABASE };
}

export function openLockSession(parameters: ConnectionParameters): Promise<Session> {
  const applicationName = `ChatAPI owner, pid ${process.pid}`;
  return Session.open(parameters, { applicationName, timeoutMs: TIMEOUT_MS });
}

export interface OwnershipLog {
  info(message: string): void;
  warn(message: string): void;
}

/** The held lock. When its connection is lost while postgres lives (a crashed backend resets all), it is taken again. */
export class Ownership {
  private session: Session | undefined;
  private readonly released = new AbortController();

  private constructor(
    private readonly parameters: ConnectionParameters,
    private readonly log: OwnershipLog,
  ) {}

  static async take(parameters: ConnectionParameters, dataDir: string, log: OwnershipLog): Promise<Ownership> {
    const ownership = new Ownership(parameters, log);
    if (await ownership.attempt()) return ownership;
    throw new DirectoryTakenError(dataDir, undefined);
  }

  private async attempt(): Promise<boolean> {
    const session = await openLockSession(this.parameters);
    const got = await tryLock(session).catch(() => false);
    if (!got || this.released.signal.aborted) {
      await session.close();
      return false;
    }
    this.session = session;
    session.unref();
    session.onLost(() => void this.regain());
    return true;
  }

  private async regain(): Promise<void> {
    this.session = undefined;
    const { signal } = this.released;
    for (let attempt = 0; !signal.aborted; attempt += 1) {
      if (attempt === 1) this.log.warn('the ownership lock of the embedded database is lost; taking it again');
      if (await this.attempt().catch(() => false)) {
        if (attempt > 0) this.log.info('the ownership lock of the embedded database is held again');
        return;
      }
      await pause(backoffMs(attempt), signal).catch(() => undefined);
    }
  }

  get held(): boolean {
    return this.session !== undefined;
  }

  /** Before postgres is stopped on purpose: the end of the session is then no loss. */
  expectEnd(): void {
    this.released.abort();
  }

  async release(): Promise<void> {
    this.expectEnd();
    await this.session?.close();
  }
}

interface EvictionOptions {
  readonly onProgress: (line: string) => void;
  readonly signal: AbortSignal;
  readonly bounds: TerminationBounds;
  /** how long a running postmaster may stay silent (frozen, or still recovering) before we give up */
  readonly silentMs: number;
}

/** A dead server's backend needs a moment to notice; a living server's lock stays. */
const HELD_MS = 2_000;

/**
 * Leaves the directory without a running postmaster, or throws. The server that stops an orphan holds its lock until it is
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
