import type { PoolClient, QueryResult } from 'pg';
import type { Availability } from './availability';
import {
  DeadlineExceeded,
  type FailureReason,
  isConnectionLoss,
  isRetryable,
  isServerError,
  leadsToReadOnly,
  reasonOf,
  translate,
} from './errors';
import { corked, destroyClient, type OpenPool } from './pool';

/** What statements run as: a role, and the tenant whose rows it sees. */
export interface RowScope {
  readonly role: string;
  /** Dashed UUID; empty for the system role. */
  readonly tenant: string;
}

/** What a transaction's function works with. */
export interface Sql {
  readonly query: <R extends object>(text: string, values?: readonly unknown[]) => Promise<R[]>;
}

/** The same before the repositories come on top of it (scoped-source.ts). */
export interface ScopedSession extends Sql {
  /** Sends a text that is no constant of the code. */
  readonly send: (text: string, values: readonly unknown[]) => Promise<QueryResult>;
}

/** Said of a failed call: whether its write may have happened. */
type Effect = 'unknown' | 'none';

/** What is known of a call while it runs, for the moment when its deadline ends it. */
interface Progress {
  effect: Effect;
}

/** Told of every call that failed for a reason other than its own input. */
export type OnFailure = (reason: FailureReason, call: FailedCall) => void;

/** Which call failed, in ids: neither its text nor its values. */
export interface FailedCall {
  readonly name: string;
  /** Dashed UUID; empty for the system role. */
  readonly tenant: string;
  readonly error?: unknown;
}

/** One try of a call on one connection. */
type Attempt<T> = (client: PoolClient, progress: Progress) => Promise<T>;

/** Of the transaction: what comes behind it runs so. */
export const SET_SCOPE = `SELECT set_config('role', $1, true), set_config('app.tenant', $2, true)`;
const ATTEMPTS = 3;

/**
 * Runs statements in a scope. Rules that hold for every call: role and tenant are set inside the transaction;
 * one deadline ends the whole call (waiting for a connection and repetitions included), also when PostgreSQL is
 * frozen; COMMIT counts only when the server says COMMIT; a connection in doubt is destroyed, never pooled, like one to a
 * server that takes no writes; serialization failures and deadlocks run the whole again.
 */
export class Runner {
  private readonly statements = new Statements();

  constructor(
    private readonly pool: Pick<OpenPool, 'connect'>,
    private readonly availability: Availability,
    private readonly deadlineMs: number,
    private readonly onFailure: OnFailure = () => undefined,
  ) {}

  /** A transaction of several statements; `work` may run again and so must have no effect outside. */
  async transaction<T>(
    name: string,
    scope: RowScope,
    work: (session: ScopedSession) => Promise<T>,
    deadlineMs = this.deadlineMs,
  ): Promise<T> {
    return this.withRetries({ name, tenant: scope.tenant }, deadlineMs, async (client, progress) => {
      const session = this.session(client, name);
      // `async`: what throws before its first await must not leave the frame's promises without a reader.
      const run = async (): Promise<T> => work(session).finally(session.end);
      const sent = corked(client, () => [...this.open(client, scope, 'BEGIN'), run()] as const);
      try {
        await settled(sent);
        progress.effect = 'unknown';
        await commit(client);
        return await (sent[2] as Promise<T>);
      } catch (error) {
        const effect = isRefused(error) ? 'none' : progress.effect;
        throw new Failed(error, effect, await rolledBack(client, error));
      }
    });
  }

  /** One statement in a transaction of its own, in one trip. */
  async single<R extends object>(
    name: string,
    scope: RowScope,
    text: string,
    values?: readonly unknown[],
  ): Promise<R[]> {
    return (await this.statement(name, scope, this.statements.of(text), values)).rows as R[];
  }

  /** The same for a text that is no constant of the code. */
  unprepared(name: string, scope: RowScope, text: string, values: readonly unknown[]): Promise<QueryResult> {
    return this.statement(name, scope, unprepared(text), values);
  }

  private statement(
    name: string,
    scope: RowScope,
    statement: Statement,
    values?: readonly unknown[],
  ): Promise<QueryResult> {
    return this.withRetries({ name, tenant: scope.tenant }, this.deadlineMs, async (client, progress) => {
      // The whole frame leaves at once: from here on only the server knows how far it got.
      progress.effect = statement.mayWrite ? 'unknown' : 'none';
      const sent = corked(client, () => [
        ...this.open(client, scope, beginFor(statement)),
        this.send(client, statement, values),
        commit(client),
      ]);
      try {
        const results = await settled(sent);
        return results[2] as QueryResult;
      } catch (error) {
        // An answer of the server to a statement means that COMMIT, which stands behind it, had nothing to commit.
        const refused = isRefused(error) || (isServerError(error) && !(await fails(sent[3], error)));
        throw new Failed(error, refused ? 'none' : progress.effect, !isUnfit(error));
      }
    });
  }

  /** What is used after its end would run in whatever scope the connection has by then. */
  private session(client: PoolClient, name: string): ScopedSession & { readonly end: () => void } {
    let isOver = false;
    const send = async (statement: Statement, values?: readonly unknown[]): Promise<QueryResult> => {
      if (isOver) throw new Error(`A statement after the end of its transaction (${name})`);
      return this.send(client, statement, values);
    };
    return {
      query: async (text, values) => (await send(this.statements.of(text), values)).rows as never,
      send: (text, values) => send(unprepared(text), values),
      end: () => void (isOver = true),
    };
  }

  private open(client: PoolClient, scope: RowScope, begin: string): Promise<unknown>[] {
    return [client.query(begin), this.send(client, this.statements.of(SET_SCOPE), [scope.role, scope.tenant])];
  }

  private send(client: PoolClient, { name, text }: Statement, values: readonly unknown[] = []): Promise<QueryResult> {
    // One text is one statement, also where it is not prepared and has no values.
    const query = { ...(name === undefined ? {} : { name }), text, values: values as unknown[], queryMode: 'extended' };
    return client.query(query);
  }

  private async withRetries<T>(call: FailedCall, deadlineMs: number, attempt: Attempt<T>): Promise<T> {
    const until = performance.now() + deadlineMs;
    for (let n = 1; ; n++) {
      if (!this.availability.up) this.onFailure('away', call);
      this.availability.check();
      try {
        return await this.attempt(() => new DeadlineExceeded(call.name, deadlineMs), until, attempt);
      } catch (error) {
        const failed = error instanceof Failed ? error : new Failed(error, 'none', true);
        if (n < ATTEMPTS && isRetryable(failed.reason) && performance.now() < until) continue;
        const reason = reasonOf(failed.reason);
        if (reason !== undefined) this.onFailure(reason, { ...call, error: failed.reason });
        if (reason === 'storage') this.availability.storageFull();
        if (reason === 'connection' || reason === 'deadline' || leadsToReadOnly(failed.reason))
          this.availability.suspect();
        throw translate(failed.reason, failed.effect, this.availability.full && reason !== 'conflict');
      }
    }
  }

  private async attempt<T>(late: () => DeadlineExceeded, until: number, run: Attempt<T>): Promise<T> {
    const progress: Progress = { effect: 'none' };
    const deadline = new Deadline(until, () => new Failed(late(), progress.effect, false));
    try {
      const connecting = this.pool.connect(until);
      const client = await deadline.race(connecting, () => void connecting.then(giveBack, () => undefined));
      let isOurs = true;
      try {
        const result = await deadline.race(run(client, progress), () => {
          isOurs = false;
          destroyClient(client);
        });
        client.release();
        return result;
      } catch (error) {
        if (isOurs && error instanceof Failed && error.clean) client.release();
        else if (isOurs) destroyClient(client);
        throw error;
      }
    } finally {
      deadline.clear();
    }
  }
}

/** Why a call failed, whether its effect may have happened, and whether the connection is fit for the next one. */
class Failed extends Error {
  constructor(
    readonly reason: unknown,
    readonly effect: Effect,
    readonly clean: boolean,
  ) {
    super('database call failed');
  }
}

/** COMMIT was answered, with a rollback. */
class NotCommitted extends Error {}

/** One moment after which whatever is being waited for is given up. */
class Deadline {
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly until: number,
    private readonly failure: () => Error,
  ) {}

  /** `giveUp` is called at the deadline; the promise's own outcome is then ignored. */
  race<T>(promise: Promise<T>, giveUp: () => void): Promise<T> {
    this.clear();
    const expired = new Promise<never>((_, reject) => {
      this.timer = setTimeout(
        () => {
          reject(this.failure());
          giveUp();
        },
        Math.max(0, this.until - performance.now()),
      );
    });
    return Promise.race([promise, expired]);
  }

  clear(): void {
    clearTimeout(this.timer);
  }
}

function giveBack(client: PoolClient): void {
  client.release();
}

/** The server has said that the transaction is rolled back. */
function isRefused(error: unknown): boolean {
  return error instanceof NotCommitted || (isServerError(error) && !isConnectionLoss(error));
}

/** Waits for all, so that nothing is in flight when the connection goes back; throws the first failure in order. */
async function settled(promises: readonly Promise<unknown>[]): Promise<unknown[]> {
  const results = await Promise.allSettled(promises);
  return results.map((r) => {
    if (r.status === 'rejected') throw r.reason;
    return r.value;
  });
}

async function fails(promise: Promise<unknown> | undefined, reason: unknown): Promise<boolean> {
  try {
    await promise;
    return false;
  } catch (error) {
    return error === reason;
  }
}

async function commit(client: PoolClient): Promise<void> {
  const { command } = await client.query('COMMIT');
  if (command !== 'COMMIT') throw new NotCommitted(`COMMIT was answered with ${command}`);
}

/** Of no use for another call. */
function isUnfit(error: unknown): boolean {
  return isConnectionLoss(error) || leadsToReadOnly(error);
}

/** Whether the connection is fit for the next call. */
async function rolledBack(client: PoolClient, error: unknown): Promise<boolean> {
  if (isUnfit(error)) return false;
  try {
    await client.query('ROLLBACK');
    return true;
  } catch {
    return false;
  }
}

/** A statement, under the name that it is prepared with. */
interface Statement {
  /** undefined: not prepared. */
  readonly name: string | undefined;
  readonly text: string;
  /** false only where it surely writes nothing; such a statement is sent in a read-only transaction, as a proof. */
  readonly mayWrite: boolean;
}

const WRITES = /\b(insert|update|delete|merge|share|nextval|set_config)\b/i;

/** Rows of tables alone. A function of the schema, called in place of a table or as the first column, may write. */
const READS = /^\s*(?:select|with)\b(?!\s+\w+\s*\()[^]*\bfrom\s+(?:unnest|"\w+"|\w+\b(?!\s*\())/i;

const CALLS_FUNCTION_AS_TABLE = /\b(?:from|join|lateral)\s+(?!(?:unnest|lateral)\b)\w+\s*\(/i;

/** Remembers every text; the texts are constants of the code, so the map stays small. */
export class Statements {
  private readonly known = new Map<string, Statement>();

  of(text: string): Statement {
    let statement = this.known.get(text);
    if (!statement) {
      statement = { name: `s${this.known.size}`, text, mayWrite: mayWrite(text) };
      this.known.set(text, statement);
    }
    return statement;
  }
}

/** One whose text TypeORM makes: as many texts as there are shapes of calls, so none is kept, here or by PostgreSQL. */
function unprepared(text: string): Statement {
  return { name: undefined, text, mayWrite: mayWrite(text) };
}

export function beginFor(statement: Statement): string {
  return statement.mayWrite ? 'BEGIN' : 'BEGIN READ ONLY';
}

function mayWrite(text: string): boolean {
  return WRITES.test(text) || !READS.test(text) || CALLS_FUNCTION_AS_TABLE.test(text);
}
