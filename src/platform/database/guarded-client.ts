import type { Socket } from 'node:net';
import { Client, type PoolClient, type QueryResultRow } from 'pg';
import { type DatabaseConnection, sessionSql, withSession } from './connection';

/** A server that has answered so far and is asked to say goodbye. */
const GOODBYE_MS = 1000;

/** The driver's socket: destroying it is the only way to end what waits on a frozen server. */
export function socketOf(client: Client | PoolClient): Socket {
  return (client as unknown as { connection: { stream: Socket } }).connection.stream;
}

export interface GuardOptions {
  readonly applicationName: string;
  /** For the connection and for each statement, in ms. */
  readonly timeoutMs: number;
}

/**
 * One connection outside of the pool whose every step has a deadline: a frozen PostgreSQL accepts connections and
 * never answers, and its own time-outs do not fire then.
 */
export class GuardedClient {
  private constructor(
    private readonly client: Client,
    private readonly timeoutMs: number,
  ) {}

  static async open(connection: DatabaseConnection, options: GuardOptions): Promise<GuardedClient> {
    const client = new Client({
      ...withSession(connection),
      application_name: options.applicationName,
      keepAlive: true,
      // A dead peer is noticed after some 20 s instead of hours.
      keepAliveInitialDelayMillis: 10_000,
    });
    // Without a listener a lost connection would end the process; what it means is the business of onLost.
    client.on('error', () => undefined);
    const guarded = new GuardedClient(client, options.timeoutMs);
    try {
      await guarded.bounded(client.connect());
      if (connection.isPooled === true) await guarded.query(sessionSql(connection));
    } catch (error) {
      socketOf(client).destroy();
      throw error;
    }
    return guarded;
  }

  /** @param timeoutMs a bound of this statement's own */
  async query<R extends QueryResultRow>(
    text: string,
    values: readonly unknown[] = [],
    timeoutMs = this.timeoutMs,
  ): Promise<R[]> {
    return (await this.bounded(this.client.query<R>(text, [...values]), timeoutMs)).rows;
  }

  /** The process that the server has named at the log-in; a pooler makes one up. */
  get processId(): number | null {
    return (this.client as unknown as { processID: number | null }).processID;
  }

  /** Called once when the connection has ended, however it did. */
  onEnd(listener: () => void): void {
    this.client.once('end', listener);
  }

  /** Never rejects, never waits long. */
  async close(): Promise<void> {
    const cut = setTimeout(() => socketOf(this.client).destroy(), Math.min(GOODBYE_MS, this.timeoutMs));
    await this.client.end().catch(() => undefined);
    clearTimeout(cut);
  }

  /** At once; whatever waits on the connection fails. */
  destroy(): void {
    socketOf(this.client).destroy();
  }

  private async bounded<T>(work: Promise<T>, timeoutMs = this.timeoutMs): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        reject(Object.assign(new Error(`PostgreSQL did not answer in ${timeoutMs} ms`), { code: 'ETIMEDOUT' }));
        this.destroy();
      }, timeoutMs);
    });
    try {
      return await Promise.race([work, late]);
    } finally {
      clearTimeout(timer);
    }
  }
}
