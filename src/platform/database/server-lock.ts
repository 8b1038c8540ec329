import { Client, type ClientConfig } from 'pg';
import type { Log } from '../logging';
import { DatabaseRefusal } from './refusal';

/** Advisory lock of the one server that may run on a database. */
const SERVER_LOCK = 4_711_002;
const RETRY_MS = 500;

/**
 * Holds the database for this server: a session lock that dies with its connection, so a crash frees it at once.
 * When the connection is lost the lock is taken again; when another server has it by then, `onLost` is called and
 * this server has to stop.
 */
export class ServerLock {
  private client: Client | undefined;
  private timer: NodeJS.Timeout | undefined;
  private stopped = false;

  constructor(
    private readonly connection: ClientConfig,
    private readonly log: Log,
    private readonly onLost: () => void,
  ) {}

  /** Takes the lock or refuses with one clear line. */
  async acquire(): Promise<void> {
    if (!(await this.tryLock()))
      throw new DatabaseRefusal(
        'Another ChatAPI server runs on this database. Stop it first, or give this one a database of its own',
      );
  }

  async release(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    const client = this.client;
    this.client = undefined;
    await client?.end().catch(() => undefined);
  }

  private async tryLock(): Promise<boolean> {
    const client = new Client({ ...this.connection, connectionTimeoutMillis: 5000, keepAlive: true });
    let ended = false;
    client.on('error', () => undefined);
    client.on('end', () => {
      ended = true;
      if (this.client === client) this.retry();
    });
    await client.connect();
    const { rows } = await client.query<{ ok: boolean }>('SELECT pg_try_advisory_lock($1) AS ok', [SERVER_LOCK]);
    if (ended) throw new Error('the connection was lost while taking the lock');
    if (!rows[0]?.ok || this.stopped) {
      await client.end().catch(() => undefined);
      return false;
    }
    this.client = client;
    return true;
  }

  private retry(): void {
    this.client = undefined;
    if (this.stopped) return;
    this.timer = setTimeout(() => {
      this.tryLock().then(
        (mine) => {
          if (mine || this.stopped) return;
          this.log.error({}, 'another server has taken over this database; stopping');
          this.onLost();
        },
        () => this.retry(),
      );
    }, RETRY_MS);
  }
}
