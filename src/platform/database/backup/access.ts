import { join } from 'node:path';
import type { Client } from 'pg';
import { quote, type RoleNames } from '../roles';
import { readSql } from '../schema-files';

const ACCESS = readSql(join(__dirname, 'access.sql'));

/**
 * Lets the backup role read every table. Asked at every start and not in migrations, so that no new table can be
 * forgotten. Changes nothing where nothing is missing.
 */
export async function ensureBackupAccess(client: Client, names: RoleNames): Promise<void> {
  const { rows } = await client.query<{ statement: string }>(ACCESS, [names.backup]);
  if (rows.length === 0) return;
  // In one transaction; a table that another session is busy with is not waited for at the cost of the sessions behind.
  await client.query(
    `BEGIN; SET LOCAL lock_timeout = '5s'; GRANT USAGE ON SCHEMA public TO ${quote(names.backup)};
     ${rows.map(({ statement }) => statement).join('; ')}; COMMIT`,
  );
}
