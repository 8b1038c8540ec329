import type { Client } from 'pg';
import { DatabaseRefusal } from './refusal';

const OLDEST_MAJOR = 15;
const DURABLE_SETTINGS = ['fsync', 'full_page_writes', 'synchronous_commit'] as const;

interface ServerFacts {
  readonly version: string;
  readonly login: string;
  readonly database: string;
  readonly super: boolean;
  readonly bypass: boolean;
  readonly may_create: boolean;
  readonly fsync: string;
  readonly full_page_writes: string;
  readonly synchronous_commit: string;
}

/** Refuses databases on which the product's promises would not hold. Returns the major version and database name. */
export async function preflight(client: Client, allowUnsafe: boolean): Promise<{ major: number; database: string }> {
  const { rows } = await client.query<ServerFacts>(
    `SELECT current_setting('server_version_num') AS version, current_user AS login, current_database() AS database,
       r.rolsuper AS super, r.rolbypassrls AS bypass,
       has_schema_privilege(current_user, 'public', 'CREATE WITH GRANT OPTION') AS may_create,
       current_setting('fsync') AS fsync, current_setting('full_page_writes') AS full_page_writes,
       current_setting('synchronous_commit') AS synchronous_commit
     FROM pg_roles r WHERE r.rolname = current_user`,
  );
  const facts = rows[0];
  if (!facts) throw new DatabaseRefusal('The database role that the server logs in with is not in pg_roles');
  const major = Math.floor(Number(facts.version) / 10_000);
  if (major < OLDEST_MAJOR)
    throw new DatabaseRefusal(`PostgreSQL ${major} is too old: the server needs ${OLDEST_MAJOR} or newer`);
  if (facts.super || facts.bypass)
    throw new DatabaseRefusal(
      `DATABASE_URL logs in as "${facts.login}", a role that row-level security does not hold. Use a role of its own:\n` +
        `  CREATE ROLE chatapi LOGIN CREATEROLE PASSWORD '…';\n  ALTER DATABASE "${facts.database}" OWNER TO chatapi;`,
    );
  if (!facts.may_create)
    throw new DatabaseRefusal(
      `The role "${facts.login}" does not own the database. Let an administrator run:\n` +
        `  ALTER DATABASE "${facts.database}" OWNER TO "${facts.login}";`,
    );
  const off = DURABLE_SETTINGS.filter((name) => facts[name] === 'off');
  if (off.length > 0 && !allowUnsafe)
    throw new DatabaseRefusal(
      `PostgreSQL runs with ${off.join(', ')} off: acknowledged messages could be lost. Turn it on, or accept that with DATABASE_ALLOW_UNSAFE=true`,
    );
  return { major, database: facts.database };
}
