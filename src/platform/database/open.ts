import { statfs } from 'node:fs/promises';
import { type DatabaseConfig, forgetPostgresVariables } from '../../config';
import { type Lifecycle, StopStage } from '../lifecycle';
import type { Log } from '../logging';
import { Availability } from './availability';
import { type DatabaseConnection, connectionOf } from './connection';
import { noticeCopy } from './copied-directory';
import { Database, SystemDatabase } from './database';
import { EmbeddedPostgres } from './embedded';
import { Epoch } from './epoch';
import { codeOf } from './errors';
import { explainOpening } from './explain';
import { Failures } from './failures';
import { migrate } from './migrator';
import { createPool } from './pool';
import { throughPooler } from './pooler';
import type { RoleNames } from './roles';
import { Runner } from './runner';
import { ScopedSource } from './scoped-source';
import { ServerLock } from './server-lock';

/** For a clean stop of PostgreSQL; a frozen one must not use up the 30 s that orchestrators give a server to end. */
const FAST_STOP_MS = 8000;
const NO_ROOM = 20 * 1024 * 1024;
/** Of the time that it has: after it PostgreSQL is ended at once, and recovers with the next start. */
const SHARE_OF_FAST_STOP = 0.7;

/** An open database of this version's schema, held by this server. */
export interface OpenDatabase {
  readonly database: Database;
  readonly system: SystemDatabase;
  /** What `database` and `system` know entities by, once it was initialized with them. */
  readonly source: ScopedSource;
  readonly epoch: Epoch;
  readonly availability: Availability;
  readonly failures: Failures;
}

export interface OpenOptions {
  readonly config: DatabaseConfig;
  readonly log: Log;
  readonly lifecycle: Lifecycle;
  /** Lines for a person who waits. */
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
  const { config, log, lifecycle, onProgress } = options;
  const availability = new Availability(connection, log, diskCheck(config));
  const lock = new ServerLock(connection, log, {
    onDoubt: () => availability.suspect(),
    onTaken: () => lifecycle.fatal('another server has taken over this database'),
  });
  lifecycle.onStop(StopStage.pool, 'server lock', () => {
    availability.stop();
    return lock.release();
  });
  await lock.acquire();
  const roles = await migrate({ connection, allowUnsafe: config.allowUnsafe, onProgress });
  const pool = createPool({ connection, size: config.poolSize, waitMs: config.deadlineMs, roles, log });
  lifecycle.onStop(StopStage.pool, 'database pool', pool.close);
  const failures = new Failures();
  const runner = new Runner(pool, availability, config.deadlineMs, (reason, call) => {
    failures.note(reason);
    const { name, tenant, error } = call;
    // An outage is told by `availability`: this is for whoever follows one call.
    log.debug({ call: name, tenant_id: tenant, reason, code: codeOf(error) }, 'database call failed');
  });
  return parts(runner, roles, availability, failures);
}

function parts(runner: Runner, roles: RoleNames, availability: Availability, failures: Failures): OpenDatabase {
  const source = new ScopedSource();
  const system = new SystemDatabase(runner, roles, source);
  const database = new Database(runner, roles, source);
  return { database, system, source, epoch: new Epoch(system), availability, failures };
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

/** Whether the disk of the embedded database has no room for another segment of the WAL; of an outside one nobody knows. */
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
  const runner = new Runner(createPool({ connection, size: 1, waitMs: 1, roles, log }), availability, 1);
  return parts(runner, roles, availability, new Failures());
}
