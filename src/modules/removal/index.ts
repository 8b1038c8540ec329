/**
 * Removal: what is taken out of the database for good. Owns the tables tenant_deletions and erasures.
 *
 * The deletion of a tenant with all that it has (deletion/, docs/adr/0033). Invariants: (1) nothing is deleted before nobody can
 * add: the tenant is suspended on every server, its webhook is off, 15 s have passed (2 s for which a credential is believed and
 * 4 s for a call or an append that waits, twice), and each room is closed under its own lock. (2) What is counted is what was
 * deleted: the count is committed with its rows. (3) `done` is written by the transaction that has seen, under the lock of the
 * tenant's row that no foreign key's check passes, that no table has a row of it, and that deletes that row, and the job. (4) No
 * statement of it can touch another tenant's rows: it runs as the tenant role. Concurrency: one job of a tenant walks over all
 * tables in small pieces with rests between them. Killed anywhere, it begins anew and finds what is left; two at once wait for
 * each other piece by piece, and delete once.
 *
 * The erase of a person (erase/, docs/adr/0034). Invariants: (1) from the request's commit on no call as that user is served,
 * within 2 s on other nodes, for 24 hours; and nothing of theirs enters the log, since memberships end before messages are looked
 * for. (2) A pass over all steps that finds nothing is what ends an erase; where a step is only saves work. (3) The user's id
 * stands in one place until the end, the row of the erase; its job names that alone. (4) What is counted is what was done: in one
 * statement. Nothing half-erased is called done. (5) The chain of the audit log still holds. Concurrency: each batch is a
 * statement that decides by what it finds, and is taken back where the erase is not where it began: killed anywhere it goes on,
 * and two workers do nothing twice. What a step does stands in the module that owns its tables (`@EraseStep`).
 */
export { ErasedUsers } from './erase/erased-users';
export { RemovalModule } from './removal.module';
