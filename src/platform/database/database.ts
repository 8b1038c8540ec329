import type { RoleNames } from './roles';
import type { Runner, RowScope, ScopedSession } from './runner';
import {
  type EntityClass,
  oneStatement,
  type ScopedSource,
  type StatementRepository,
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

  /** One statement, one trip. */
  query<R extends object>(name: string, tenantId: string, text: string, values?: readonly unknown[]): Promise<R[]> {
    return this.runner.single<R>(name, this.scope(tenantId), text, values);
  }

  private scope(tenant: string): RowScope {
    return { role: this.roles.tenant, tenant };
  }
}

/** The way past the tenants: key look-up, the append, jobs, purges, stats. Lint limits who imports it. */
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
