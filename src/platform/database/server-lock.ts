import { randomUUID } from 'node:crypto';
import { every, type Interval } from '../lifecycle';
import type { Log } from '../logging';
import { IS_READ_ONLY, LEAST_DOUBT_MS } from './availability';
import type { DatabaseConnection } from './connection';
import { GuardedClient } from './pool';
import { DatabaseRefusal } from './errors';

/** Advisory lock of the one server that may run on a database, or of the several that share it. */
const SERVER_LOCK = 4_711_002;
const RETRY_MS = 500;
/** An answer that takes so many times longer than a slow one does not come any more. */
const BEATS = 5;
const HEARTBEAT_MS = 2000;
/** The session of a server that was killed this moment may need one to end. */
const PATIENCE_MS = 2000;
const PATIENCE_POLL_MS = 100;

/**
 * The session ends by itself when its server is gone without a word (power, network): PostgreSQL asks the peer after
 * 10 s of silence. Without effect on unix sockets, which need none.
 */
export const KEEPALIVE = `SELECT set_config('tcp_keepalives_idle', '10', false), set_config('tcp_keepalives_interval', '5', false),
  set_config('tcp_keepalives_count', '3', false)`;

const HOLDER = `SELECT a.pid, a.application_name AS name, l.mode = 'ShareLock' AS "isShared" FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
  WHERE l.locktype = 'advisory' AND l.granted AND l.classid::bigint = 0 AND l.objid::bigint = $1 AND l.objsubid = 1
    AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())`;

/** Whose the lock is: this server's, of another one that is alone or shares it; `unclear`: none is known to have it. */
type Owner = 'me' | 'another' | 'sharers' | 'unclear';

interface Holder {
  readonly pid: number;
  readonly name: string;
  readonly isShared: boolean;
}

export interface ServerLockOptions {
  /** The server is one of several (REDIS_URL). Default: it is alone. */
  readonly isShared?: boolean;
  /** An answer that takes longer is a reason to ask whether the database is there at all; at least a second. */
  readonly slowMs?: number;
}

/** What the lock tells its server. */
export interface ServerLockEvents {
  /** The database answers late or not at all; maybe it is away. */
  readonly onDoubt: () => void;
  /** Another server holds the database: this one has to stop. Called once. */
  readonly onTaken: () => void;
}

/**
 * Holds the database for this server: a session lock that dies with its connection, so a crash frees it at once.
 * Several servers share it; it is shared by all or had by one, so the two kinds keep each other out.
 * When the connection is lost the lock is taken again; when another server has it by then, this one has to stop. A
 * heartbeat notices a connection that is dead without having ended, and one to a server that takes no writes any more:
 * a lock there keeps nobody out of the primary.
 */
export class ServerLock {
  private readonly name = `chatapi server ${randomUUID()}`;
  private client: GuardedClient | undefined;
  private timer: NodeJS.Timeout | undefined;
  private heartbeat: Interval | undefined;
  private stopped = false;
  private readonly isShared: boolean;
  private readonly slowMs: number;

  constructor(
    private readonly connection: DatabaseConnection,
    private readonly log: Log,
    private readonly events: ServerLockEvents,
    { isShared = false, slowMs = LEAST_DOUBT_MS }: ServerLockOptions = {},
  ) {
    this.isShared = isShared;
    this.slowMs = slowMs;
  }

  /** Takes the lock or refuses with one clear line. */
  async acquire(): Promise<void> {
    const until = performance.now() + PATIENCE_MS;
    for (let owner = await this.tryLock(); owner !== 'me'; owner = await this.tryLock()) {
      if (this.stopped) return;
      if (performance.now() > until) throw new DatabaseRefusal(this.refusal(owner));
      await new Promise((resolve) => setTimeout(resolve, PATIENCE_POLL_MS));
    }
    this.heartbeat = every(HEARTBEAT_MS, 'server lock', () => this.beat(), this.log);
  }

  private refusal(owner: Owner): string {
    if (this.isShared)
      return 'Another server runs without REDIS_URL on this database, which it has to itself. Stop it first, or give it the same REDIS_URL';
    if (owner === 'sharers')
      return 'Servers with REDIS_URL run on this database. Give this one the same REDIS_URL, or stop them first';
    return 'Another ChatAPI server runs on this database. Stop it first, or give both a REDIS_URL, or this one a database of its own';
  }

  /** Gives the lock back; also ends an attempt that is under way. Never rejects. */
  async release(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    const client = this.client;
    this.client = undefined;
    await client?.close();
    await this.heartbeat?.stop();
  }

  /** DATABASE_URL leads to another PostgreSQL now: the lock is taken there. */
  moveOn(): void {
    this.client?.destroy();
  }

  /**
   * Rejects when the database does not answer.
   * @param isAgain after a loss: only a primary will do. At a start it is said in one line why another one does not
   */
  private async tryLock(isAgain = false): Promise<Owner> {
    const client = await GuardedClient.open(this.connection, {
      applicationName: this.name,
      timeoutMs: BEATS * this.slowMs,
    });
    let owner: Owner;
    try {
      let ended = false;
      client.onEnd(() => {
        ended = true;
        if (this.client === client) this.lost();
      });
      await client.query(KEEPALIVE);
      if (isAgain) await refuseReadOnly(client);
      owner = await this.take(client);
      if (ended) throw new Error('the connection was lost while taking the lock');
      if (owner === 'me' && !this.stopped) {
        this.client = client;
        return owner;
      }
    } catch (error) {
      client.destroy();
      throw error;
    }
    await client.close();
    return owner === 'me' ? 'unclear' : owner;
  }

  private async take(client: GuardedClient): Promise<Owner> {
    const attempt = async (): Promise<boolean> => {
      const take = this.isShared ? 'pg_try_advisory_lock_shared' : 'pg_try_advisory_lock';
      const rows = await client.query<{ ok: boolean }>(`SELECT ${take}($1) AS ok`, [SERVER_LOCK]);
      return rows[0]?.ok === true;
    };
    if (await attempt()) return 'me';
    const [holder] = await client.query<Holder>(HOLDER, [SERVER_LOCK]);
    if (holder && holder.name !== this.name) {
      if (!holder.isShared) return 'another';
      if (!this.isShared) return 'sharers';
    }
    // After a network failure the session that we lost may live on over there: it is ours to end. One that hangs (on a
    // disk that does not answer, say) ends later, maybe between two of these questions.
    if (holder?.name === this.name) await client.query('SELECT pg_terminate_backend($1, 1000)', [holder.pid]);
    return (await attempt()) ? 'me' : 'unclear';
  }

  private lost(): void {
    this.client = undefined;
    this.events.onDoubt();
    this.retry();
  }

  private retry(): void {
    if (this.stopped) return;
    this.timer = setTimeout(() => {
      this.tryLock(true).then(
        (owner) => {
          if (owner === 'unclear') this.retry();
          if (owner === 'me' || owner === 'unclear' || this.stopped) return;
          this.log.error({}, 'another server has taken over this database; stopping');
          this.events.onTaken();
        },
        () => this.retry(),
      );
    }, RETRY_MS);
  }

  /** A beat that fails ends its connection, which is noticed as a loss. */
  private async beat(): Promise<void> {
    const slow = setTimeout(() => this.events.onDoubt(), this.slowMs);
    const { client } = this;
    try {
      if (client !== undefined) await refuseReadOnly(client);
    } catch {
      // Its end tells; that of one that has failed has come.
      client?.destroy();
    } finally {
      clearTimeout(slow);
    }
  }
}

async function refuseReadOnly(client: GuardedClient): Promise<void> {
  const [found] = await client.query<{ read_only: boolean }>(IS_READ_ONLY);
  if (found?.read_only === true) throw new Error('the server takes no writes');
}
