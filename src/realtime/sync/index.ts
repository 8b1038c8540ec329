/**
 * Sync: what a connection has missed of its rooms, and the seam to what is live (docs/adr/0015-sync.md).
 *
 * Invariants
 * - In a room a connection is live or syncing, never both; while it syncs, its place in the channel is kept and live
 *   events only raise what it will read.
 * - The log is read up to the channel's position at the room's turn; from there the connection follows the channel and
 *   goes live in the turn in which it reaches it, right after `sync.complete`: no gap, no double.
 * - A connection whose user is removed, whose room is deleted or that unsubscribes gets nothing more of the room from
 *   that moment.
 * - The next page is read when less than 256 KB waits; a session keeps one page and a list of rooms, whatever happens.
 *
 * Concurrency: one session per connection, which handles its rooms one after another; a few pages are read at a time
 * over all sessions, each again until the database answers. A session ends with its connection.
 */
export { SyncModule } from './sync.module';
