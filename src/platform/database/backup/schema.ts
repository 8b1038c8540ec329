import type { Client } from 'pg';
import { quote, type RoleNames } from '../roles';
import { BackupRefusal } from './format';
import { ESTRANGED, OBJECTS, type ObjectRow, UNKNOWN } from './schema-sql';

/** The names of an installation's roles, by what a file calls them. */
export type Names = Readonly<Record<keyof RoleNames | 'login', string>>;

/**
 * One statement of the schema. Names of roles stand in it as a NUL, the role's key and a NUL: no text of PostgreSQL
 * holds a NUL, so nothing else can be taken for one.
 */
export interface SchemaStatement {
  readonly sql: string;
  /** Who runs it, and owns what it makes. */
  readonly as: string;
}

export interface SchemaTable {
  readonly name: string;
  /** Those that are stored and not computed. */
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
  const { rows: unknown } = await client.query<{ what: string }>(UNKNOWN, who);
  if (unknown[0])
    throw new BackupRefusal(
      `The schema public holds ${unknown[0].what}, which a backup cannot take along: move it into another schema`,
    );
  const { rows } = await client.query<ObjectRow>(OBJECTS, who);
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
