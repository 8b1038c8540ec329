import type { Availability } from './availability';
import { type DatabaseConnection, sessionSql } from './connection';
import { translate } from './errors';
import { GuardedClient, TYPES } from './pool';
import type { RoleNames } from './roles';
import type { Sql } from './runner';

/** Rows that are asked for at once: of the longest messages some 5 MB. */
const PAGE = 100;
/** For one answer of PostgreSQL: it may have to pass over everything that a tenant has to find one row. */
const ANSWER_MS = 600_000;
const CONNECT_MS = 10_000;
/** What reads may wait for a disk between two pages; by default a transaction that is idle ends sooner. */
const IDLE = '10min';

/** One moment of a tenant's rows, whatever others write meanwhile. Good until the function that it was given to ends. */
export interface Snapshot extends Sql {
  /** UUID. */
  readonly tenantId: string;
  /** The moment, by the database's clock. */
  readonly at: Date;
  /**
   * The rows of a query, 100 at a time: what is not asked for stays in the database. Several may be read in turns.
   * @param text a SELECT that is a constant of the code
   */
  readonly pages: <R extends object>(text: string, values?: readonly unknown[]) => AsyncGenerator<readonly R[]>;
}

/**
 * Long reads of one tenant at one moment, on connections outside of the pool: REPEATABLE READ, read-only, as the tenant
 * role with `app.tenant`, so row-level security holds as everywhere. While one is open VACUUM keeps what was deleted
 * since its moment (docs/adr/0024 accepts that of backups): callers bound how many there are and how long they take.
 */
export class TenantSnapshots {
  constructor(
    private readonly connection: DatabaseConnection,
    private readonly roles: RoleNames,
    private readonly availability: Availability,
  ) {}

  /**
   * Opens one for `work`. The signal ends it at once, whatever it waits for.
   * @param tenantId UUID
   * @throws what `work` throws, an AbortError, 503
   */
  async take<T>(tenantId: string, signal: AbortSignal, work: (snapshot: Snapshot) => Promise<T>): Promise<T> {
    signal.throwIfAborted();
    this.availability.check();
    let client: GuardedClient | undefined;
    const cut = (): void => client?.destroy();
    signal.addEventListener('abort', cut, { once: true });
    try {
      client = await GuardedClient.open(this.connection, {
        applicationName: 'chatapi snapshot',
        timeoutMs: CONNECT_MS,
        types: TYPES,
      });
      signal.throwIfAborted();
      return await work(await this.begin(client, tenantId));
    } catch (error) {
      signal.throwIfAborted();
      const told = translate(error, 'none');
      if (told !== error) this.availability.suspect();
      throw told;
    } finally {
      signal.removeEventListener('abort', cut);
      await client?.close();
    }
  }

  private async begin(client: GuardedClient, tenantId: string): Promise<Snapshot> {
    await client.query(sessionSql(this.connection));
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    // The first statement makes the snapshot.
    const [moment] = await client.query<{ at: Date }>(
      `SELECT set_config('role', $1, true), set_config('app.tenant', $2, true),
         set_config('idle_in_transaction_session_timeout', $3, true), clock_timestamp()::timestamptz(3) AS at`,
      [this.roles.tenant, tenantId, IDLE],
    );
    if (moment === undefined) throw new Error('the snapshot has no moment');
    let cursors = 0;
    return {
      tenantId,
      at: moment.at,
      query: (text, values) => client.query(text, values, ANSWER_MS) as Promise<never>,
      pages: (text, values) => pagesOf(client, `page_${cursors++}`, text, values),
    };
  }
}

async function* pagesOf<R extends object>(
  client: GuardedClient,
  cursor: string,
  text: string,
  values: readonly unknown[] = [],
): AsyncGenerator<readonly R[]> {
  await client.query(`DECLARE ${cursor} NO SCROLL CURSOR FOR ${text}`, values, ANSWER_MS);
  for (let isWhole = true; isWhole;) {
    const rows = await client.query<R & Record<string, unknown>>(`FETCH ${PAGE} FROM ${cursor}`, [], ANSWER_MS);
    isWhole = rows.length === PAGE;
    if (rows.length > 0) yield rows;
  }
  // Who stops in the middle ends the transaction.
  await client.query(`CLOSE ${cursor}`);
}
