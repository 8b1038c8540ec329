import { setTimeout as pause } from 'node:timers/promises';
import type { Log } from '../logging';
import type { DatabaseConnection } from './connection';
import { codeOf, isOutOfConnections } from './errors';
import { GuardedClient } from './pool';
import { KEEPALIVE } from './server-lock';

/** Advisory locks of our own, beside those of the migrator (4711001) and of the server (4711002). */
const LOCKS = { 'first start': 4_711_003 } as const;

const CONNECT_MS = 10_000;
const AGAIN_MS = 100;

type SessionLock = keyof typeof LOCKS;

/** A lock that this server has. */
interface HeldLock {
  /** Never rejects; a further call does nothing. */
  release(): Promise<void>;
}

/**
 * Locks between the servers on one database, for work of many transactions that one of them is to do. Each is held by a
 * session that is opened for it, so that of a server that dies it is free at once. What was begun under a lock has to bear
 * that its session is lost meanwhile, and that another server begins it too.
 */
export class SessionLocks {
  private readonly held = new Set<GuardedClient>();

  constructor(
    private readonly connection: DatabaseConnection,
    private readonly log: Log,
  ) {}

  /**
   * Waits until no other server has it, at most `patienceMs`. undefined: one has it still. Rejects when the database does
   * not answer, and when it has no connection to spare for so long.
   */
  async take(lock: SessionLock, patienceMs: number): Promise<HeldLock | undefined> {
    const until = performance.now() + patienceMs;
    const client = await this.open(lock, until);
    this.held.add(client);
    const release = async (): Promise<void> => {
      if (this.held.delete(client)) await client.close();
    };
    try {
      await client.query(KEEPALIVE);
      await client.query('SELECT pg_advisory_lock($1)', [LOCKS[lock]], Math.max(1, until - performance.now()));
      return { release };
    } catch (error) {
      await release();
      if (codeOf(error) !== 'ETIMEDOUT') throw error;
      this.log.warn({ lock, waited_ms: patienceMs }, 'another server has the lock for long; going on without it');
      return undefined;
    }
  }

  /** Also ends attempts that are under way. */
  async releaseAll(): Promise<void> {
    const all = [...this.held];
    this.held.clear();
    await Promise.all(all.map((client) => client.close()));
  }

  private async open(lock: SessionLock, until: number): Promise<GuardedClient> {
    for (;;) {
      try {
        const options = { applicationName: `chatapi ${lock}`, timeoutMs: CONNECT_MS };
        return await GuardedClient.open(this.connection, options);
      } catch (error) {
        // The pool gives those back that it does not need.
        if (!isOutOfConnections(error) || performance.now() > until) throw error;
        await pause(AGAIN_MS);
      }
    }
  }
}
