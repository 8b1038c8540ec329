import type { Client } from 'pg';
import { DatabaseRefusal } from './errors';

const OLDEST_MAJOR = 15;
const DURABLE_SETTINGS = ['fsync', 'full_page_writes', 'synchronous_commit'] as const;

interface ServerFacts {
  readonly version: string;
  readonly login: string;
  readonly database: string;
  readonly super: boolean;
  readonly bypass: boolean;
  readonly owner: boolean;
  readonly may_create: boolean;
  readonly encoding: string;
  readonly read_only: string;
  readonly standby: boolean;
  readonly fsync: string;
  readonly full_page_writes: string;
  readonly synchronous_commit: string;
  readonly replication_role: string;
}

/** Refuses databases on which the product's promises would not hold. Returns its major version and name, and the login role. */
export async function preflight(
  client: Client,
  allowUnsafe: boolean,
): Promise<{ major: number; database: string; login: string }> {
  const { rows } = await client.query<ServerFacts>(
    `SELECT current_setting('server_version_num') AS version, current_user AS login, current_database() AS database,
       r.rolsuper AS super, r.rolbypassrls AS bypass,
       pg_has_role(current_user, d.datdba, 'USAGE') AS owner,
       has_schema_privilege(current_user, 'public', 'CREATE WITH GRANT OPTION') AS may_create,
       current_setting('server_encoding') AS encoding, current_setting('default_transaction_read_only') AS read_only,
       pg_is_in_recovery() AS standby,
       current_setting('fsync') AS fsync, current_setting('full_page_writes') AS full_page_writes,
       current_setting('synchronous_commit') AS synchronous_commit,
       current_setting('session_replication_role') AS replication_role
     FROM pg_roles r, pg_database d WHERE r.rolname = current_user AND d.datname = current_database()`,
  );
  const facts = rows[0];
  if (!facts) throw new DatabaseRefusal('The database role that the server logs in with is not in pg_roles');
  const major = Math.floor(Number(facts.version) / 10_000);
  if (major < OLDEST_MAJOR)
    throw new DatabaseRefusal(`PostgreSQL ${major} is too old: the server needs ${OLDEST_MAJOR} or newer`);
  refuseUnfit(facts);
  refuseRole(facts);
  const off = DURABLE_SETTINGS.filter((name) => facts[name] === 'off');
  if (off.length > 0 && !allowUnsafe)
    throw new DatabaseRefusal(
      `PostgreSQL runs with ${off.join(', ')} off: acknowledged messages could be lost. Turn it on, or accept that with DATABASE_ALLOW_UNSAFE=true`,
    );
  return { major, database: facts.database, login: facts.login };
}

function refuseUnfit(facts: ServerFacts): void {
  if (facts.standby || facts.read_only === 'on')
    throw new DatabaseRefusal('This PostgreSQL is read-only (a standby?): let DATABASE_URL name the primary');
  // Triggers would not fire, and only a superuser may set it back.
  if (facts.replication_role !== 'origin')
    throw new DatabaseRefusal(
      `PostgreSQL sets session_replication_role = ${facts.replication_role} for this database or role: let an administrator run\n  ALTER DATABASE "${facts.database}" RESET session_replication_role;`,
    );
  if (facts.encoding !== 'UTF8')
    throw new DatabaseRefusal(
      `The database "${facts.database}" is encoded in ${facts.encoding}: create one with ENCODING 'UTF8' TEMPLATE template0`,
    );
}

function refuseRole(facts: ServerFacts): void {
  if (facts.super || facts.bypass)
    throw new DatabaseRefusal(
      `DATABASE_URL logs in as "${facts.login}", a role that row-level security does not hold. Use a role of its own:\n` +
        `  CREATE ROLE chatapi LOGIN CREATEROLE PASSWORD '…';\n  ALTER DATABASE "${facts.database}" OWNER TO chatapi;`,
    );
  if (facts.owner && facts.may_create) return;
  const sql = facts.owner
    ? `ALTER SCHEMA public OWNER TO "${facts.login}"`
    : `ALTER DATABASE "${facts.database}" OWNER TO "${facts.login}"`;
  throw new DatabaseRefusal(
    `The role "${facts.login}" does not own the ${facts.owner ? 'schema public' : 'database'}. Let an administrator run:\n  ${sql};`,
  );
}
