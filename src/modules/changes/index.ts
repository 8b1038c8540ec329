/**
 * Changes: what happens in all rooms of a tenant as one feed, for its back ends (docs/adr/0044).
 *
 * Owns the tables tenant_feeds, tenant_feed and tenant_feed_rooms. Invariants: (1) what is committed after the first answer is
 * told, at least once, and of one room in order of rev. (2) An entry is a range of revisions; what it holds is read from the
 * room's log, as it is when it is read, so nothing is stored twice and nothing is added to the append. (3) Entries are numbered
 * under a lock that is held until their commit: who has seen one will see none before it any more. (4) A position says of which
 * epoch it is; one whose entries are gone is refused, never passed over. (5) Nothing of a tenant that does not ask is collected.
 * (6) What an entry stands for and the room keeps no more is said to be so (`room.reset`, `room.deleted`), never left out.
 *
 * Concurrency: one job of a tenant runs at a time (its key); correctness does not rest on that, but on the lock of the feed's row
 * and on heads that are read under it. Failure: hints of what a node has committed may be lost with it; each start, and each
 * loss of a node, has all rooms looked at.
 */
export { ChangesModule } from './changes.module';
