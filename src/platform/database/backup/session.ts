import { Client, type ClientConfig } from 'pg';
import { SESSION_SETTINGS } from '../connection';
import { socketOf } from '../pool';

/**
 * What every session of ours sets, and what is different here: an empty search path, with which the catalogue names
 * everything in full, nothing that could end a long statement, and functions that are made before what they name.
 */
const SETTINGS: Readonly<Record<string, string>> = {
  ...SESSION_SETTINGS,
  search_path: 'pg_catalog',
  idle_in_transaction_session_timeout: '0',
  default_transaction_read_only: 'off',
  check_function_bodies: 'off',
  default_tablespace: '',
};
/** Only newer PostgreSQLs know it. */
const NEWER_SETTINGS: Readonly<Record<string, string>> = { transaction_timeout: '0' };

/** Runs `work` on a connection of its own, which ends with it, or at once when the signal says so. */
export async function withBackupSession<T>(
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
