import { statfs } from 'node:fs/promises';
import { type DatabaseConfig, forgetPostgresVariables } from '../../config';
import { type Lifecycle, StopStage } from '../lifecycle';
import type { Log } from '../logging';
import { Availability, doubtMs, Failures, PoolUse } from './availability';
import { connectionOf, type DatabaseConnection } from './connection';
import { Epoch, noticeCopy } from './epoch';
import { Database, SystemDatabase } from './database';
import { EmbeddedPostgres } from './embedded';
import { codeOf, DatabaseRefusal, isServerError } from './errors';
import { AcknowledgedChanges } from './failover/acknowledged';
import { type FailoverOptions, FailoverWatch } from './failover/failover-watch';
import { createPool, GuardedClient } from './pool';
import { migrate } from './migrator';
import type { RoleNames } from './roles';
import { Runner } from './runner';
import { ScopedSource } from './scoped-source';
import { ServerLock } from './server-lock';
import { SessionLocks } from './session-locks';
import { TenantSnapshots } from './snapshot';

/** For a clean stop of PostgreSQL; a frozen one must not use up the 30 s that orchestrators give a server to end. */
const FAST_STOP_MS = 8000;
/** An answer to the watch that takes so many times longer than a slow one does not come any more. */
const WATCH_BEATS = 5;
const NO_ROOM = 20 * 1024 * 1024;
/** Of the time that it has: after it PostgreSQL is ended at once, and recovers with the next start. */
const SHARE_OF_FAST_STOP = 0.7;

/** An open database of this version's schema, held by this server, alone or with others. */
export interface OpenDatabase {
  readonly database: Database;
  readonly system: SystemDatabase;
  /** What `database` and `system` know entities by, once it was initialized with them. */
  readonly source: ScopedSource;
  readonly epoch: Epoch;
  readonly availability: Availability;
  readonly failures: Failures;
  readonly poolUse: PoolUse;
  readonly snapshots: TenantSnapshots;
  readonly locks: SessionLocks;
  /** What has to be looked up after a failover. */
  readonly acknowledged: AcknowledgedChanges;
}

export interface OpenOptions {
  readonly config: DatabaseConfig;
  /** Whether other servers that say so too may run on this database. Default: it is this server's alone. */
  readonly isShared?: boolean;
  readonly log: Log;
  readonly lifecycle: Lifecycle;
  /** Lines for an operator that waits. */
  readonly onProgress: (line: string) => void;
}

/**
 * Opens the database: starts the embedded PostgreSQL unless DATABASE_URL is set, takes the server's lock, migrates,
 * opens the pool, and notices where the embedded directory is a copy. Each step registers its own end with the
 * lifecycle. Throws with one clear line.
 */
export async function openDatabase(options: OpenOptions): Promise<OpenDatabase> {
  const { url } = options.config;
  forgetPostgresVariables();
  if (url === undefined) {
    if (options.config.requireSyncStandby)
      throw new DatabaseRefusal(
        'DATABASE_REQUIRE_SYNC_STANDBY=true needs a DATABASE_URL: the embedded PostgreSQL has no standby',
      );
    const open = await openOn(await startEmbedded(options), options);
    await noticeCopy(open.system, open.epoch, options.config.dataDir, options.log);
    return open;
  }
  const connection = connectionOf(url);
  try {
    return await openOn(await throughPooler(connection), options);
  } catch (error) {
    throw explainOpening(error, connection);
  }
}

async function openOn(connection: DatabaseConnection, options: OpenOptions): Promise<OpenDatabase> {
  const { config, isShared = false, log, lifecycle } = options;
  const slowMs = doubtMs(config.deadlineMs);
  const availability = new Availability(connection, log, diskCheck(config), slowMs);
  const events = {
    onDoubt: () => availability.suspect(),
    onTaken: () => lifecycle.fatal('another server has taken over this database'),
  };
  const lock = new ServerLock(connection, log, events, { isShared, slowMs });
  lifecycle.onStop(StopStage.pool, 'server lock', () => {
    availability.stop();
    return lock.release();
  });
  await lock.acquire();
  return openUnlocked(connection, options, availability, lock);
}

/** What follows on the server's lock; without it, in tests, several servers can be opened on one database. */
export async function openUnlocked(
  connection: DatabaseConnection,
  options: OpenOptions,
  availability = new Availability(connection, options.log),
  lock?: ServerLock,
): Promise<OpenDatabase> {
  const { config, log, lifecycle, onProgress } = options;
  const locks = new SessionLocks(connection, log);
  lifecycle.onStop(StopStage.pool, 'session locks', () => {
    availability.stop();
    return locks.releaseAll();
  });
  const roles = await migrate({ connection, allowUnsafe: config.allowUnsafe, onProgress });
  const acknowledged = new AcknowledgedChanges();
  const watch = await watchFailovers({ connection, roles, log, availability }, acknowledged, options);
  const limits = { size: config.poolSize, waitMs: config.deadlineMs };
  const pool = createPool({ connection, ...limits, roles, log, admit: watch?.admit });
  lifecycle.onStop(StopStage.pool, 'database pool', pool.close);
  availability.onPrimaryBack(pool.renew);
  const failures = new Failures();
  const runner = new Runner(pool, availability, config.deadlineMs, (reason, call) => {
    failures.note(reason);
    const { name, tenant, error } = call;
    // An outage is logged by `availability`: this is for an operator that follows one call.
    log.debug({ call: name, tenant_id: tenant, reason, code: codeOf(error) }, 'database call failed');
  });
  const snapshots = new TenantSnapshots(connection, roles, availability);
  const poolUse = new PoolUse(pool.levels);
  const open = parts(runner, roles, { availability, failures, poolUse, snapshots, locks, acknowledged });
  const leave = (): void => {
    pool.leave();
    lock?.moveOn();
  };
  watch?.begin({ epoch: open.epoch, leave, onTakeover: (outcome) => failures.noteTakeover(outcome) });
  return open;
}

/** undefined: the embedded PostgreSQL, in whose place no other one can come; or one that does not say which it is. */
async function watchFailovers(
  ways: Pick<FailoverOptions, 'connection' | 'roles' | 'log' | 'availability'>,
  acknowledged: AcknowledgedChanges,
  { config, lifecycle }: OpenOptions,
): Promise<FailoverWatch | undefined> {
  if (config.url === undefined) return undefined;
  const timeoutMs = WATCH_BEATS * doubtMs(config.deadlineMs);
  const watch = await FailoverWatch.open(
    { ...ways, timeoutMs, requiresStandby: config.requireSyncStandby },
    acknowledged,
  );
  lifecycle.onStop(StopStage.pool, 'failover watch', () => watch?.stop());
  return watch;
}

function parts(
  runner: Runner,
  roles: RoleNames,
  state: Omit<OpenDatabase, 'database' | 'system' | 'source' | 'epoch'>,
): OpenDatabase {
  const source = new ScopedSource();
  const system = new SystemDatabase(runner, roles, source);
  const database = new Database(runner, roles, source);
  return { database, system, source, epoch: new Epoch(system), ...state };
}

async function startEmbedded({ config, log, lifecycle, onProgress }: OpenOptions): Promise<DatabaseConnection> {
  const embedded = new EmbeddedPostgres({
    dataDir: config.dataDir,
    onProgress,
    timeouts: { stopMs: FAST_STOP_MS },
    log: {
      debug: (message) => log.debug({}, message),
      info: (message) => log.info({}, message),
      warn: (message) => log.warn({}, message),
      error: (message) => log.error({}, message),
    },
  });
  lifecycle.onStop(
    StopStage.postgres,
    'embedded postgres',
    () => embedded.stop(lifecycle.stageLeftMs * SHARE_OF_FAST_STOP),
    30_000,
  );
  await embedded.start();
  return embedded.connection();
}

/** Whether the disk of the embedded database has no room for another segment of the WAL; not known of an outside one. */
function diskCheck({ url, dataDir }: DatabaseConfig): (() => Promise<boolean>) | undefined {
  if (url !== undefined) return undefined;
  return async () => {
    const { bavail, bsize } = await statfs(dataDir);
    return bavail * bsize < NO_ROOM;
  };
}

/** The same shape without a database behind it: for documents that are made from the code alone. */
export function unopenedDatabase(log: Log): OpenDatabase {
  const roles = { tenant: '', system: '', append: '', backup: '' };
  const connection = { host: '/nowhere' };
  const availability = new Availability(connection, log);
  const pool = createPool({ connection, size: 1, waitMs: 1, roles, log });
  const snapshots = new TenantSnapshots(connection, roles, availability);
  const state = {
    ...{ availability, snapshots, failures: new Failures(), poolUse: new PoolUse(pool.levels) },
    ...{ locks: new SessionLocks(connection, log), acknowledged: new AcknowledgedChanges() },
  };
  return parts(new Runner(pool, availability, 1), roles, state);
}

const TIMEOUT_MS = 5000;

/** Each is another chance for a pooler that hands out several sessions in turns to show itself. */
const ROUNDS = 5;

const GUARD = { applicationName: 'chatapi start', timeoutMs: TIMEOUT_MS } as const;

const PROTOCOL_VIOLATION = '08P01';

/**
 * Finds out what stands between the server and PostgreSQL. The server's lock, its roles and its prepared statements
 * live in sessions, so a pooler that gives one session to several clients is refused, before any of them is taken; one
 * that keeps a session for each client is good, and its connections are told to set up their sessions by statement.
 */
async function throughPooler(connection: DatabaseConnection): Promise<DatabaseConnection> {
  const { client, isPooled } = await openFirst(connection);
  try {
    const own = await backendOf(client);
    if (!isPooled && client.processId === own) return connection;
    const pooled = { ...connection, isPooled: true };
    await refuseShared(pooled, client, own);
    return pooled;
  } finally {
    await client.close();
  }
}

async function openFirst(connection: DatabaseConnection): Promise<{ client: GuardedClient; isPooled: boolean }> {
  try {
    return { client: await GuardedClient.open(connection, GUARD), isPooled: false };
  } catch (error) {
    // "unsupported startup parameter: options", which PostgreSQL itself never says.
    if (!isServerError(error) || codeOf(error) !== PROTOCOL_VIOLATION) throw error;
    return { client: await GuardedClient.open({ ...connection, isPooled: true }, GUARD), isPooled: true };
  }
}

/** One client that changes its session between two statements, or two that have the same one. */
async function refuseShared(pooled: DatabaseConnection, first: GuardedClient, own: number): Promise<void> {
  const second = await GuardedClient.open(pooled, GUARD).catch((error: unknown) => {
    // A pooler that keeps sessions apart and has one alone to give lets the next client wait.
    if (codeOf(error) === 'ETIMEDOUT') return undefined;
    throw error;
  });
  if (second === undefined) return;
  try {
    for (let round = 0; round < ROUNDS; round++) {
      // The first one twice in a row: two that take turns strictly may each meet "their" session of two again and again.
      const seen = [await backendOf(first), await backendOf(first), await backendOf(second)] as const;
      if (seen[0] !== own || seen[1] !== own || seen[2] === own) throw new DatabaseRefusal(SHARED);
    }
  } finally {
    await second.close();
  }
}

const SHARED =
  'DATABASE_URL leads to a connection pooler (PgBouncer?) that shares sessions between transactions: let it pool by session (pool_mode = session), or connect to PostgreSQL directly';

async function backendOf(client: GuardedClient): Promise<number> {
  const [row] = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  return row?.pid ?? 0;
}

const UNTRUSTED = new Set([
  ...['SELF_SIGNED_CERT_IN_CHAIN', 'DEPTH_ZERO_SELF_SIGNED_CERT', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
  ...['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'CERT_HAS_EXPIRED', 'ERR_TLS_CERT_ALTNAME_INVALID'],
]);

interface Target {
  readonly where: string;
  readonly host: string;
  readonly user: string;
  readonly database: string;
}

/** Why an outside database could not be opened, as one clear line; what is not about the connection comes back as it is. */
export function explainOpening(error: unknown, connection: DatabaseConnection): unknown {
  const { host = '', port = 5432, user = '', database = '' } = connection;
  const where = host.startsWith('/') ? host : `${host}:${port}`;
  const line = explain(error, { where, host, user, database });
  return line === undefined ? error : new DatabaseRefusal(line, { cause: error });
}

function explain(error: unknown, target: Target): string | undefined {
  if (isServerError(error)) return explainAnswer(error.code ?? '', error.message, target);
  return explainSocket(codeOf(error), target) ?? explainDriver(error, target);
}

function explainAnswer(code: string, message: string, { where, user, database }: Target): string | undefined {
  switch (code) {
    case '28P01':
      return `PostgreSQL on ${where} refuses the password of "${user}": correct DATABASE_URL`;
    case '28000': {
      const hint = message.includes('no encryption') ? ' (add ?sslmode=verify-full to DATABASE_URL)' : '';
      return `PostgreSQL on ${where} does not let "${user}" in: ${message}${hint}`;
    }
    case '3D000':
      return `The database "${database}" does not exist on ${where}: create it with CREATE DATABASE "${database}" OWNER "${user}"`;
    case '53300':
      return `PostgreSQL on ${where} has no free connection for "${user}": raise its max_connections, or the CONNECTION LIMIT of the role or the database`;
    case '57P01':
    case '57P02':
    case '57P03':
      return `PostgreSQL on ${where} is starting up or shutting down: try again in a moment`;
    default:
      return undefined;
  }
}

function explainSocket(code: string | undefined, { where, host }: Target): string | undefined {
  switch (code) {
    case 'ECONNREFUSED':
      return `No PostgreSQL answers on ${where} (connection refused): start it, or correct DATABASE_URL`;
    case 'ENOENT':
      return `There is no PostgreSQL socket in ${host}: start PostgreSQL, or correct DATABASE_URL`;
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `The host "${host}" of DATABASE_URL is not known`;
    case 'ETIMEDOUT':
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return `PostgreSQL on ${where} does not answer (${code}): check DATABASE_URL and the network`;
    case 'ECONNRESET':
      return `${where} hung up: check that PostgreSQL listens there`;
    default:
      if (code === undefined || !UNTRUSTED.has(code)) return undefined;
      return `The certificate of PostgreSQL on ${where} is not trusted (${code}): add sslrootcert=<file> to DATABASE_URL, or sslmode=no-verify`;
  }
}

/** The driver's own errors have words alone. */
function explainDriver(error: unknown, { where, user }: Target): string | undefined {
  const message = error instanceof Error ? error.message : '';
  if (message.includes('does not support SSL'))
    return `PostgreSQL on ${where} does not speak TLS: take sslmode out of DATABASE_URL`;
  if (message.includes('password must be a'))
    return `PostgreSQL on ${where} wants a password for "${user}": add it to DATABASE_URL`;
  if (message.includes('Connection terminated')) return `${where} hung up: check that PostgreSQL listens there`;
  return undefined;
}
