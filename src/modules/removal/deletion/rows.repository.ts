import { Injectable } from '@nestjs/common';
import { Database, type Sql, type TableKey } from '../../../platform/database';
import { NEVER, tableData, type TableDeclaration } from '../../../platform/tenant-data';
import { type DeletionRef, tenantDeletionProceed } from './deletion.functions';

/** Rows that go in one transaction. */
export const ROWS_AT_ONCE = 500;

/** What stands before every value of a type, in a key. */
const LEAST: Readonly<Record<string, string>> = {
  uuid: '00000000-0000-0000-0000-000000000000',
  text: '',
  bigint: '-9223372036854775808',
  integer: '-2147483648',
  date: '-infinity',
  'timestamp with time zone': '-infinity',
};

/** A table with rows of tenants. */
export interface TenantTable {
  readonly name: string;
  /** Where a walk begins: a value for each column of the key behind tenant_id, as text. */
  readonly beginning: readonly string[];
}

/** What a transaction has deleted. */
export interface Removed {
  readonly deleted: number;
  /** The key of the last row, where the next page begins; the beginning again where nothing was found. */
  readonly reached: readonly string[];
}

interface Texts extends TenantTable {
  readonly page: string;
  readonly rest: string;
  /** Of those that have rows for the last transaction. */
  readonly last: string | undefined;
}

/**
 * Deletes rows of a tenant from any table, whatever module has it: its statements are made of the entities and of what they
 * declare (`@TableData`). They run as the tenant role: a table that was named wrongly would still lose no other tenant's row.
 */
@Injectable()
export class TenantRowsRepository {
  private texts: readonly Texts[] | undefined;

  constructor(private readonly database: Database) {}

  /** Every table whose rows go, in the order in which they do: a table before those that it refers to. */
  get tables(): readonly TenantTable[] {
    return this.all();
  }

  /**
   * Deletes at most 500 rows of a table from a key on, and counts them with them.
   * @param from `beginning` of the table, or what the call before has reached: the rows that lie dead before it are not walked
   *   over again
   * @returns undefined: the deletion is over
   */
  async remove(deletion: DeletionRef, table: TenantTable, from: readonly string[]): Promise<Removed | undefined> {
    const { tenantId, deletionId } = deletion;
    const { page, name } = this.textsFor(table);
    return this.database.transaction(`delete ${name}`, tenantId, async (tx) => {
      const { state } = await tenantDeletionProceed.callIn(tx, tenantId, { p_deletion: deletionId });
      if (state !== 'deleting') return undefined;
      const [row] = await tx.query<{ deleted: number; reached: string[] | null }>(page, [
        tenantId,
        name,
        from,
        ROWS_AT_ONCE,
      ]);
      return { deleted: row?.deleted ?? 0, reached: row?.reached ?? table.beginning };
    });
  }

  /** The tables that still have rows of the tenant, beside those of the last transaction. */
  async left(tx: Sql, tenantId: string): Promise<string[]> {
    const all = this.all().map(({ rest }) => rest);
    const rows = await tx.query<{ name: string }>(all.join(' UNION ALL '), [tenantId]);
    return rows.map(({ name }) => name);
  }

  /** Deletes, and counts, the rows of the last transaction, and counts the tenant's own. */
  async removeLast(tx: Sql, tenantId: string): Promise<void> {
    for (const { name, last } of this.all()) if (last !== undefined) await tx.query(last, [tenantId, name]);
    await tx.query(COUNT_ITSELF, [tenantId, ITSELF]);
  }

  private all(): readonly Texts[] {
    return (this.texts ??= textsOf(this.database));
  }

  private textsFor({ name }: TenantTable): Texts {
    const texts = this.all().find((each) => each.name === name);
    if (texts === undefined) throw new Error(`${name} is no table whose rows are deleted`);
    return texts;
  }
}

/** The tenants' own table: its row goes with the end of the deletion. */
const ITSELF = 'tenants';

/** Adds what `gone` has to the count of the table $2. */
const COUNTED = `counted AS (
  UPDATE tenant_deletions d
  SET deleted = jsonb_set(d.deleted, ARRAY[$2::text], to_jsonb(COALESCE((d.deleted ->> $2::text)::bigint, 0) + g.n))
  FROM (SELECT count(*) AS n FROM gone) g WHERE d.tenant_id = $1 AND g.n > 0)`;
const COUNT_ITSELF =
  'UPDATE tenant_deletions SET deleted = jsonb_set(deleted, ARRAY[$2::text], to_jsonb(1)) WHERE tenant_id = $1';

function textsOf(database: Database): Texts[] {
  return [...tableData()]
    .filter(([, { rank }]) => rank !== NEVER)
    .map(([entity, declaration]) => ({ key: database.tableKey(entity), declaration }))
    .filter(({ key }) => key.table !== ITSELF)
    .sort((a, b) => a.declaration.rank - b.declaration.rank || (a.key.table < b.key.table ? -1 : 1))
    .map(({ key, declaration }) => textsOfTable(key, declaration));
}

/**
 * A page is found by its key and deleted by its place: from $3 on, the row there included, which went with the page before. So
 * the first page needs no text of its own, and a value that is empty is not passed over. A table with one row of a tenant has
 * no key to go on from, and $3 is named all the same.
 */
function textsOfTable({ table, columns: all }: TableKey, { lastRows }: TableDeclaration): Texts {
  const key = all.filter(({ name }) => name !== 'tenant_id');
  const columns = key.map(({ name }) => `"${name}"`);
  const order = (direction: string): string =>
    columns.length === 0 ? '' : `ORDER BY ${columns.map((column) => `${column} ${direction}`).join(', ')}`;
  const from = key.map(({ type }, i) => `($3::text[])[${i + 1}]::${type}`);
  const spared = lastRows === undefined ? '' : `AND NOT (${lastRows})`;
  const rest = `FROM "${table}" WHERE tenant_id = $1 ${spared}`;
  const behind = columns.length === 0 ? '' : `AND (${columns.join(', ')}) >= (${from.join(', ')})`;
  const last = `ARRAY[${columns.map((column) => `${column}::text`).join(', ')}]::text[]`;
  return {
    name: table,
    beginning: key.map(({ type }) => leastOf(type)),
    page: `WITH gone AS (
      DELETE FROM "${table}" WHERE ctid = ANY (ARRAY(SELECT ctid ${rest} ${behind} ${order('ASC')} LIMIT $4))
      RETURNING ${['tenant_id', ...columns].join(', ')}
    ), ${COUNTED}
    SELECT (SELECT count(*) FROM gone)::integer AS deleted,
      (SELECT ${last} FROM gone ${order('DESC')} LIMIT 1) AS reached
    WHERE $3::text[] IS NOT NULL`,
    rest: `SELECT '${table}' AS name WHERE (SELECT true ${rest} ${order('ASC')} LIMIT 1)`,
    last:
      lastRows === undefined
        ? undefined
        : `WITH gone AS (DELETE FROM "${table}" WHERE tenant_id = $1 AND (${lastRows}) RETURNING 1), ${COUNTED}
           SELECT count(*) FROM gone`,
  };
}

function leastOf(type: string): string {
  const least = LEAST[type];
  if (least === undefined) throw new Error(`a key of type ${type}: what stands before all its values?`);
  return least;
}
