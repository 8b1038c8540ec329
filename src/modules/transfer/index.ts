/**
 * Transfer: what a tenant or a person has, as a file (docs/adr/0035, 0036).
 *
 * Owns the tables exports and imports, DATA_DIR/exports and DATA_DIR/imports.
 *
 * Exports. Invariants: a file is one moment of the tenant, whatever is written meanwhile; it holds what its format names and
 * nothing else (`format.ts`), so no secret; it has its name only when all of it is on the disk, and it is handed out only while
 * its row says `ready`. What was killed begins anew. Concurrency: at most two are written at once on a node, one of a tenant.
 * Each attempt has a number and a file of its own; the row takes the file of the attempt that came last, so a writer that has
 * lost its lease does no harm.
 *
 * Imports. Invariants: nothing is written before all of the file was found good, and nothing of a file that is another one by
 * then; what the import did not make is never changed; a room is seen when it is whole, with its members at the end of its log,
 * and nobody is told. Loading begins anew after a crash and passes over what is there, whatever was written last. Concurrency:
 * one of a tenant at a time; two loads of one import make everything once, since each batch takes the room's row.
 */
export { TransferModule } from './transfer.module';
