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

  /**
   * Calls one of the schema's functions that returns jsonb, in one trip.
   * @param fn name of the function, a constant of the code
   */
  async call<R>(name: string, tenantId: string, fn: string, values: readonly unknown[]): Promise<R> {
    const rows = await this.query<{ result: R }>(
      name,
      tenantId,
      `SELECT ${callText(fn, values.length)} AS result`,
      values,
    );
    const first = rows[0];
    if (!first) throw new Error(`${fn} returned no row`);
    return first.result;
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

/** `fn($1,$2,…)`, numbered from `first`. */
export function callText(fn: string, count: number, first = 1): string {
  return `${fn}(${Array.from({ length: count }, (_, i) => `$${first + i}`).join(', ')})`;
}
