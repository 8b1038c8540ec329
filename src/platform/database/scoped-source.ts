/**
 * TypeORM inside of the Runner. Invariants (docs/adr/0026-repositories.md):
 *
 * - It has no connection of its own and can get none: its driver opens nothing, and the data source, its manager and
 *   whatever is reached from them refuse to make a query runner. So a statement without a scope is never sent.
 * - The only query runners are made by `scoped`, each for one call of Database or SystemDatabase. They send what is
 *   given to them through that call's connection, role, tenant and deadline, and end with it.
 * - Where a transaction begins and ends is the Runner's business alone: a BEGIN, COMMIT or SET of TypeORM's would take
 *   role and tenant away from what follows.
 */
import { DataSource, type EntityManager, getMetadataArgsStorage, QueryResult, type Repository } from 'typeorm';
import { PostgresDriver } from 'typeorm/driver/postgres/PostgresDriver';
import { PostgresQueryRunner } from 'typeorm/driver/postgres/PostgresQueryRunner';
import type { Runner, RowScope, ScopedSession, Sql } from './runner';

export type EntityClass<E extends object> = new () => E;

/** What a transaction's function works with: repositories, and SQL for what is hot (CONTRIBUTING says when which). */
export interface Transaction extends Sql {
  /**
   * TypeORM's repository, good until the function ends.
   * @param entity one that a module has registered with `TypeOrmModule.forFeature`
   */
  repository<E extends object>(entity: EntityClass<E>): Repository<E>;
}

/** A table, and the columns of its primary key. */
export interface TableKey {
  readonly table: string;
  /** With their types in SQL, e.g. `uuid`. */
  readonly columns: readonly { readonly name: string; readonly type: string }[];
}

/** What a repository can do in one statement. `save` and locks need a transaction, and are refused without one. */
export type StatementRepository<E extends object> = Pick<
  Repository<E>,
  | 'find'
  | 'findBy'
  | 'findOne'
  | 'findOneBy'
  | 'countBy'
  | 'existsBy'
  | 'insert'
  | 'update'
  | 'delete'
  | 'createQueryBuilder'
>;

/** Sends one statement where its scope is set. */
type Send = ScopedSession['send'];

/** What TypeORM writes for rows; all else (transactions, settings, DDL, TRUNCATE) is not a repository's business. */
const STATEMENT = /^\s*(select|insert|update|delete|with)\b/i;

/** A use of TypeORM that has left its scope; a fault of the code that it is thrown into. */
export class ScopeError extends Error {
  constructor(what: string) {
    super(`${what}: use a repository of Database or SystemDatabase, inside of its call`);
    this.name = 'ScopeError';
  }
}

/** Knows the entities; see above for what it refuses. */
export class ScopedSource extends DataSource {
  override readonly driver: ScopedDriver;

  constructor() {
    super({ type: 'postgres', logging: false });
    this.driver = new ScopedDriver(this);
  }

  override createQueryRunner(): never {
    throw new ScopeError('A statement without a tenant and a role');
  }

  /** Which table an entity has, and by which columns a row of it is found. */
  tableKey(entity: object): TableKey {
    const { tableName, primaryColumns } = this.getMetadata(entity as EntityClass<object>);
    return {
      table: tableName,
      columns: primaryColumns.map(({ databaseName, type }) => ({ name: databaseName, type: String(type) })),
    };
  }

  /**
   * A manager whose statements all go through `send`.
   * @param isTransaction false: each statement is committed by itself, so what needs several (`save`, locks) is refused
   */
  scoped(send: Send, isTransaction: boolean): { readonly manager: EntityManager; readonly end: () => void } {
    const runner = new ScopedQueryRunner(this.driver, send, isTransaction);
    return { manager: this.createEntityManager(runner), end: () => runner.end() };
  }
}

/** Runs `work` on an open transaction with repositories beside its SQL; they end with it. */
export async function withRepositories<T>(
  source: ScopedSource,
  session: ScopedSession,
  work: (tx: Transaction) => Promise<T>,
): Promise<T> {
  // Made when it is asked for: most transactions are SQL alone.
  let scoped: ReturnType<ScopedSource['scoped']> | undefined;
  try {
    return await work({
      query: session.query,
      repository: (entity) => (scoped ??= source.scoped(session.send, true)).manager.getRepository(entity),
    });
  } finally {
    scoped?.end();
  }
}

/** A repository that commits each statement; a call is named by what it does, e.g. `select presets`. */
export function oneStatement<E extends object>(
  source: ScopedSource,
  runner: Runner,
  scope: RowScope,
  entity: EntityClass<E>,
): StatementRepository<E> {
  const { tableName } = source.getMetadata(entity);
  const send: Send = (text, values) =>
    runner.unprepared(`${STATEMENT.exec(text)?.[1]?.toLowerCase() ?? ''} ${tableName}`, scope, text, values);
  return source.scoped(send, false).manager.getRepository(entity);
}

/** The name of an entity's table; undefined: it is no entity. */
export function tableOf(entity: object): string | undefined {
  return getMetadataArgsStorage().tables.find(({ target }) => target === entity)?.name;
}

/** PostgreSQL's types and SQL, without a connection. */
class ScopedDriver extends PostgresDriver {
  override connect(): Promise<void> {
    return Promise.resolve();
  }

  override afterConnect(): Promise<void> {
    return Promise.resolve();
  }

  override disconnect(): Promise<void> {
    return Promise.resolve();
  }

  override createQueryRunner(): never {
    throw new ScopeError('A query runner of the driver');
  }

  override obtainMasterConnection(): never {
    throw new ScopeError('A connection of the driver');
  }

  override obtainSlaveConnection(): never {
    throw new ScopeError('A connection of the driver');
  }
}

class ScopedQueryRunner extends PostgresQueryRunner {
  constructor(
    driver: ScopedDriver,
    private readonly send: Send,
    isTransaction: boolean,
  ) {
    super(driver, 'master');
    this.isTransactionActive = isTransaction;
  }

  /** From here on every use throws, also of what was made while it was open. */
  end(): void {
    this.isReleased = true;
  }

  override query(text: string, values: readonly unknown[] | undefined, isStructured: true): Promise<QueryResult>;
  override query(text: string, values?: readonly unknown[], isStructured?: boolean): Promise<unknown>;
  override async query(text: string, values: readonly unknown[] = [], isStructured = false): Promise<unknown> {
    if (this.isReleased) throw new ScopeError('A repository after the end of its transaction');
    if (!STATEMENT.test(text))
      throw new ScopeError(`Not a statement for rows (${text.trim().split(/\s/, 1)[0] ?? ''})`);
    const { rows, rowCount, command } = await this.send(text, values);
    const result = Object.assign(new QueryResult(), { records: rows, affected: rowCount ?? 0 });
    // As PostgresQueryRunner does, whose callers rely on it.
    result.raw = command === 'UPDATE' || command === 'DELETE' ? [rows, rowCount] : rows;
    return isStructured ? result : (result.raw as unknown);
  }

  override connect(): never {
    throw new ScopeError('The connection of a transaction');
  }

  override stream(): never {
    throw new ScopeError('A stream');
  }

  override release(): never {
    throw new ScopeError('Releasing the connection of a transaction');
  }

  override startTransaction(): never {
    throw new ScopeError('Several statements in one (begin a transaction of Database)');
  }

  override commitTransaction(): never {
    throw new ScopeError('A commit');
  }

  override rollbackTransaction(): never {
    throw new ScopeError('A rollback');
  }
}
