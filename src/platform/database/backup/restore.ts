import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Client, ClientConfig } from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import type { Log } from '../../logging';
import { isBeforeFirst, migrate, unknownMigrations } from '../migrator';
import { preflight } from '../preflight';
import { ensureRoles, quote, roleNames, rolePrefix } from '../roles';
import { readSql } from '../schema-files';
import { ServerLock } from '../server-lock';
import type { Header, SequenceState, TableEnd } from './backup';
import { BackupRefusal, BlockKind, BlockReader, parse } from './format';
import { forRoles, type Names, roleOf, type Schema, type SchemaStatement } from './schema';
import { withBackupSession } from './session';

export interface RestoreRequest {
  readonly file: string;
  /** Opens the target, once it is clear that the file is for this release and its keys are here; nothing before. */
  readonly openTarget: () => Promise<ClientConfig>;
  /** Refuses where the keys that the file needs are nowhere, or returns what puts them where the server finds them. */
  readonly takeKeys: (header: Header, secrets: object | undefined) => Promise<() => Promise<void>>;
  readonly allowUnsafe: boolean;
  readonly log: Log;
  readonly onProgress: (line: string) => void;
  readonly signal: AbortSignal;
}

/** What was restored. */
export interface RestoreSummary {
  readonly header: Header;
  readonly rows: number;
  readonly epoch: number;
}

/**
 * The mark: `loading` from the first moment, `loaded` from the commit of the rows on. It stands in a table of its own,
 * since it must be there before any schema is.
 */
interface Mark {
  readonly backup_id: string;
  readonly state: 'loading' | 'loaded';
}
const MAKE_MARK = readSql(join(__dirname, 'mark.sql'));

/** What an empty database does not have: anything in `public` that is no extension's, but for the mark. */
const FOREIGN = `
  SELECT what FROM (
    SELECT relname::text AS what, oid, 'pg_class'::regclass AS class FROM pg_class
      WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
        AND oid IS DISTINCT FROM to_regclass('public.restoring')
    UNION ALL SELECT proname || '()', oid, 'pg_proc'::regclass FROM pg_proc WHERE pronamespace = 'public'::regnamespace) x
  WHERE NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = x.class AND d.objid = x.oid AND d.deptype = 'e')
  ORDER BY what LIMIT 1`;

/** Fills an empty database from the file, or changes nothing that a server would start on. Rejects with one clear line. */
export async function restore(request: RestoreRequest): Promise<RestoreSummary> {
  const handle = await open(request.file, 'r').catch((error: unknown) => {
    throw new BackupRefusal(`Cannot read ${request.file} (${(error as NodeJS.ErrnoException).code ?? 'error'})`);
  });
  try {
    return await restoreFrom(handle, request);
  } finally {
    await handle.close();
  }
}

async function restoreFrom(handle: FileHandle, request: RestoreRequest): Promise<RestoreSummary> {
  const reader = await BlockReader.begin(handle, request.file);
  const header = parse(await reader.expect(BlockKind.header)) as Header;
  const unknown = unknownMigrations(header.schema);
  if (unknown.length > 0)
    throw new BackupRefusal(
      `${request.file} was made by a newer release (${header.release}, its schema has ${unknown.join(', ')}): restore it with that one`,
    );
  if (isBeforeFirst(header.schema))
    throw new BackupRefusal(
      `${request.file} was made before the first release (its schema ends with ${header.schema.at(-1) ?? 'nothing'}): no version can bring it up to date`,
    );
  const secrets = header.has_secrets ? (parse(await reader.expect(BlockKind.secrets)) as object) : undefined;
  const keepKeys = await request.takeKeys(header, secrets);
  const connection = await request.openTarget();
  return asOnlyServer(connection, request, (signal) =>
    withBackupSession(connection, signal, async (client) => {
      const names = await prepare(client, header, request);
      const rows = await load(client, reader, names, header, request.onProgress);
      await keepKeys();
      request.onProgress('Bringing the schema up to date …');
      await migrate({ ...request, connection, isRestoring: true });
      return { header, rows, epoch: await finish(client, request.onProgress) };
    }),
  );
}

/** No server is on the database, none may come, and no other restore. */
async function asOnlyServer<T>(
  connection: ClientConfig,
  { log, signal }: RestoreRequest,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const taken = new AbortController();
  const lock = new ServerLock(connection, log, {
    onDoubt: () => undefined,
    onTaken: () => taken.abort(new BackupRefusal('A server has taken over this database: run the restore again')),
  });
  try {
    await lock.acquire();
    return await work(AbortSignal.any([signal, taken.signal]));
  } finally {
    await lock.release();
  }
}

/** Marks the database, unless it is not empty. Returns the roles, made if need be. */
async function prepare(client: Client, header: Header, { allowUnsafe }: RestoreRequest): Promise<Names> {
  const { major, database, login } = await preflight(client, allowUnsafe);
  const mark = await readMark(client);
  if (mark?.state !== 'loaded') {
    const { rows } = await client.query<{ what: string }>(FOREIGN);
    if (rows[0])
      throw new BackupRefusal(
        `The database "${database}" is not empty (it holds ${rows[0].what}): restore into an empty one`,
      );
    await client.query(`BEGIN; ${MAKE_MARK} DELETE FROM public.restoring`);
    await client.query(`INSERT INTO public.restoring (backup_id, state) VALUES ($1, 'loading')`, [header.backup_id]);
    await client.query('COMMIT');
  } else if (mark.backup_id !== header.backup_id)
    throw new BackupRefusal(
      `Another backup was restored into the database "${database}" and not brought to its end: end that one with its file, or restore into an empty database`,
    );
  const prefix = rolePrefix(database);
  await ensureRoles(client, prefix, major);
  return { ...roleNames(prefix), login };
}

async function readMark(client: Client): Promise<Mark | undefined> {
  const { rows } = await client.query<{ marked: boolean }>(
    `SELECT to_regclass('public.restoring') IS NOT NULL AS marked`,
  );
  if (!rows[0]?.marked) return undefined;
  return (await client.query<Mark>('SELECT backup_id, state FROM public.restoring')).rows[0];
}

/**
 * Schema and rows, all in one transaction, which is committed only when the file has been read to its end. Where that was
 * done before, the file is only read: it has to be the same one, and whole.
 */
async function load(
  client: Client,
  reader: BlockReader,
  names: Names,
  header: Header,
  onProgress: (line: string) => void,
): Promise<number> {
  const isLoaded = (await readMark(client))?.state === 'loaded';
  await client.query(isLoaded ? 'BEGIN READ ONLY' : 'BEGIN');
  const schema = parse(await reader.expect(BlockKind.schema)) as Schema;
  if (!isLoaded) await build(client, schema.before, names);
  let total = 0;
  for (const table of schema.tables) {
    const rows = isLoaded ? await skimTable(reader) : await loadTable(client, reader, table);
    onProgress(`${table.name}: ${rows} rows`);
    total += rows;
  }
  const sequences = parse(await reader.expect(BlockKind.sequences)) as SequenceState[];
  const end = parse(await reader.expect(BlockKind.end)) as { rows: number };
  if (end.rows !== total) throw reader.damaged();
  if (!isLoaded) {
    onProgress('Building indexes …');
    await build(client, schema.after, names);
    for (const { name, last_value, is_called } of sequences)
      await client.query('SELECT setval($1::regclass, $2, $3)', [`public.${quote(name)}`, last_value, is_called]);
    await client.query('UPDATE public.instance SET role_prefix = $1', [names.tenant.replace(/_tenant$/, '')]);
    await client.query(`UPDATE public.restoring SET state = 'loaded' WHERE backup_id = $1`, [header.backup_id]);
  }
  await client.query('COMMIT');
  return total;
}

/** Each statement as the role that is to own what it makes; that one may create things for as long. */
async function build(client: Client, statements: readonly SchemaStatement[], names: Names): Promise<void> {
  const owners = [...new Set(statements.map(({ as }) => roleOf(as, names)))].filter((name) => name !== names.login);
  for (const owner of owners) await client.query(`GRANT CREATE, USAGE ON SCHEMA public TO ${quote(owner)}`);
  for (const { sql, as } of statements) {
    const role = roleOf(as, names);
    if (role !== names.login) await client.query(`SET LOCAL ROLE ${quote(role)}`);
    await client.query(forRoles(sql, names));
    if (role !== names.login) await client.query('RESET ROLE');
  }
  for (const owner of owners) await client.query(`REVOKE CREATE ON SCHEMA public FROM ${quote(owner)}`);
}

async function loadTable(client: Client, reader: BlockReader, table: Schema['tables'][number]): Promise<number> {
  await reader.expect(BlockKind.table);
  const columns = table.columns.map(quote).join(', ');
  const stream = client.query(copyFrom(`COPY public.${quote(table.name)} (${columns}) FROM STDIN WITH (FREEZE)`));
  let wanted = 0;
  await pipeline(
    rowsOf(reader, (end) => (wanted = end.rows)),
    stream,
  );
  if (stream.rowCount !== wanted) throw reader.damaged();
  return wanted;
}

async function skimTable(reader: BlockReader): Promise<number> {
  await reader.expect(BlockKind.table);
  let rows = 0;
  await pipeline(
    rowsOf(reader, (end) => (rows = end.rows)),
    new Writable({ write: (_chunk, _encoding, done) => done() }),
  );
  return rows;
}

async function* rowsOf(reader: BlockReader, onEnd: (end: TableEnd) => void): AsyncGenerator<Buffer> {
  let block = await reader.next();
  for (; block?.kind === BlockKind.rows; block = await reader.next()) yield block.body;
  if (block?.kind !== BlockKind.tableEnd) throw reader.damaged();
  onEnd(parse(block.body) as TableEnd);
}

/** The plans need statistics; then, in one transaction, another epoch, and the mark is gone. */
async function finish(client: Client, onProgress: (line: string) => void): Promise<number> {
  onProgress('Collecting statistics …');
  const { rows: tables } = await client.query<{ name: string }>(
    `SELECT format('%I.%I', n.nspname, c.relname) AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = 'public' AND c.relkind = 'r' AND pg_has_role(current_user, c.relowner, 'USAGE')`,
  );
  await client.query(`ANALYZE ${tables.map(({ name }) => name).join(', ')}`);
  await client.query('BEGIN');
  const { rows } = await client.query<{ epoch: string }>('SELECT public.raise_epoch(NULL) AS epoch');
  // Of the database that the backup was made of.
  await client.query('UPDATE public.instance SET database_server = NULL');
  await client.query('DROP TABLE public.restoring');
  await client.query('COMMIT');
  return Number(rows[0]?.epoch);
}
