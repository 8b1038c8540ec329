/** Which PostgreSQL a session has reached, and what it says of how commits are kept. */
import type { QueryResultRow } from 'pg';
import { DatabaseRefusal } from '../errors';

/** A running PostgreSQL that takes writes. Another one in any of the three may have less than was acknowledged. */
export interface DatabaseServer {
  /** The system identifier: the same in all copies of one cluster. */
  readonly system: string;
  /** From 1; each promotion of a standby begins another one. Two standbys that know nothing of each other begin the same. */
  readonly timeline: number;
  /** When its postmaster was started, in seconds since 1970, with their fraction. */
  readonly started: string;
}

/** What `instance.database_server` holds: what a server of ours knew last of its database. */
export interface StoredServer {
  readonly system: string;
  readonly timeline: number;
  /** By the UUID of a watch, of which several may be on one database: see `AcknowledgedChanges`. */
  readonly marks: Readonly<Record<string, { readonly mark: string }>>;
  readonly isSynchronous: boolean;
}

/** What the watch looks at. */
export interface DatabaseFacts {
  /** undefined: it is a standby. */
  readonly server: DatabaseServer | undefined;
  readonly epoch: number;
  readonly stored: StoredServer | null;
  /** Whether each commit waits until a standby has it on its disk. */
  readonly isSynchronous: boolean;
}

/** Runs one statement as the login role; bigint comes as a number. */
export type Ask = <R extends QueryResultRow>(text: string, values?: readonly unknown[]) => Promise<R[]>;

interface ServerRow {
  readonly system: string;
  readonly timeline: number | null;
  readonly started: string;
}

// The first eight hex digits of a segment's name are the timeline that is written now; a standby writes none.
const SERVER = `(SELECT system_identifier::text FROM pg_control_system()) AS system,
  CASE WHEN NOT pg_is_in_recovery()
    THEN ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::integer END AS timeline,
  extract(epoch FROM pg_postmaster_start_time())::text AS started`;

/** For every new connection. */
const WHICH_SERVER = `SELECT ${SERVER}`;

const FACTS = `SELECT ${SERVER}, i.epoch, i.database_server AS stored,
  current_setting('synchronous_standby_names') <> '' AND current_setting('synchronous_commit') IN ('on', 'remote_apply')
    AS synchronous FROM instance i`;

/** undefined: it is a standby. */
export async function readServer(ask: Ask): Promise<DatabaseServer | undefined> {
  const [row] = await ask<ServerRow>(WHICH_SERVER);
  return row && serverOf(row);
}

export async function readFacts(ask: Ask): Promise<DatabaseFacts> {
  const [row] = await ask<
    ServerRow & { readonly epoch: number; readonly stored: StoredServer | null; readonly synchronous: boolean }
  >(FACTS);
  if (row === undefined) throw new Error('the table instance is empty');
  return { server: serverOf(row), epoch: row.epoch, stored: row.stored, isSynchronous: row.synchronous };
}

function serverOf({ system, timeline, started }: ServerRow): DatabaseServer | undefined {
  return timeline === null ? undefined : { system, timeline, started };
}

/** The same one, without a restart. */
export function isSameServer(a: DatabaseServer, b: DatabaseServer): boolean {
  return isSameTimeline(a, b) && a.started === b.started;
}

/** Whether one continues the other's log, as far as their names say. */
export function isSameTimeline(a: Pick<DatabaseServer, 'system' | 'timeline'>, b: typeof a): boolean {
  return a.system === b.system && a.timeline === b.timeline;
}

/** Whether another server was promoted in the place of this one. */
export function isBehind(a: DatabaseServer, b: DatabaseServer): boolean {
  return a.system === b.system && a.timeline < b.timeline;
}

/** Of a connection that may not be used. The code is that of a lost connection, or of a server that takes no writes. */
export function unfit(message: string, code: '57P01' | '25006'): Error {
  return Object.assign(new Error(message), { code });
}

export function standby(): Error {
  return unfit('this PostgreSQL is a standby', '25006');
}

/** What DATABASE_REQUIRE_SYNC_STANDBY asks for is not there. */
export function refuseAsynchronous(): never {
  throw new DatabaseRefusal(
    `PostgreSQL acknowledges commits that no standby has, and DATABASE_REQUIRE_SYNC_STANDBY is true: name the standbys that commits wait for, e.g. synchronous_standby_names = 'ANY 1 (*)', with synchronous_commit = on, or set DATABASE_REQUIRE_SYNC_STANDBY=false`,
  );
}
