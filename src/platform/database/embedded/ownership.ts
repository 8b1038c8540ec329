import { DirectoryTakenError } from './errors';
import { SOCKET_PORT } from './layout';
import { Session, type ConnectionParameters } from './session';
import { backoffMs, pause } from './wait';

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
