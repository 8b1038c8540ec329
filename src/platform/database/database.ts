import type { RoleNames } from './roles';
import type { Runner, Sql } from './runner';

/**
 * The way to a tenant's rows. Every call names itself (for logs and deadlines) and its tenant; row-level security
 * shows it that tenant's rows and no others, whatever the SQL says.
 */
export class Database {
  constructor(
    private readonly runner: Runner,
    private readonly roles: RoleNames,
  ) {}

  /** Several statements in one transaction. `work` may be run again after a deadlock: no effect outside of it. */
  transaction<T>(name: string, tenantId: string, work: (sql: Sql) => Promise<T>): Promise<T> {
    return this.runner.transaction(name, { role: this.roles.tenant, tenant: tenantId }, work);
  }

  /** One statement, one trip. */
  query<R extends object>(name: string, tenantId: string, text: string, values?: readonly unknown[]): Promise<R[]> {
    return this.runner.single<R>(name, { role: this.roles.tenant, tenant: tenantId }, text, values);
  }
}

/** The way past the tenants: key look-up, the append, jobs, purges, stats. Lint limits who imports it. */
export class SystemDatabase {
  constructor(
    private readonly runner: Runner,
    private readonly roles: RoleNames,
  ) {}

  /** Several statements in one transaction as the system role, with a deadline of their own if given. */
  transaction<T>(name: string, work: (sql: Sql) => Promise<T>, deadlineMs?: number): Promise<T> {
    return this.runner.transaction(name, { role: this.roles.system, tenant: '' }, work, deadlineMs);
  }

  /** One statement as the system role, in one trip. */
  query<R extends object>(name: string, text: string, values?: readonly unknown[]): Promise<R[]> {
    return this.runner.single<R>(name, { role: this.roles.system, tenant: '' }, text, values);
  }
}
