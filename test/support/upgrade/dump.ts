import { Client, type ClientConfig } from 'pg';
import {
  type Names,
  readSchema,
  type SchemaStatement,
  forRoles,
  roleOf,
} from '../../../src/platform/database/backup/schema';
import { roleNames } from '../../../src/platform/database/roles';

const LOGIN = 'chatapi';
/** Rows of one INSERT: a line each would make the file long, and all in one hard to read. */
const ROWS_AT_ONCE = 50;

/**
 * The database of an installation as plain SQL, which a superuser runs in an empty database of a cluster that has the
 * login role and no other: roles, schema with owners and rights, rows, sequences. The statements of the schema are read
 * from the catalogue, so the release that made it does not matter.
 */
export async function dumpSql(connection: ClientConfig): Promise<string> {
  const client = new Client({ database: LOGIN, ...connection });
  await client.connect();
  try {
    // Whatever comes in a session's own form comes in one that does not depend on the machine.
    await client.query(
      `SET search_path = ''; SET TimeZone = 'UTC'; SET DateStyle = 'ISO'; SET IntervalStyle = 'iso_8601'`,
    );
    const { rows } = await client.query<{ role_prefix: string }>('SELECT role_prefix FROM public.instance');
    const names: Names = { ...roleNames(rows[0]?.role_prefix ?? LOGIN), login: LOGIN };
    const schema = await readSchema(client, names);
    const data: string[] = [];
    for (const { name, columns } of schema.tables) data.push(...(await insertsOf(client, name, columns)));
    const statements = [
      `SET search_path = ''; SET check_function_bodies = off`,
      ...(await rolesOf(client, names)),
      ...built(schema.before, names),
      ...data,
      ...built(schema.after, names),
      ...(await sequencesOf(client, schema.sequences)),
      // They live for a day, and the fixture is older.
      `UPDATE public.idempotency_keys SET expires_at = clock_timestamp() + interval '1 day'`,
    ];
    return statements.map((statement) => `${statement};\n`).join('');
  } finally {
    await client.end();
  }
}

/** The roles that the login role has made, and who is a member of which. */
async function rolesOf(client: Client, { login, ...own }: Names): Promise<string[]> {
  const { rows } = await client.query<{ sql: string }>(
    `SELECT format('GRANT %I TO %I WITH ADMIN %s, INHERIT %s, SET %s', pg_get_userbyid(roleid), pg_get_userbyid(member),
       admin_option::text, inherit_option::text, set_option::text) AS sql
     FROM pg_auth_members WHERE pg_get_userbyid(roleid) = ANY ($1) AND pg_get_userbyid(grantor) = $2 ORDER BY 1`,
    [Object.values(own), login],
  );
  const made = Object.values(own).map((name) => `CREATE ROLE "${name}" NOLOGIN`);
  return [`SET ROLE "${login}"`, ...made, ...rows.map(({ sql }) => sql), 'RESET ROLE'];
}

/** Each statement as the role that is to own what it makes; that one may create things for as long. */
function built(statements: readonly SchemaStatement[], names: Names): string[] {
  const owners = [...new Set(statements.map(({ as }) => roleOf(as, names)))].filter((name) => name !== names.login);
  return [
    `SET ROLE "${names.login}"`,
    ...owners.map((owner) => `GRANT CREATE, USAGE ON SCHEMA public TO "${owner}"`),
    ...statements.flatMap(({ sql, as }) => [`SET ROLE "${roleOf(as, names)}"`, forRoles(sql, names).trim()]),
    `SET ROLE "${names.login}"`,
    ...owners.map((owner) => `REVOKE CREATE ON SCHEMA public FROM "${owner}"`),
    'RESET ROLE',
  ];
}

async function insertsOf(client: Client, table: string, columns: readonly string[]): Promise<string[]> {
  const quoted = columns.map((column) => `"${column}"`);
  const literals = quoted.map((column) => `quote_nullable(${column}::text)`).join(` || ',' || `);
  const { rows } = await client.query<{ row: string }>(
    `SELECT '(' || ${literals} || ')' AS row FROM public."${table}" ORDER BY 1`,
  );
  const inserts: string[] = [];
  for (let from = 0; from < rows.length; from += ROWS_AT_ONCE) {
    const some = rows.slice(from, from + ROWS_AT_ONCE).map(({ row }) => row);
    inserts.push(
      `INSERT INTO public."${table}" (${quoted.join(', ')}) OVERRIDING SYSTEM VALUE VALUES\n${some.join(',\n')}`,
    );
  }
  return inserts;
}

async function sequencesOf(client: Client, names: readonly string[]): Promise<string[]> {
  const calls: string[] = [];
  for (const name of names) {
    const { rows } = await client.query<{ sql: string }>(
      `SELECT format('SELECT setval(%L, %s, %L)', 'public.' || quote_ident($1), last_value, is_called) AS sql
       FROM public."${name}"`,
      [name],
    );
    calls.push(...rows.map(({ sql }) => sql));
  }
  return calls;
}
