import { Client } from 'pg';
import { DataSource } from 'typeorm';
import { type Connection, sessionSql, withSession } from './connection';
import { MIGRATIONS } from './migrations';
import { preflight } from './preflight';
import { DatabaseRefusal } from './refusal';
import { ensureBackupAccess, ensureRoles, roleNames, rolePrefix, type RoleNames } from './roles';

/** Advisory lock that one migrating server holds; any constant of our own. */
const MIGRATION_LOCK = 4_711_001;

export interface MigrationOptions {
  readonly connection: Connection;
  readonly allowUnsafe: boolean;
  readonly onProgress: (line: string) => void;
  /** The restore that the database is in the midst of calls. */
  readonly isRestoring?: boolean;
}

/**
 * Brings the database to this version's schema under an advisory lock and returns the roles to run as. Refuses an
 * unfit database, one with a newer schema, and one whose restore did not come to its end. Idempotent.
 */
export async function migrate(options: MigrationOptions): Promise<RoleNames> {
  const client = new Client({ ...withSession(options.connection), connectionTimeoutMillis: 10_000 });
  client.on('error', () => undefined);
  await client.connect();
  try {
    await client.query(sessionSql(options.connection));
    const { major, database } = await preflight(client, options.allowUnsafe);
    await client.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
    if (!options.isRestoring) await refuseRestoring(client);
    const known = await recordedPrefix(client);
    const prefix = known ?? rolePrefix(database);
    await ensureRoles(client, prefix, major);
    await runMigrations(options);
    const names = roleNames((await recordedPrefix(client)) ?? prefix);
    await ensureBackupAccess(client, names);
    return names;
  } finally {
    await client.end();
  }
}

async function runMigrations(options: MigrationOptions): Promise<void> {
  const source = migrationSource(options.connection);
  await source.initialize();
  try {
    await refuseNewerSchema(source);
    if (!(await source.showMigrations())) return;
    options.onProgress('Bringing the database schema up to date …');
    await source.runMigrations({ transaction: 'each' });
  } finally {
    await source.destroy();
  }
}

/** A TypeORM data source that runs the migrations; the entities are given by who compares them with the schema. */
export function migrationSource(connection: Connection, entities: readonly (new () => object)[] = []): DataSource {
  return new DataSource({
    type: 'postgres',
    // Everything that node-postgres takes, unix sockets and URL parameters included; TypeORM's own options know less.
    extra: {
      ...withSession(connection),
      // The pool that TypeORM makes waits for it.
      onConnect: (client: Client) => client.query(sessionSql(connection)),
    },
    entities: [...entities],
    migrations: [...MIGRATIONS],
    migrationsTableName: 'schema_migrations',
    installExtensions: false,
    poolSize: 2,
    logging: false,
  });
}

async function refuseNewerSchema(source: DataSource): Promise<void> {
  const table: { present: boolean }[] = await source.query(
    `SELECT to_regclass('public.schema_migrations') IS NOT NULL AS present`,
  );
  if (!table[0]?.present) return;
  const done: { name: string }[] = await source.query('SELECT name FROM schema_migrations ORDER BY id');
  const unknown = unknownMigrations(done.map((row) => row.name));
  if (unknown.length > 0)
    throw new DatabaseRefusal(
      `The database has a newer schema than this version knows (${unknown.join(', ')}): start the newer version`,
    );
}

/** Those that a newer version made. */
export function unknownMigrations(names: readonly string[]): string[] {
  const ours = new Set<string>(MIGRATIONS.map((m) => m.name));
  return names.filter((name) => !ours.has(name));
}

/** Its mark (backup/restore.ts) is the first thing that a restore writes, and the last that it takes away. */
async function refuseRestoring(client: Client): Promise<void> {
  const { rows } = await client.query<{ marked: boolean }>(
    `SELECT to_regclass('public.restoring') IS NOT NULL AS marked`,
  );
  if (rows[0]?.marked)
    throw new DatabaseRefusal(
      'A restore into this database did not come to its end: run npm run restore again with the same file',
    );
}

export async function recordedPrefix(client: Client): Promise<string | undefined> {
  const table = await client.query<{ present: boolean }>(
    `SELECT to_regclass('public.instance') IS NOT NULL AS present`,
  );
  if (!table.rows[0]?.present) return undefined;
  const { rows } = await client.query<{ role_prefix: string }>('SELECT role_prefix FROM public.instance');
  return rows[0]?.role_prefix;
}
