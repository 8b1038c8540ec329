import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import { ensureRoles, roleNames } from '../../src/platform/database/roles';
import { readSchemaFiles, withRoles } from '../../src/platform/database/schema-files';
import type { TestDatabase } from './database';

const FIXTURES = join(__dirname, '..', 'fixtures');

/** Makes the schema of the last commit before functions were files, under roles named after the database. */
export async function makeSchema0022({ name, connection }: TestDatabase): Promise<void> {
  const roles = roleNames(name);
  const sql = readFileSync(join(FIXTURES, 'schema-0022.sql'), 'utf8').replaceAll(`:'tenant'`, `'${roles.tenant}'`);
  const client = new Client(connection);
  await client.connect();
  try {
    await ensureRoles(client, name, 18);
    await client.query(withRoles(sql, roles));
  } finally {
    await client.end();
  }
}

/** The backup of the first release that had them (schema 0016). */
export const BACKUP_0016 = join(FIXTURES, 'backup-format-1');

/** Functions that stay as they were for servers of the release before, beside those that have taken their place. */
export const KEPT_FUNCTIONS = readSchemaFiles().functions.flatMap(({ kept }) => kept.map(({ signature }) => signature));

/** Whether a line of the schema is one of those, or the right to call it. */
export function isOfKeptFunction(line: string): boolean {
  return KEPT_FUNCTIONS.some((signature) => {
    const name = signature.slice(0, signature.indexOf('('));
    return (
      line.includes(` on ${signature}: `) || line.startsWith(`function CREATE OR REPLACE FUNCTION public.${name}(`)
    );
  });
}
