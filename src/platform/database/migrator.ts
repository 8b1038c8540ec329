import { Client } from 'pg';
import { compareVersions, VERSION } from '../../common/version';
import { type DatabaseConnection, sessionSql, withSession } from './connection';
import { preflight } from './preflight';
import { DatabaseRefusal } from './errors';
import { ensureBackupAccess } from './backup/access';
import { ensureRoles, roleNames, rolePrefix, type RoleNames } from './roles';
import { FIRST_MIGRATIONS, type Migration, withRoles, readSchemaFiles, type SchemaFiles } from './schema-files';
import { FunctionChanger, functionChanges, type RecordedFunction } from './function-changes';

/** Advisory lock that one migrating server holds; any constant of our own. */
const MIGRATION_LOCK = 4_711_001;
/** The oldest release that may run beside this one, on its schema (docs/versioning.md). */
const MIN_RELEASE = '0.1.0';

/** A release, as the schema knows it. */
export interface Release {
  readonly version: string;
  readonly minRelease: string;
  readonly files: SchemaFiles;
}

export interface MigrationOptions {
  readonly connection: DatabaseConnection;
  readonly allowUnsafe: boolean;
  readonly onProgress: (line: string) => void;
  /** The restore that the database is in the midst of calls. */
  readonly isRestoring?: boolean;
  /** Default: this one. */
  readonly release?: Release;
}

/** What a database says of its schema. */
interface SchemaState {
  /** undefined: there is no schema yet. */
  readonly prefix: string | undefined;
  readonly migrations: readonly string[];
  /** The oldest release that runs on the schema since each of them; null: not recorded, it was run by an early build. */
  readonly needs: Readonly<Record<string, string | null>>;
  /** null: of the time before functions were files. */
  readonly functionsRelease: string | null;
  readonly minRelease: string | null;
  readonly functions: readonly RecordedFunction[];
}
const NO_SCHEMA: SchemaState = {
  ...{ prefix: undefined, migrations: [], needs: {}, functionsRelease: null, minRelease: null, functions: [] },
};

/** Of a database that has no such column yet, too. */
const NEEDS = `(SELECT COALESCE(json_object_agg(name, to_jsonb(m) ->> 'min_release'), '{}') FROM schema_migrations m) AS needs`;
/** The functions that are ours, as JSON. */
const RECORDED = `(SELECT COALESCE(json_agg(json_build_object('signature', signature, 'hash', hash,
  'present', to_regprocedure('public.' || signature) IS NOT NULL)), '[]') FROM schema_functions)`;
const OF_FUNCTIONS = `, functions_release AS "functionsRelease", min_release AS "minRelease", ${RECORDED} AS functions`;

/**
 * Brings the database to this release's schema and returns the roles to run as (docs/adr/0025).
 *
 * Invariants: one at a time, under an advisory lock; all or nothing, in one transaction; a release that is older than the
 * functions of the database changes nothing, so that one which restarts beside a newer one takes nothing back; functions
 * that are not ours are not touched. Refuses an unfit database, one whose restore did not come to its end, and one with a
 * newer schema, unless that says that this release may still run on it: each migration records the oldest that may, so that
 * a server of the release before can be started again beside those that are newer. Where nothing has changed nothing is
 * written.
 */
export async function migrate(options: MigrationOptions): Promise<RoleNames> {
  const release = options.release ?? thisRelease();
  const client = await migrationSession(options.connection);
  try {
    const { major, database } = await preflight(client, options.allowUnsafe);
    await client.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
    if (!options.isRestoring) await refuseRestoring(client);
    const state = await readState(client);
    refuseUnfit(state, release);
    if (unknownMigrations(state.migrations, release.files).length > 0)
      options.onProgress(
        `The database has the schema of release ${state.functionsRelease ?? ''}; ${release.version} still runs on it`,
      );
    const prefix = state.prefix ?? rolePrefix(database);
    const names = roleNames(prefix);
    await ensureRoles(client, prefix, major);
    await bringUpToDate(client, state, release, prefix, options.onProgress);
    await ensureBackupAccess(client, names);
    return names;
  } finally {
    await client.end();
  }
}

/** The session that migrations run in; the caller ends it. */
export async function migrationSession(connection: DatabaseConnection): Promise<Client> {
  const client = new Client({ ...withSession(connection), connectionTimeoutMillis: 10_000 });
  client.on('error', () => undefined);
  await client.connect();
  try {
    await client.query(sessionSql(connection));
    return client;
  } catch (error) {
    await client.end();
    throw error;
  }
}

/** The release that runs. */
export function thisRelease(): Release {
  return { version: VERSION, minRelease: MIN_RELEASE, files: readSchemaFiles() };
}

async function readState(client: Client): Promise<SchemaState> {
  const { rows: known } = await client.query<{ instance: boolean; migrations: boolean; functions: boolean }>(
    `SELECT to_regclass('public.instance') IS NOT NULL AS instance,
       to_regclass('public.schema_migrations') IS NOT NULL AS migrations,
       to_regclass('public.schema_functions') IS NOT NULL AS functions`,
  );
  const { instance = false, migrations = false, functions = false } = known[0] ?? {};
  if (migrations && !instance && (await isCutShort(client)))
    throw new DatabaseRefusal(
      'The first start of an earlier version was cut short on this database before it had made anything: drop the empty table schema_migrations, or use a new database (embedded: a new DATA_DIR)',
    );
  if (instance !== migrations)
    throw new DatabaseRefusal(
      `The schema public holds a table ${instance ? 'instance' : 'schema_migrations'} that is not ChatAPI's: use a database of its own`,
    );
  if (!instance) return NO_SCHEMA;
  const { rows } = await client.query<SchemaState>(
    `SELECT role_prefix AS prefix, ARRAY(SELECT name::text FROM schema_migrations ORDER BY id) AS migrations,
       ${NEEDS} ${functions ? OF_FUNCTIONS : ''} FROM instance`,
  );
  return { ...NO_SCHEMA, ...rows[0] };
}

/** Builds up to 0022 made the list of migrations before the transaction of the first one: theirs, and nothing is in it. */
async function isCutShort(client: Client): Promise<boolean> {
  const { rows: columns } = await client.query<{ name: string }>(
    `SELECT attname::text AS name FROM pg_attribute
     WHERE attrelid = 'public.schema_migrations'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum`,
  );
  if (columns.map(({ name }) => name).join() !== 'id,timestamp,name') return false;
  const { rows } = await client.query<{ empty: boolean }>(
    'SELECT NOT EXISTS (SELECT FROM public.schema_migrations) AS empty',
  );
  return rows[0]?.empty ?? false;
}

function refuseUnfit(state: SchemaState, release: Release): void {
  const { prefix, migrations, functionsRelease } = state;
  if (prefix === undefined) return;
  const { version, files } = release;
  refuseNewer(state, release);
  if (isBeforeFirst(migrations))
    throw new DatabaseRefusal(
      `The database has a schema of before the first release (its last migration is ${migrations.at(-1) ?? 'none'}): no version can bring it up to date`,
    );
  const missing = files.migrations.filter(({ name }) => !migrations.includes(name));
  if (missing.length > 0 && isOlder(version, functionsRelease))
    throw new DatabaseRefusal(
      `The database was brought up to date by release ${functionsRelease ?? ''}, without what ${version} needs (${missing.map(({ name }) => name).join(', ')}): start the newer version`,
    );
}

/**
 * A newer schema is borne by a release that is older than the one that made it (of another build of the same release
 * nothing is promised), and not older than what each of its migrations needs.
 */
function refuseNewer({ migrations, needs, functionsRelease, minRelease }: SchemaState, release: Release): void {
  const { version, files } = release;
  const unknown = unknownMigrations(migrations, files);
  const needed = (name: string): string | null => (isOlder(version, functionsRelease) ? (needs[name] ?? null) : null);
  if (unknown.some((name) => needed(name) === null))
    throw new DatabaseRefusal(
      `The database has a newer schema than this version knows (${unknown.join(', ')}): start the newer version`,
    );
  const beyond = unknown.filter((name) => isOlder(version, needed(name)));
  const least = latest([minRelease, ...beyond.map(needed)]);
  if (least !== null && isOlder(version, least))
    throw new DatabaseRefusal(
      `The database is for release ${least} and newer ones${beyond.length > 0 ? ` since ${beyond.join(', ')}` : ''}, this is ${version}: start a newer version`,
    );
}

async function bringUpToDate(
  client: Client,
  state: SchemaState,
  { version, minRelease: ownMin, files }: Release,
  prefix: string,
  onProgress: (line: string) => void,
): Promise<void> {
  if (isOlder(version, state.functionsRelease)) return;
  const pending = files.migrations.filter(({ name }) => !state.migrations.includes(name));
  const minRelease = latest([state.minRelease, ownMin, ...pending.map((one) => one.minRelease ?? null)]) ?? ownMin;
  const { changed, gone } = functionChanges(files.functions, state.functions, minRelease);
  const isRecorded = state.functionsRelease === version && state.minRelease === minRelease;
  if (isRecorded && pending.length + changed.length + gone.length === 0) return;
  onProgress('Bringing the database schema up to date …');
  const roles = roleNames(prefix);
  // Functions name others that come later.
  await client.query('BEGIN; SET LOCAL check_function_bodies = off');
  const isNew = state.prefix === undefined;
  if (isNew) await makeTables(client, files, prefix);
  else for (const { sql } of pending) await client.query(withRoles(sql, roles));
  const run: Pick<Migration, 'name' | 'minRelease'>[] = [
    ...(isNew ? FIRST_MIGRATIONS.map((name) => ({ name })) : []),
    ...pending,
  ];
  await client.query(
    `INSERT INTO schema_migrations (timestamp, name, min_release)
     SELECT (extract(epoch FROM now()) * 1000)::bigint, name, min_release
     FROM unnest($1::text[], $2::text[]) WITH ORDINALITY n (name, min_release, i) ORDER BY i`,
    [run.map(({ name }) => name), run.map((one) => one.minRelease ?? ownMin)],
  );
  // A migration may have changed what is recorded.
  const { rows } = await client.query<{ functions: RecordedFunction[] }>(`SELECT ${RECORDED} AS functions`);
  const functions = rows[0]?.functions ?? [];
  const changes = functionChanges(files.functions, functions, minRelease);
  await new FunctionChanger(client, roles, functions).apply(changes);
  await client.query('UPDATE instance SET functions_release = $1, min_release = $2', [version, minRelease]);
  await client.query('COMMIT');
}

/** A database that has nothing gets the tables as they are now. */
async function makeTables(client: Client, files: SchemaFiles, prefix: string): Promise<void> {
  for (const sql of files.tables) await client.query(withRoles(sql, roleNames(prefix)));
  await client.query(
    `INSERT INTO instance (role_prefix, lc_ctype)
     SELECT $1, datctype FROM pg_database WHERE datname = current_database()`,
    [prefix],
  );
}

function isOlder(version: string, than: string | null): boolean {
  return than !== null && compareVersions(version, than) < 0;
}

function latest(versions: readonly (string | null)[]): string | null {
  return (
    versions
      .filter((version) => version !== null)
      .sort(compareVersions)
      .at(-1) ?? null
  );
}

/** The migrations that a newer version made. */
export function unknownMigrations(names: readonly string[], files = readSchemaFiles()): string[] {
  const ours = new Set([...FIRST_MIGRATIONS, ...files.migrations.map(({ name }) => name)]);
  return names.filter((name) => !ours.has(name));
}

/** Whether a schema that these migrations made is too old to be brought up to date. */
export function isBeforeFirst(names: readonly string[]): boolean {
  return FIRST_MIGRATIONS.some((name) => !names.includes(name));
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
