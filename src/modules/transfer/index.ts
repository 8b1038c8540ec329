/**
 * Transfer: what a tenant or a person has, as a file (docs/adr/0035).
 *
 * Owns the table exports, and DATA_DIR/exports. Invariants: a file is one moment of the tenant, whatever is written
 * meanwhile; it holds what its format names and nothing else (`format.ts`), so no secret; it has its name only when all of it
 * is on the disk, and it is handed out only while its row says `ready`. What was killed begins anew.
 *
 * Concurrency: at most two are written at once on a node, one of a tenant. Each attempt has a number and a file of its own;
 * the row takes the file of the attempt that came last, so a writer that has lost its lease does no harm.
 */
export { TransferModule } from './transfer.module';
