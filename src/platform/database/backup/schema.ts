import { join } from 'node:path';
import type { Client } from 'pg';
import { quote, type RoleNames } from '../roles';
import { readSql } from '../schema-files';
import { BackupRefusal } from './format';

/** One object, or one thing about it; `unknown`: one of a kind that has no statement here. */
interface ObjectRow {
  /** Order: below 0 before the rows, above 0 behind them. */
  readonly place: number;
  readonly kind: 'sequence' | 'table' | 'other' | 'unknown';
  readonly name: string;
  readonly owner: string;
  readonly sql: string;
  /** Keys of roles, '' for PUBLIC, that stand behind `sql`; null: none do. */
  readonly roles: readonly string[] | null;
  /** Behind the roles. */
  readonly tail: string;
  /** Of a table: its columns that are stored and not computed. */
  readonly columns: readonly string[] | null;
}

const CATALOGUE = readSql(join(__dirname, 'catalogue.sql'));

/** A table of the server's that another role owns: it would be missing in silence. */
const ESTRANGED = `
SELECT c.relname AS name FROM pg_class c
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND pg_get_userbyid(c.relowner) <> $1
  AND (c.relname IN ('instance', 'schema_migrations')
    OR EXISTS (SELECT 1 FROM pg_policy p WHERE p.polrelid = c.oid AND p.polname = 'tenant_rows'))
ORDER BY 1`;

/** The names of an installation's roles, by what a file calls them. */
export type Names = Readonly<Record<keyof RoleNames | 'login', string>>;

/**
 * One statement of the schema. Names of roles stand in it as a NUL, the role's key and a NUL: no text of PostgreSQL
 * holds a NUL, so nothing else can be taken for one.
 */
export interface SchemaStatement {
  readonly sql: string;
  /** The role that runs it, and owns what it makes. */
  readonly as: string;
}

export interface SchemaTable {
  readonly name: string;
  /** Stored columns, without computed ones. */
  readonly columns: readonly string[];
}

/** The schema of a database, in the order in which it is made: `before` the rows, `after` them. */
export interface Schema {
  readonly before: readonly SchemaStatement[];
  readonly after: readonly SchemaStatement[];
  readonly tables: readonly SchemaTable[];
  /** Sequences by name. */
  readonly sequences: readonly string[];
}

/**
 * Reads the schema of what this installation owns in `public` from the catalogue. The session's search path is empty, so
 * that PostgreSQL names everything in full. Refuses kinds of objects that it does not know rather than to leave them out.
 */
export async function readSchema(client: Client, names: Names): Promise<Schema> {
  const { rows: estranged } = await client.query<{ name: string }>(ESTRANGED, [names.login]);
  if (estranged.length > 0)
    throw new BackupRefusal(
      `Tables belong to another role than "${names.login}". Let an administrator run:\n` +
        estranged.map(({ name }) => `  ALTER TABLE ${quote(name)} OWNER TO ${quote(names.login)};`).join('\n'),
    );
  const who = [Object.keys(names), Object.values(names)];
  const { rows } = await client.query<ObjectRow>(CATALOGUE, who);
  const unknown = rows.find(({ kind }) => kind === 'unknown');
  if (unknown)
    throw new BackupRefusal(
      `The schema public holds ${unknown.name}, which a backup cannot take along: move it into another schema`,
    );
  const statements = (isAfter: boolean): SchemaStatement[] =>
    rows
      .filter(({ place, sql }) => place > 0 === isAfter && sql !== '')
      .map((row) => ({ as: row.owner, sql: withRoles(row) }));
  return {
    before: statements(false),
    after: statements(true),
    tables: rows.flatMap(({ name, columns }) => (columns === null ? [] : [{ name, columns }])),
    sequences: rows.filter(({ kind }) => kind === 'sequence').map(({ name }) => name),
  };
}

/** The statement for an installation with these roles. */
export function forRoles(sql: string, names: Names): string {
  return sql.replace(/\0(\w+)\0/g, (_, key: string) => quote(roleOf(key, names)));
}

/** The name of the role that a file calls `key`. */
export function roleOf(key: string, names: Names): string {
  const name = (names as Readonly<Record<string, string | undefined>>)[key];
  if (name === undefined)
    throw new BackupRefusal(`The backup names the role "${key}", which this release does not know`);
  return name;
}

function withRoles({ sql, roles, tail }: ObjectRow): string {
  const named = (roles ?? []).map((key) => (key === '' ? 'PUBLIC' : `\0${key}\0`));
  return sql + named.join(', ') + tail;
}
