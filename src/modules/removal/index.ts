/**
 * Removal: what is taken out of the database for good.
 *
 * Erase of a person (erase/, docs/adr/0034). Owns the table erasures. Invariants: (1) From the request's commit on no call as
 * that user is served, within 2 s on other nodes, for 24 hours; and nothing of theirs enters the log, since memberships end
 * before messages are looked for. (2) A pass over all steps that finds nothing is what ends an erase; where a step is only
 * saves work. (3) The user's id stands in one place until the end, the row of the erase; its job names that alone. (4) What is
 * counted is what was done: in one statement. Nothing half-erased is called done. (5) The chain of the audit log still holds.
 *
 * Concurrency: each batch is a statement that decides by what it finds, and is taken back where the erase is not where it began:
 * killed anywhere it goes on, and two workers do nothing twice. What a step does stands in the module that owns its tables
 * (`@EraseStep`).
 */
export { ErasedUsers } from './erase/erased-users';
export { RemovalModule } from './removal.module';
