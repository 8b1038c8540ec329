import { randomBytes } from 'node:crypto';
import { Client, type ClientConfig } from 'pg';

interface TestCluster {
  /** Superuser, for making databases and looking past row-level security. */
  readonly admin: ClientConfig;
  /** The application's login role. */
  readonly app: ClientConfig;
}

/** The cluster that global-setup started. */
export function testCluster(): TestCluster {
  return JSON.parse(process.env['TEST_PG'] ?? '{}') as TestCluster;
}

/** A migrated database of one test file. */
export interface TestDatabase {
  readonly name: string;
  /** How the application logs in. */
  readonly connection: ClientConfig;
  /** The same as a DATABASE_URL. */
  readonly url: string;
  /** Runs SQL as superuser in this database: sees and changes everything. */
  sql<R extends object>(text: string, values?: unknown[]): Promise<R[]>;
  /** A superuser connection of its own, e.g. to hold a lock; the caller ends it. */
  connect(): Promise<Client>;
  drop(): Promise<void>;
}

/** Clones the migrated template (some 50 ms). Call in beforeAll, `drop` in afterAll. */
export function createTestDatabase(): Promise<TestDatabase> {
  return databaseLike('chatapi');
}

/** One that no server has run on. */
export function createEmptyDatabase(): Promise<TestDatabase> {
  return databaseLike('template0');
}

async function databaseLike(template: string): Promise<TestDatabase> {
  const { admin, app } = testCluster();
  const name = `test_${randomBytes(6).toString('hex')}`;
  await once(admin, `CREATE DATABASE ${name} TEMPLATE ${template} STRATEGY file_copy OWNER chatapi`);
  const own = { ...admin, database: name };
  return {
    name,
    connection: { ...app, database: name },
    url: `postgresql://${app.user ?? ''}@/${name}?host=${encodeURIComponent(app.host ?? '')}&port=${app.port ?? 5432}`,
    sql: <R extends object>(text: string, values: unknown[] = []) => once<R>(own, text, values),
    connect: () => open(own),
    drop: async () => {
      await once(admin, `DROP DATABASE ${name} WITH (FORCE)`);
    },
  };
}

async function open(config: ClientConfig): Promise<Client> {
  const client = new Client(config);
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

async function once<R extends object>(config: ClientConfig, text: string, values: unknown[] = []): Promise<R[]> {
  const client = await open(config);
  try {
    return (await client.query<R>(text, values)).rows;
  } finally {
    await client.end();
  }
}

/** Every table that has a tenant_id. */
export async function tenantTables(database: TestDatabase): Promise<string[]> {
  const rows = await database.sql<{ name: string }>(
    `SELECT c.relname AS name FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id'
     WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT a.attisdropped ORDER BY 1`,
  );
  return rows.map((row) => row.name);
}

const COUNTED_LATER = /^(usage|stats)_/;

/**
 * All rows of a tenant as text, each with its table: equal when nothing has changed. When a key was last used is left
 * out, and what is counted of a tenant: the server writes that some seconds later.
 */
export async function rowsOf(database: TestDatabase, tenantUuid: string): Promise<string[]> {
  const tables = (await tenantTables(database)).filter((table) => !COUNTED_LATER.test(table));
  const each = tables.map(
    (table) =>
      `SELECT '${table} ' || (to_jsonb(t) - 'last_used_at' - 'is_counted')::text AS row FROM "${table}" t WHERE tenant_id = $1`,
  );
  const rows = await database.sql<{ row: string }>(`${each.join(' UNION ALL ')} ORDER BY 1`, [tenantUuid]);
  return rows.map(({ row }) => row);
}
