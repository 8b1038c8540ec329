import { Socket } from 'node:net';
import { Client, type QueryResultRow } from 'pg';
import { withSession } from '../connection';

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
