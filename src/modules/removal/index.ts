/**
 * The deletion of a tenant with all that it has (docs/adr/0033).
 *
 * Owns the table tenant_deletions. Invariants: (1) nothing is deleted before nobody can add: the tenant is suspended on every
 * server, its webhook is off, 15 s have passed (2 s for which a credential is believed and 4 s for a call or an append that
 * waits, twice), and each room is closed under its own lock. (2) What is counted is what was deleted: the count is committed
 * with its rows. (3) `done` is written by the transaction that has seen, under the lock of the tenant's row that no foreign
 * key's check passes, that no table has a row of it, and that deletes that row, and the job. (4) No statement of it can touch
 * another tenant's rows: it runs as the tenant role.
 *
 * Concurrency: one job of a tenant walks over all tables in small pieces with rests between them. Killed anywhere, it begins
 * anew and finds what is left; two at once wait for each other piece by piece, and delete once.
 */
export { RemovalModule } from './removal.module';
