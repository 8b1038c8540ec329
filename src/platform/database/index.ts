/**
 * The database: one way to a tenant's rows (Database), one past the tenants (SystemDatabase, limited by lint).
 *
 * Invariants: a statement runs as the tenant role with app.tenant set, or as the system role, in a transaction of its
 * own; forced row-level security holds even where the SQL forgets the tenant. Every call has a deadline, also when
 * PostgreSQL is frozen; a connection in doubt is destroyed. A server that takes no writes (a standby, a former primary) is as
 * good as none: nothing is read there either. A database is held by one server at a time, or by several that share it
 * (REDIS_URL), never by both kinds.
 */
export { Availability } from './availability';
export { backup } from './backup/backup';
export { BackupRefusal } from './backup/format';
export { restore, type RestoreRequest } from './backup/restore';
export { forRoles as schemaForRoles, readSchema } from './backup/schema';
export { Database, purgeExpired, SystemDatabase } from './database';
export { DatabaseModule } from './database.module';
export { codeOf, DatabaseRefusal, isConnectionLoss, isRetryable, UNIQUE_VIOLATION } from './errors';
export { Epoch } from './epoch';
export { type AcknowledgedBatch, AcknowledgedChanges, type AcknowledgedMessage } from './failover/acknowledged';
export {
  DirectoryTakenError,
  EmbeddedPostgres,
  EmbeddedPostgresError,
  hasCluster,
  runningConnection,
} from './embedded';
export { type Fingerprints, InstanceRepository } from './instance.repository';
export { connectionOf } from './connection';
export { NodeClock } from './node-clock';
export { explainOpening, openDatabase, type OpenDatabase, unopenedDatabase } from './open';
export { migrate } from './migrator';
export type { Sql } from './runner';
export { SessionLocks } from './session-locks';
export { type Snapshot, TenantSnapshots } from './snapshot';
export { type TableKey, tableOf, type Transaction } from './scoped-source';
export {
  answer,
  rows,
  type SchemaFunction,
  schemaFunction,
  schemaFunctions,
  systemFunction,
  value,
} from './schema-function';
