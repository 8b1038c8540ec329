/**
 * Delivery: how far each member has got, and what was given up on.
 *
 * Owns the tables cursors and dead_letters. Invariants: per member and room two numbers, acked and read, that only move
 * forward; read never passes acked, neither passes the room's last_seq; no row per message. A missing row, or one from
 * before the member left and came back, counts as the seq at which the member joined. Acks never touch a row that the
 * append reads for writing. Those of a tenant go in groups, one at a time, which wait for nobody (cursor-groups.ts).
 *
 * Dead letters (docs/adr/0016): those of messages are here; a module above that has others of its own marks their
 * source with `@DeadLetterSource('notification')`, and they are listed, replayed, dropped and counted with the rest.
 * Ids of such letters are UUIDv7 behind `dl_`; version 8 is taken by messages. A message's letter lies beyond the
 * member's cursor, always: to move the cursor and to write a letter the cursor's row is held.
 */
export {
  type DeadLetterItems,
  type DeadLetterKind,
  type DeadLetters,
  type DeadLetterSelection,
  DeadLetterSource,
} from './dead-letters/sources';
export { deadLettersTrimmed } from './delivery.functions';
export type { FailedMessageDto, FailedNotificationDto, FailedWebhookDto } from './dto/dead-letter.dto';
export { DeliveryModule } from './delivery.module';
export { type MemberCursor, MemberFacts, type MemberLetter } from './member-facts';
export { DeliveryService, type MemberPosition, MemberReceipts } from './delivery.service';
