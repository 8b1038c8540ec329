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
export { type BackupRequest, backup } from './backup';
export { BackupRefusal } from './format';
export { type RestoreRequest, restore } from './restore';
export { forRoles as schemaForRoles, type Names, readSchema } from './schema';
