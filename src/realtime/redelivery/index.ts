/**
 * Redelivery: messages that a connection was sent and its client did not acknowledge (docs/adr/0016-redelivery.md).
 *
 * Invariants
 * - A connection that never sent `ack` is never resent to. One that did is, in every room in which it is live as a member's.
 * - What is sent again was sent before. A device that keeps its own positions (`?sync=manual`) was sent what came after it.
 * - Nothing is sent again that the user's cursor has passed: the cursor is read from the database before every attempt.
 * - A message is given up on only after five sendings on one connection without any progress of the user's cursor in that
 *   room; it is then a dead letter, and this connection is not sent it again. What is given up on is stored first.
 * - At most 100 messages per room and attempt, in order of seq, only while the connection is in the channel and reads.
 *
 * Cost: nothing per message. One timer visits the acking connections in slices and compares, per room, where the channel
 * stands with what the client is known to have. State exists for rooms of acking connections only, and goes with them.
 *
 * Concurrency: all state is touched between awaits. An attempt under way is marked, so that a room is never in two; an
 * acknowledgement that comes meanwhile ends it. Reads and writes are few at a time; what fails is due again at the next visit.
 */
export {
  type DeadLetterRange,
  type MessageFrame,
  MessageFrames,
  type Moved,
  Receipts,
  type Undelivered,
} from './ports';
export { Redelivery } from './redelivery';
export { RedeliveryModule } from './redelivery.module';
