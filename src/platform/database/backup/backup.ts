/**
 * Backup and restore: the whole database as one file, from any PostgreSQL that the server runs on to any other
 * (docs/adr/0024-backup.md has the format).
 *
 * Invariants
 * - A file is one point in time: everything is read in one snapshot, while the server goes on.
 * - A file that exists under its name is whole: it is written as FILE.partial, synced, and renamed. Each block's checksum
 *   covers all that came before it, and the last block says what there was; anything else is refused.
 * - A file brings the schema that it was made under, and is restored by that, not by this release's migrations; those
 *   which it lacks are run afterwards.
 * - A restore begins only on an empty database, marks it before it writes (`restoring`, on which no server starts), loads
 *   in one transaction, and takes the mark away in the transaction that raises the epoch. Killed anywhere, it is run again
 *   with the same file: it begins anew, or goes on behind the load.
 * - A file holds no key that opens what is encrypted in it, unless it is asked to, and then sealed with a passphrase.
 *
 * Memory is flat: rows pass in blocks of a megabyte, each side waits for the other.
 */
import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { access, type FileHandle, open, rename, rm, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Client, ClientConfig } from 'pg';
import { to as copyTo } from 'pg-copy-streams';
import { recordedPrefix, unknownMigrations } from '../migrator';
import { preflight } from '../preflight';
import { ensureRoles, quote, roleNames } from '../roles';
import { ensureBackupAccess } from './access';
import { BackupRefusal, BlockKind, BlockWriter, ROWS_BYTES } from './format';
import { type Names, readSchema, type Schema } from './schema';
import { withBackupSession } from './session';

/** The first block. */
export interface Header {
  readonly backup_id: string;
  readonly release: string;
  /** ISO 8601, by the database's clock: the point in time. */
  readonly made_at: string;
  /** The migrations that made the schema, oldest first. */
  readonly schema: readonly string[];
  readonly instance_id: string;
  readonly epoch: number;
  /** Fingerprints of the keys that open what is encrypted; the first is the one in force. */
  readonly keys: readonly string[];
  readonly has_secrets: boolean;
}

export interface TableEnd {
  readonly rows: number;
}

export interface SequenceState {
  readonly name: string;
  readonly last_value: string;
  readonly is_called: boolean;
}

export interface BackupRequest {
  readonly connection: ClientConfig;
  readonly file: string;
  /** Of the server, as package.json has it. */
  readonly release: string;
  readonly keys: readonly string[];
  /** The installation's secrets, sealed; absent: the file holds none. */
  readonly sealSecrets?: ((backupId: string) => Promise<object>) | undefined;
  /** Rests twice as long as it works, so that a server that runs beside it keeps its pace (`npm run bench:backup`). */
  readonly isGentle: boolean;
  /** Lines for an operator that waits. */
  readonly onProgress: (line: string) => void;
  readonly signal: AbortSignal;
}

/** What was written. */
export interface BackupSummary {
  readonly header: Header;
  readonly rows: number;
  readonly bytes: number;
}

/** Writes the file, whole or not at all. Rejects with one clear line. */
export async function backup(request: BackupRequest): Promise<BackupSummary> {
  const file = resolve(request.file);
  if (await exists(file)) throw new BackupRefusal(`${request.file} exists already: name a file that does not`);
  const partial = `${file}.partial`;
  // One that was cut short has no owner any more; a backup that still writes it notices at the end.
  await rm(partial, { force: true });
  const handle = await open(partial, 'wx', 0o600).catch((error: unknown) => {
    throw new BackupRefusal(`Cannot write ${partial} (${(error as NodeJS.ErrnoException).code ?? 'error'})`);
  });
  try {
    const summary = await withBackupSession(request.connection, request.signal, (client) =>
      write(client, handle, request),
    );
    await handle.sync();
    await publish(handle, partial, file);
    return summary;
  } catch (error) {
    if (await isOurs(handle, partial)) await rm(partial, { force: true });
    throw explainWrite(error, partial);
  } finally {
    await handle.close();
  }
}

async function write(client: Client, handle: FileHandle, request: BackupRequest): Promise<BackupSummary> {
  const names = await prepare(client);
  await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  await client.query(`SET LOCAL ROLE ${quote(names.backup)}`);
  const schema = await readSchema(client, names);
  await hold(client, schema);
  const header = await readHeader(client, request);
  const writer = await BlockWriter.begin(handle);
  await writer.json(BlockKind.header, header);
  if (request.sealSecrets) await writer.json(BlockKind.secrets, await request.sealSecrets(header.backup_id));
  await writer.json(BlockKind.schema, schema);
  let rows = 0;
  for (const table of schema.tables) rows += await writeTable(client, writer, table, request);
  await writer.json(BlockKind.sequences, await readSequences(client, schema));
  await writer.json(BlockKind.end, { tables: schema.tables.length, rows });
  await client.query('COMMIT');
  return { header, rows, bytes: writer.bytes };
}

/** Refuses what is no whole database of this release or an older one; leaves it readable. */
async function prepare(client: Client): Promise<Names> {
  // Whether it is durable is nothing that reading depends on.
  const { major, login } = await preflight(client, true);
  const { rows } = await client.query<{ restoring: boolean }>(
    `SELECT to_regclass('public.restoring') IS NOT NULL AS restoring`,
  );
  if (rows[0]?.restoring)
    throw new BackupRefusal('A restore into this database did not come to its end: there is nothing to back up');
  const prefix = await recordedPrefix(client);
  if (prefix === undefined) throw new BackupRefusal('This database is empty: no server has run on it');
  // At a server's start this has been done; a database whose server has not yet been of this release may lack it.
  await ensureRoles(client, prefix, major);
  await ensureBackupAccess(client, roleNames(prefix));
  return { ...roleNames(prefix), login };
}

/** No session changes a table's form until the end; as pg_dump does. */
async function hold(client: Client, schema: Schema): Promise<void> {
  await client.query(`SET LOCAL lock_timeout = '30s'`);
  const tables = schema.tables.map(({ name }) => `public.${quote(name)}`);
  await client.query(`LOCK TABLE ${tables.join(', ')} IN ACCESS SHARE MODE`);
  await client.query('SET LOCAL lock_timeout = 0');
}

async function readHeader(client: Client, { release, keys, sealSecrets }: BackupRequest): Promise<Header> {
  const { rows } = await client.query<{ instance_id: string; epoch: string; made_at: Date; schema: string[] }>(
    `SELECT instance_id, epoch, now() AS made_at,
       ARRAY(SELECT name::text FROM public.schema_migrations ORDER BY id) AS schema FROM public.instance`,
  );
  const row = rows[0];
  if (!row) throw new BackupRefusal('This database is empty: no server has run on it');
  const unknown = unknownMigrations(row.schema);
  if (unknown.length > 0)
    throw new BackupRefusal(
      `The database has a newer schema than this version knows (${unknown.join(', ')}): back it up with the newer version`,
    );
  return {
    backup_id: randomUUID(),
    release,
    made_at: row.made_at.toISOString(),
    schema: row.schema,
    instance_id: row.instance_id,
    epoch: Number(row.epoch),
    keys,
    has_secrets: sealSecrets !== undefined,
  };
}

async function writeTable(
  client: Client,
  writer: BlockWriter,
  table: Schema['tables'][number],
  { isGentle, onProgress }: BackupRequest,
): Promise<number> {
  await writer.json(BlockKind.table, table);
  const columns = table.columns.map(quote).join(', ');
  const stream = client.query(copyTo(`COPY public.${quote(table.name)} (${columns}) TO STDOUT`));
  let chunks: Buffer[] = [];
  let size = 0;
  let begun = performance.now();
  const flush = async (): Promise<void> => {
    await writer.block(BlockKind.rows, Buffer.concat(chunks));
    chunks = [];
    size = 0;
    if (isGentle) await pause(2 * (performance.now() - begun));
    begun = performance.now();
  };
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    size += chunk.length;
    if (size >= ROWS_BYTES) await flush();
  }
  if (size > 0) await flush();
  // The count comes with the command's end, which may follow the stream's.
  await client.query('SELECT 1');
  await writer.json(BlockKind.tableEnd, { rows: stream.rowCount } satisfies TableEnd);
  onProgress(`${table.name}: ${stream.rowCount} rows`);
  return stream.rowCount;
}

/** They know no snapshot: read behind the rows, they are beyond every number that was given to one. */
async function readSequences(client: Client, schema: Schema): Promise<SequenceState[]> {
  const states: SequenceState[] = [];
  for (const name of schema.sequences) {
    const { rows } = await client.query<{ last_value: string; is_called: boolean }>(
      `SELECT last_value, is_called FROM public.${quote(name)}`,
    );
    if (rows[0]) states.push({ name, ...rows[0] });
  }
  return states;
}

/** Durably under its name, unless another backup has taken the partial file or the name meanwhile. */
async function publish(handle: FileHandle, partial: string, file: string): Promise<void> {
  if (!(await isOurs(handle, partial))) throw new BackupRefusal(`Another backup writes ${partial}`);
  if (await exists(file)) throw new BackupRefusal(`${file} exists already: name a file that does not`);
  await rename(partial, file);
  if (process.platform === 'win32') return;
  const directory = await open(dirname(file), 'r');
  await directory.sync().finally(() => directory.close());
}

async function isOurs(handle: FileHandle, partial: string): Promise<boolean> {
  const [own, found] = await Promise.all([handle.stat(), stat(partial).catch(() => undefined)]);
  return found?.ino === own.ino && found.dev === own.dev;
}

async function exists(file: string): Promise<boolean> {
  return access(file, constants.F_OK).then(
    () => true,
    () => false,
  );
}

function explainWrite(error: unknown, partial: string): unknown {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new BackupRefusal(`The disk of ${partial} is full: name a file on another one`, { cause: error });
  return error;
}
