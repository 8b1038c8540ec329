import type { RoleNames } from './roles';
import { type RowScope, type Runner, type ScopedSession, SET_SCOPE, type Sql } from './runner';
import {
  type EntityClass,
  oneStatement,
  type ScopedSource,
  type StatementRepository,
  type TableKey,
  type Transaction,
  withRepositories,
} from './scoped-source';

/**
 * The way to a tenant's rows. Every call names itself (for logs and deadlines) and its tenant; row-level security
 * shows it that tenant's rows and no others, whatever the SQL says.
 */
export class Database {
  constructor(
    private readonly runner: Runner,
    private readonly roles: RoleNames,
    private readonly source: ScopedSource,
  ) {}

  /** Several statements in one transaction. `work` may be run again after a deadlock: no effect outside of it. */
  transaction<T>(name: string, tenantId: string, work: (tx: Transaction) => Promise<T>): Promise<T> {
    return this.runner.transaction(name, this.scope(tenantId), (session) =>
      withRepositories(this.source, session, work),
    );
  }

  /** Each of its calls is one statement, in one trip and a transaction of its own. */
  repository<E extends object>(entity: EntityClass<E>, tenantId: string): StatementRepository<E> {
    return oneStatement(this.source, this.runner, this.scope(tenantId), entity);
  }

  /** @param entity one that a module has registered with `TypeOrmModule.forFeature` */
  tableKey(entity: object): TableKey {
    return this.source.tableKey(entity);
  }

  /** One statement, one trip. */
  query<R extends object>(name: string, tenantId: string, text: string, values?: readonly unknown[]): Promise<R[]> {
    return this.runner.single<R>(name, this.scope(tenantId), text, values);
  }

  private scope(tenant: string): RowScope {
    return { role: this.roles.tenant, tenant };
  }
}

/** The way past the tenants: key look-up, the append, jobs, purges, stats. Lint limits which files import it. */
export class SystemDatabase {
  constructor(
    private readonly runner: Runner,
    private readonly roles: RoleNames,
    private readonly source: ScopedSource,
  ) {}

  /** Several statements in one transaction as the system role, with a deadline of their own if given. */
  transaction<T>(name: string, work: (tx: Transaction) => Promise<T>, deadlineMs?: number): Promise<T> {
    const run = (session: ScopedSession): Promise<T> => withRepositories(this.source, session, work);
    return this.runner.transaction(name, this.scope, run, deadlineMs);
  }

  /**
   * A part of such a transaction that is one tenant's: it runs as the tenant role and sees that tenant's rows, of all tables.
   * What stands behind it is the system role's again.
   */
  async ofTenant<T>(tx: Sql, tenantId: string, work: () => Promise<T>): Promise<T> {
    await tx.query(SET_SCOPE, [this.roles.tenant, tenantId]);
    const result = await work();
    await tx.query(SET_SCOPE, [this.roles.system, '']);
    return result;
  }

  /** Each of its calls is one statement, in one trip and a transaction of its own. */
  repository<E extends object>(entity: EntityClass<E>): StatementRepository<E> {
    return oneStatement(this.source, this.runner, this.scope, entity);
  }

  /** One statement as the system role, in one trip. */
  query<R extends object>(name: string, text: string, values?: readonly unknown[]): Promise<R[]> {
    return this.runner.single<R>(name, this.scope, text, values);
  }

  private get scope(): RowScope {
    return { role: this.roles.system, tenant: '' };
  }
}

const BATCH = 5000;

/**
 * Deletes the rows whose `expires_at` has passed, in batches, and returns how many.
 * @param table a constant of the code, never input
 * @param keptSeconds how long a row stays after it has expired
 */
export async function purgeExpired(
  system: SystemDatabase,
  name: string,
  table: 'idempotency_keys' | 'ws_tickets',
  keptSeconds = 0,
): Promise<number> {
  let total = 0;
  for (let n = BATCH; n === BATCH; total += n) {
    const rows = await system.query<{ n: number }>(
      name,
      `WITH gone AS (DELETE FROM ${table} WHERE ctid IN (
         SELECT ctid FROM ${table} WHERE expires_at < clock_timestamp() - make_interval(secs => ${keptSeconds})
         LIMIT ${BATCH}) RETURNING 1)
       SELECT count(*)::int AS n FROM gone`,
    );
    n = rows[0]?.n ?? 0;
  }
  return total;
}
