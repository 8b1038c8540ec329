import { Client, type ClientConfig } from 'pg';
import { socketOf } from '../guarded-client';

/**
 * Whatever the text of rows and of the schema depends on, and what could end a long statement. An empty search path:
 * the catalogue then names everything in full.
 */
const SETTINGS: Readonly<Record<string, string>> = {
  client_encoding: 'UTF8',
  datestyle: 'ISO, YMD',
  intervalstyle: 'postgres',
  timezone: 'UTC',
  bytea_output: 'hex',
  extra_float_digits: '1',
  standard_conforming_strings: 'on',
  xmloption: 'content',
  search_path: 'pg_catalog',
  row_security: 'on',
  statement_timeout: '0',
  lock_timeout: '0',
  idle_in_transaction_session_timeout: '0',
  default_transaction_isolation: 'read committed',
  default_transaction_read_only: 'off',
  default_transaction_deferrable: 'off',
  check_function_bodies: 'off',
  default_tablespace: '',
};
/** Only newer PostgreSQLs know it. */
const NEWER_SETTINGS: Readonly<Record<string, string>> = { transaction_timeout: '0' };

/** Runs `work` on a connection of its own, which ends with it, or at once when the signal says so. */
export async function withSession<T>(
  connection: ClientConfig,
  signal: AbortSignal,
  work: (client: Client) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  const client = new Client({
    ...connection,
    application_name: 'chatapi backup',
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    connectionTimeoutMillis: 10_000,
  });
  client.on('error', () => undefined);
  const cut = (): void => void socketOf(client).destroy();
  signal.addEventListener('abort', cut, { once: true });
  try {
    await client.connect();
    await settle(client);
    return await work(client);
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener('abort', cut);
    // In the middle of a COPY the goodbye would not be heard.
    socketOf(client).destroy();
  }
}

async function settle(client: Client): Promise<void> {
  await client.query(`SELECT set_config(name, value, false) FROM unnest($1::text[], $2::text[]) AS s (name, value)`, [
    Object.keys(SETTINGS),
    Object.values(SETTINGS),
  ]);
  await client.query(
    `SELECT set_config(s.name, s.value, false) FROM unnest($1::text[], $2::text[]) AS s (name, value)
     JOIN pg_catalog.pg_settings p ON p.name = s.name`,
    [Object.keys(NEWER_SETTINGS), Object.values(NEWER_SETTINGS)],
  );
}
