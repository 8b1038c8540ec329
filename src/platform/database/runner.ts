import type { Pool, PoolClient, QueryResult, QueryResultRow } from 'pg';
import type { Availability } from './availability';
import { DeadlineExceeded, isConnectionLoss, isRetryable, translate } from './errors';
import { corked, destroyClient } from './pool';

/** Whom statements run as: a role, and the tenant whose rows it sees. */
export interface Scope {
  readonly role: string;
  /** Dashed UUID; empty for the system role. */
  readonly tenant: string;
}

/** What a transaction's function works with. */
export interface Sql {
  query<R extends QueryResultRow>(text: string, values?: readonly unknown[]): Promise<R[]>;
}

const SET_SCOPE = `SELECT set_config('role', $1, true), set_config('app.tenant', $2, true)`;
const ATTEMPTS = 3;

/**
 * Runs statements in a scope. Rules that hold for every call: role and tenant are set inside the transaction;
 * a deadline of its own ends it even when PostgreSQL is frozen; COMMIT counts only when the server says COMMIT;
 * a connection in doubt is destroyed, never pooled; serialization failures and deadlocks run the whole again.
 */
export class Runner {
  private readonly names = new Map<string, string>();

  constructor(
    private readonly pool: Pool,
    private readonly availability: Availability,
    private readonly deadlineMs: number,
  ) {}

  /** A transaction of several statements; `work` may run again and so must have no effect outside. */
  async transaction<T>(
    name: string,
    scope: Scope,
    work: (sql: Sql) => Promise<T>,
    deadlineMs = this.deadlineMs,
  ): Promise<T> {
    return this.withRetries(name, deadlineMs, async (client) => {
      let committing = false;
      try {
        const sql: Sql = { query: async (text, values) => (await this.send(client, text, values)).rows as never };
        const [result] = await settled([...corked(client, () => [...this.open(client, scope), work(sql)])].reverse());
        committing = true;
        await commit(client);
        return result as T;
      } catch (error) {
        throw new Failed(error, committing ? 'unknown' : 'none', await rolledBack(client, error));
      }
    });
  }

  /** One statement in a transaction of its own, in one trip. */
  async single<R extends QueryResultRow>(
    name: string,
    scope: Scope,
    text: string,
    values?: readonly unknown[],
  ): Promise<R[]> {
    return this.withRetries(name, this.deadlineMs, async (client) => {
      const sent = corked(client, () => [...this.open(client, scope), this.send(client, text, values), commit(client)]);
      try {
        const results = await settled(sent);
        return (results[2] as QueryResult<R>).rows;
      } catch (error) {
        throw new Failed(error, 'unknown', !isConnectionLoss(error));
      }
    });
  }

  private open(client: PoolClient, scope: Scope): Promise<unknown>[] {
    return [client.query('BEGIN'), this.send(client, SET_SCOPE, [scope.role, scope.tenant])];
  }

  /** Sends a statement under a prepared name; the texts are constants of the code, so the map stays small. */
  private send(client: PoolClient, text: string, values: readonly unknown[] = []): Promise<QueryResult> {
    let name = this.names.get(text);
    if (name === undefined) this.names.set(text, (name = `s${this.names.size}`));
    return client.query({ name, text, values: values as unknown[] });
  }

  private async withRetries<T>(
    name: string,
    deadlineMs: number,
    attempt: (client: PoolClient) => Promise<T>,
  ): Promise<T> {
    for (let n = 1; ; n++) {
      try {
        return await this.attempt(name, deadlineMs, attempt);
      } catch (error) {
        const failed = error instanceof Failed ? error : new Failed(error, 'none', true);
        if (n < ATTEMPTS && isRetryable(failed.reason)) continue;
        if (isConnectionLoss(failed.reason) || failed.reason instanceof DeadlineExceeded) this.availability.suspect();
        throw translate(failed.reason, failed.outcome);
      }
    }
  }

  private async attempt<T>(name: string, deadlineMs: number, run: (client: PoolClient) => Promise<T>): Promise<T> {
    this.availability.check();
    const client = await this.pool.connect();
    let timer: NodeJS.Timeout | undefined;
    let released = false;
    const expired = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        released = true;
        reject(new Failed(new DeadlineExceeded(name, deadlineMs), 'unknown', false));
        destroyClient(client);
      }, deadlineMs);
    });
    try {
      const result = await Promise.race([run(client), expired]);
      client.release();
      return result;
    } catch (error) {
      if (!released) {
        if (error instanceof Failed && error.clean) client.release();
        else destroyClient(client);
      }
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }
}

/** Why a call failed, whether its effect may have happened, and whether the connection is fit for the next one. */
class Failed extends Error {
  constructor(
    readonly reason: unknown,
    readonly outcome: 'unknown' | 'none',
    readonly clean: boolean,
  ) {
    super('database call failed');
  }
}

/** Waits for all, so that nothing is in flight when the connection goes back; throws the first failure in order. */
async function settled(promises: readonly Promise<unknown>[]): Promise<unknown[]> {
  const results = await Promise.allSettled(promises);
  return results.map((r) => {
    if (r.status === 'rejected') throw r.reason;
    return r.value;
  });
}

async function commit(client: PoolClient): Promise<void> {
  const { command } = await client.query('COMMIT');
  if (command !== 'COMMIT') throw new Error(`COMMIT was answered with ${command}`);
}

async function rolledBack(client: PoolClient, error: unknown): Promise<boolean> {
  if (isConnectionLoss(error)) return false;
  try {
    await client.query('ROLLBACK');
    return true;
  } catch {
    return false;
  }
}
