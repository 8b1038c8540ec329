import { DataSource, type EntityMetadata } from 'typeorm';
import { unopenedNest } from '../../src/docs/pages';
import {
  ERASE_STEPS,
  INSTALLATION_TABLES,
  type TableDeclaration,
  tableData,
  TENANT_LINES,
  USER_LINES,
} from '../../src/platform/tenant-data';
import { createTestDatabase, type TestDatabase } from '../support/database';

/** Types that hold numbers, times and random ids: no name of a person, and nothing that one wrote. Arrays of them too. */
const HOLDS_NOTHING = [
  ...['uuid', 'bool', 'int2', 'int4', 'int8', 'float4', 'float8', 'numeric'],
  ...['date', 'timestamptz', 'interval'],
];

describe('what becomes of the data of each table', () => {
  let database: TestDatabase;
  let entities: readonly EntityMetadata[];
  let tables: Map<string, TableDeclaration>;

  beforeAll(async () => {
    entities = (await unopenedNest()).get(DataSource).entityMetadatas;
    database = await createTestDatabase();
    tables = new Map(
      entities.flatMap(({ target, tableName }) => {
        const declared = tableData().get(target as object);
        return declared === undefined ? [] : [[tableName, declared]];
      }),
    );
  });
  afterAll(() => database.drop());

  /** Tables of the database that are neither declared nor the installation's, and declared ones that are not there. */
  async function tablesApart(): Promise<string[]> {
    const rows = await database.sql<{ name: string }>(
      `SELECT relname AS name FROM pg_class
       WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition`,
    );
    return difference(
      rows.map(({ name }) => name),
      [...tables.keys(), ...Object.keys(INSTALLATION_TABLES)],
    );
  }

  /** Columns that can hold something and are not named, and named ones that cannot or are not there. */
  async function columnsApart(): Promise<string[]> {
    const rows = await database.sql<{ name: string }>(
      `SELECT c.relname || '.' || a.attname AS name FROM pg_attribute a
       JOIN pg_class c ON c.oid = a.attrelid JOIN pg_type t ON t.oid = a.atttypid LEFT JOIN pg_type e ON e.oid = t.typelem
       WHERE c.relname = ANY ($1) AND c.relnamespace = 'public'::regnamespace AND a.attnum > 0 AND NOT a.attisdropped
         AND NOT (CASE WHEN t.typcategory = 'A' THEN e.typname ELSE t.typname END)::text = ANY ($2)`,
      [[...tables.keys()], HOLDS_NOTHING],
    );
    const named = [...tables].flatMap(([table, { columns }]) => Object.keys(columns).map((name) => `${table}.${name}`));
    return difference(
      rows.map(({ name }) => name),
      named,
    );
  }

  it('is said by every table that a tenant has rows in', async () => {
    expect(await tablesApart()).toEqual([]);
    expect(tables.size).toBeGreaterThan(20);
  });

  it('is said of every column that can hold text, JSON or bytes, and of no other', async () => {
    expect(await columnsApart()).toEqual([]);
  });

  it('lets the rows of a table go before those that it refers to', async () => {
    const references = await database.sql<{ child: string; parent: string }>(
      `SELECT DISTINCT c.relname AS child, p.relname AS parent FROM pg_constraint k
       JOIN pg_class c ON c.oid = k.conrelid JOIN pg_class p ON p.oid = k.confrelid
       WHERE k.contype = 'f' AND c.relname = ANY ($1)`,
      [[...tables.keys()]],
    );
    const wrong = references.filter(({ child, parent }) => !(rankOf(child) < rankOf(parent)));
    expect(wrong).toEqual([]);
    expect(references.length).toBeGreaterThan(20);
  });

  it('can be deleted by the key that each entity has', async () => {
    const keys = await database.sql<{ table: string; key: string }>(
      `SELECT c.relname AS table, string_agg(a.attname, ',' ORDER BY array_position(x.indkey::int2[], a.attnum)) AS key
       FROM pg_index x JOIN pg_class c ON c.oid = x.indrelid
       JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = ANY (x.indkey)
       WHERE x.indisprimary AND c.relname = ANY ($1) GROUP BY 1`,
      [[...tables.keys()]],
    );
    const ofEntities = entities
      .filter(({ tableName }) => tables.has(tableName))
      .map(({ tableName, primaryColumns }) => ({
        table: tableName,
        key: primaryColumns.map(({ databaseName }) => databaseName).join(),
      }));
    const inOrder = (a: { table: string }, b: { table: string }): number => a.table.localeCompare(b.table);
    expect(ofEntities.sort(inOrder)).toEqual(keys.sort(inOrder));
  });

  it('leaves no step of an erase and no line of an export without a table', () => {
    const all = [...tables.values()];
    const fates = all.flatMap(({ columns }) => Object.values(columns));
    const steps = new Set(fates.flatMap((fate) => ('erasedBy' in fate ? [fate.erasedBy] : [])));
    expect([...steps].sort()).toEqual(Object.keys(ERASE_STEPS).sort());
    const lines = (of: 'tenant' | 'user'): string[] => [
      ...new Set(all.flatMap(({ exported }) => (typeof exported[of] === 'string' ? [exported[of]] : []))),
    ];
    expect(lines('tenant').sort()).toEqual([...TENANT_LINES].sort());
    expect(lines('user').sort()).toEqual([...USER_LINES].sort());
  });

  it('notices tables and columns that nobody has named, and names of columns that are gone', async () => {
    await database.sql('CREATE TABLE reactions (tenant_id uuid, emoji text)');
    await database.sql(
      'ALTER TABLE users ADD COLUMN nickname varchar(20), ADD COLUMN tags text[], ADD COLUMN home inet',
    );
    await database.sql('ALTER TABLE users ADD COLUMN places uuid[], DROP COLUMN profile');
    expect(await tablesApart()).toEqual(['reactions']);
    expect(await columnsApart()).toEqual(['users.home', 'users.nickname', 'users.profile', 'users.tags']);
  });

  function rankOf(table: string): number {
    return tables.get(table)?.rank ?? Number.NaN;
  }
});

/** What is in one list only. */
function difference(left: readonly string[], right: readonly string[]): string[] {
  return [...left.filter((name) => !right.includes(name)), ...right.filter((name) => !left.includes(name))].sort();
}
