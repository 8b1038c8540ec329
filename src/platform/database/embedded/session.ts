import { Socket } from 'node:net';
import { Client, type QueryResultRow } from 'pg';
import { withSession } from '../connection';
import { errorCode } from './errors';
import { SOCKET_PORT } from './layout';

export interface ConnectionParameters {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly database: string;
}

export interface SessionOptions {
  readonly applicationName: string;
  readonly timeoutMs: number;
}

/**
 * One connection whose every step has a deadline. A frozen postgres accepts connections and never answers, and a
 * statement_timeout does not fire then: the socket is ours, and destroying it ends whatever waits on it.
 */
export class Session {
  private constructor(
    private readonly client: Client,
    private readonly socket: Socket,
    private readonly timeoutMs: number,
  ) {}

  static async open(parameters: ConnectionParameters, options: SessionOptions): Promise<Session> {
    const socket = new Socket();
    const client = new Client({
      ...withSession(parameters),
      application_name: options.applicationName,
      stream: () => socket,
    });
    // Without a listener a lost connection would end the process; what it means is the business of onLost.
    client.on('error', () => undefined);
    const session = new Session(client, socket, options.timeoutMs);
    try {
      await session.bounded(client.connect());
    } catch (error) {
      socket.destroy();
      throw error;
    }
    return session;
  }

  async query<Row extends QueryResultRow>(sql: string, values: readonly unknown[] = []): Promise<Row[]> {
    const result = await this.bounded(this.client.query<Row>(sql, [...values]));
    return result.rows;
  }

  onLost(listener: () => void): void {
    this.client.once('end', listener);
  }

  /** A held session must not keep the process alive. */
  unref(): void {
    this.socket.unref();
  }

  async close(): Promise<void> {
    try {
      await this.bounded(this.client.end());
    } catch {
      this.socket.destroy();
    }
  }

  private async bounded<T>(work: Promise<T>): Promise<T> {
    const { promise: late, reject } = deferredRejection();
    const timer = setTimeout(() => {
      this.socket.destroy();
      reject(new Error(`PostgreSQL did not answer within ${this.timeoutMs} ms`));
    }, this.timeoutMs);
    try {
      return await Promise.race([work, late]);
    } finally {
      clearTimeout(timer);
      // The loser of the race may still reject.
      work.catch(() => undefined);
    }
  }
}

function deferredRejection(): { promise: Promise<never>; reject: (error: Error) => void } {
  let reject: (error: Error) => void = () => undefined;
  const promise = new Promise<never>((_resolve, rejectPromise) => (reject = rejectPromise));
  return { promise, reject };
}

/** The role and the database of the application have one name. */
export const APPLICATION = 'chatapi';
export const SUPERUSER = 'postgres';

/** Row-level security is worth something only while no role at run time stands above it. */
const ATTRIBUTES = 'login createrole inherit nosuperuser nocreatedb nobypassrls noreplication';
const AS_WANTED = `rolcanlogin and rolcreaterole and rolinherit and not rolsuper and not rolcreatedb
  and not rolbypassrls and not rolreplication`;

/** duplicate_object, duplicate_database, unique_violation: a concurrent start was faster. */
const ALREADY_THERE = new Set(['42710', '42P04', '23505']);

export function parametersFor(socketDir: string, user: string, database: string): ConnectionParameters {
  return { host: socketDir, port: SOCKET_PORT, user, database };
}

/** Idempotent, run at every start: a crash between any two of its steps is repaired by the next one. */
export async function provision(socketDir: string): Promise<void> {
  const session = await Session.open(parametersFor(socketDir, SUPERUSER, 'postgres'), {
    applicationName: 'ChatAPI set-up',
    timeoutMs: 60_000,
  });
  try {
    await ensureRole(session);
    await ensureDatabase(session);
  } finally {
    await session.close();
  }
}

async function ensureRole(session: Session): Promise<void> {
  const [role] = await session.query<{ ok: boolean }>(`select ${AS_WANTED} as ok from pg_roles where rolname = $1`, [
    APPLICATION,
  ]);
  if (!role) await unlessThere(session.query(`create role ${APPLICATION} ${ATTRIBUTES}`));
  else if (!role.ok) await session.query(`alter role ${APPLICATION} ${ATTRIBUTES}`);
}

async function ensureDatabase(session: Session): Promise<void> {
  const [database] = await session.query<{ owner: string }>(
    'select pg_get_userbyid(datdba) as owner from pg_database where datname = $1',
    [APPLICATION],
  );
  if (!database) {
    // template0: nothing that an operator added to template1, and no connection to it can block this.
    await unlessThere(session.query(`create database ${APPLICATION} owner ${APPLICATION} template template0`));
  } else if (database.owner !== APPLICATION) {
    await session.query(`alter database ${APPLICATION} owner to ${APPLICATION}`);
  }
}

async function unlessThere(statement: Promise<unknown>): Promise<void> {
  await statement.catch((error: unknown) => {
    if (!ALREADY_THERE.has(errorCode(error) ?? '')) throw error;
  });
}
