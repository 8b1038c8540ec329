/**
 * How connections to PostgreSQL are made: from what DATABASE_URL says or from the embedded server's socket, and with
 * sessions that do not depend on what an administrator has set for the database or the role.
 *
 * Every client of the server (pool, lock, probe, migrator) is made from `withSession`. The settings travel in the
 * start-up packet, so they hold before the first statement; a pooler that takes no such packet gets them as a statement.
 */
import { userInfo } from 'node:os';
import type { ClientConfig } from 'pg';
import { parse } from 'pg-connection-string';
import { codeOf, DatabaseRefusal } from './errors';

/** A way to a database. */
export interface DatabaseConnection extends ClientConfig {
  /** A pooler stands between: it may drop or refuse what the start-up packet asks for. */
  readonly isPooled?: boolean;
}

/**
 * What the code relies on, under the names that `SET` knows, all settable by an ordinary role. What is not here is the
 * operator's: planner costs, memory, where tables and temporary files lie, what is logged.
 */
export const SESSION_SETTINGS: Readonly<Record<string, string>> = {
  // Text that the driver and the code read.
  DateStyle: 'ISO, MDY',
  IntervalStyle: 'postgres',
  TimeZone: 'UTC',
  timezone_abbreviations: 'Default',
  client_encoding: 'UTF8',
  bytea_output: 'hex',
  extra_float_digits: '1',
  xmlbinary: 'base64',
  xmloption: 'content',
  lc_monetary: 'C',
  lc_numeric: 'C',
  lc_time: 'C',
  quote_all_identifiers: 'off',
  // What a statement means.
  search_path: 'public',
  role: 'none',
  row_security: 'on',
  standard_conforming_strings: 'on',
  backslash_quote: 'safe_encoding',
  array_nulls: 'on',
  transform_null_equals: 'off',
  default_text_search_config: 'pg_catalog.simple',
  default_table_access_method: 'heap',
  check_function_bodies: 'on',
  plan_cache_mode: 'auto',
  // A claim of jobs tells the planner not to sort, which makes its plan look dear: compiling it takes a second, each time.
  jit: 'off',
  // What a transaction is. default_transaction_read_only is not ours to lift: a database that takes no writes is refused.
  default_transaction_isolation: 'read committed',
  default_transaction_deferrable: 'off',
  // Deadlines are the server's own; what its client has left in a transaction ends soon.
  statement_timeout: '0',
  lock_timeout: '0',
  idle_session_timeout: '0',
  idle_in_transaction_session_timeout: '30s',
};

/**
 * Not known to every version or platform, so no start-up packet can hold them. A statement whose client has given up
 * ends soon instead of waiting for its lock or holding one.
 */
const WHERE_KNOWN: Readonly<Record<string, string>> = {
  transaction_timeout: '0',
  restrict_nonsystem_relation_kind: '',
  client_connection_check_interval: '1s',
};

/** The configuration of a client whose session is ours. */
export function withSession<C extends DatabaseConnection>(connection: C): C {
  if (connection.isPooled === true) return connection;
  const ours = Object.entries(SESSION_SETTINGS).map(([name, value]) => `-c ${name}=${escapeOption(value)}`);
  // The last one of a name counts: DATABASE_URL's own `options` come first.
  return { ssl: false, ...connection, options: [connection.options ?? '', ...ours].join(' ').trim() };
}

/** What `withSession` could not ask for, as statements for a new session. */
export function sessionSql(connection: DatabaseConnection): string {
  const settings = { ...(connection.isPooled === true ? SESSION_SETTINGS : {}) };
  const known = Object.entries(settings).map(([name, value]) => `set_config('${name}', '${value}', false)`);
  const maybe = Object.entries(WHERE_KNOWN).map(
    ([name, value]) =>
      `BEGIN PERFORM set_config('${name}', '${value}', false);
       EXCEPTION WHEN undefined_object OR invalid_parameter_value THEN NULL; END;`,
  );
  return `${known.length > 0 ? `SELECT ${known.join(', ')};` : ''} DO $$ BEGIN ${maybe.join(' ')} END $$;`;
}

/**
 * What DATABASE_URL means, and nothing but that: not PGPASSWORD and its kin, not ~/.pgpass. Where it names no user, the
 * one that the process runs as.
 */
export function connectionOf(url: string): DatabaseConnection {
  const { user, password, host, port, database, ssl, sslnegotiation, options } = parsed(url);
  const login = user || userInfo().username;
  return {
    user: login,
    // A function: for an absent password the driver would look into the environment and into ~/.pgpass.
    password: password || (() => ''),
    host: host || 'localhost',
    port: Number(port || 5432),
    database: database || login,
    ssl: (ssl ?? false) as NonNullable<ClientConfig['ssl']>,
    ...(sslnegotiation === undefined ? {} : { sslnegotiation }),
    ...(options === undefined ? {} : { options }),
  };
}

function parsed(url: string): ReturnType<typeof parse> {
  try {
    return parse(url);
  } catch (error) {
    const path = typeof error === 'object' && error !== null && 'path' in error ? String(error.path) : undefined;
    if (path !== undefined)
      throw new DatabaseRefusal(`DATABASE_URL names the file ${path}, which cannot be read (${codeOf(error) ?? ''})`);
    throw new DatabaseRefusal(
      'DATABASE_URL is no valid URL: percent-encode special characters in the user name and the password',
    );
  }
}

/** Spaces separate options, backslashes escape them. */
function escapeOption(value: string): string {
  return value.replace(/[\\ ]/g, '\\$&');
}
