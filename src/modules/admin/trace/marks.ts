import type { MemberCursor } from '../../delivery';
import type { TraceRecipientDto } from '../dto/trace.dto';

/**
 * Whether a member has acknowledged and read a message, and when, where the cursor tells. Of its two positions it keeps the
 * time of the last move alone: that of reading, where both stand at the message; that of acknowledging, where the member has
 * never read.
 * @param joinedSeq before the message
 */
export function marksOf(
  seq: number,
  joinedSeq: number,
  cursor: MemberCursor | undefined,
): Pick<TraceRecipientDto, 'acked' | 'read'> {
  const { ackedSeq = 0, readSeq = 0 } = cursor ?? {};
  const movedAt = ackedSeq === seq ? (cursor?.movedAt.toISOString() ?? null) : null;
  return {
    acked: { done: ackedSeq >= seq, at: readSeq <= joinedSeq ? movedAt : null },
    read: { done: readSeq >= seq, at: readSeq === seq ? movedAt : null },
  };
}
