/**
 * Presence and typing.
 *
 * A user is online while any connection of theirs holds its lease, on whichever node; leases of a crashed node end with it
 * (Leases), with no work of any other. The leases are the truth, hints on the Bus make other nodes look earlier: a user that
 * may have come or gone is marked, and when their turn comes this node's connections and the leases decide (Announcer).
 * Where the leases say nothing, since they are out of reach or were just forgotten, what was known before still counts: nobody
 * is announced as offline, and what is done for offline users waits (Presence).
 *
 * Invariants, per node: the updates about a user alternate between online and offline; no client hears "offline" of a user
 * that is here, nor within GRACE_MS of their last close; a connection gets an update once, however many rooms it shares
 * with the user, never one about its own user, and none before its snapshot. Between nodes: what clients were told
 * approaches the leases; every node looks once per RENEW_MS at the users of other nodes that it knows as online, sooner when
 * a node is lost, and after a gap of the bus asks the others whom they have (PresenceRoster).
 *
 * Concurrency: openings and closings change this node's state in their own turn; look-ups run beside them, one per
 * tenant, and what they found is compared once more with that state in the turn in which it is published. Timers are
 * shared: none per connection or typist.
 */
export { SharedRooms } from './announcer';
export { LastSeenStore } from './last-seen';
export { type OfflineAnswer, Presence } from './presence';
export { PresenceModule } from './presence.module';
export { Typing } from './typing';
