import type { TestDatabase } from './database';

/** Every table that has a tenant_id. */
export async function tenantTables(database: TestDatabase): Promise<string[]> {
  const rows = await database.sql<{ name: string }>(
    `SELECT c.relname AS name FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id'
     WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT a.attisdropped ORDER BY 1`,
  );
  return rows.map((row) => row.name);
}

/**
 * All rows of a tenant as text, each with its table: equal when nothing has changed. When a key was last used is left
 * out: the server writes that some seconds later.
 */
export async function rowsOf(database: TestDatabase, tenantUuid: string): Promise<string[]> {
  const tables = await tenantTables(database);
  const each = tables.map(
    (table) =>
      `SELECT '${table} ' || (to_jsonb(t) - 'last_used_at')::text AS row FROM "${table}" t WHERE tenant_id = $1`,
  );
  const rows = await database.sql<{ row: string }>(`${each.join(' UNION ALL ')} ORDER BY 1`, [tenantUuid]);
  return rows.map(({ row }) => row);
}
