/**
 * Delivery: how far each member has got.
 *
 * Owns the table cursors. Invariants: per member and room two numbers, acked and read, that only move forward;
 * read never passes acked, neither passes the room's last_seq; no row per message. A missing row, or one from before
 * the member left and came back, counts as the seq at which the member joined. Acks never touch a row that the append
 * reads for writing.
 */
export { DeliveryModule } from './delivery.module';
export { DeliveryService, type MemberPosition } from './delivery.service';
