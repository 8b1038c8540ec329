import { roomKey } from '../../../src/common/ids';
import { type RecentMessage, RecentMessages, type RoomState } from '../../../src/realtime';

interface Held {
  readonly at: RoomState;
  readonly messages: readonly RecentMessage[];
}

/** Messages as they were handed in, for the very position that they were handed in with; no feed keeps them up to date. */
export class HeldMessages extends RecentMessages {
  private readonly rooms = new Map<string, Held>();
  /** Pages that were answered. */
  answered = 0;

  has(tenantId: string, roomId: string, beforeSeq = Infinity): boolean {
    const oldest = this.rooms.get(roomKey(tenantId, roomId))?.messages[0]?.seq;
    return oldest !== undefined && oldest < beforeSeq;
  }

  between(
    tenantId: string,
    roomId: string,
    at: RoomState,
    afterSeq: number,
    throughSeq: number,
  ): readonly RecentMessage[] | undefined {
    const held = this.rooms.get(roomKey(tenantId, roomId));
    if (held?.at.rev !== at.rev || held.at.seq !== at.seq) return undefined;
    const found = held.messages.filter(({ seq }) => seq > afterSeq && seq <= throughSeq);
    if (found.length !== throughSeq - afterSeq) return undefined;
    this.answered++;
    return found;
  }

  hold(tenantId: string, roomId: string, at: RoomState, messages: readonly RecentMessage[]): void {
    const [first, last] = [messages[0]?.seq ?? 0, messages.at(-1)?.seq];
    if (last !== at.seq || last - first + 1 !== messages.length)
      throw new Error(`${messages.length} messages from ${first} to ${last} are not the newest ones up to ${at.seq}`);
    const held = this.rooms.get(roomKey(tenantId, roomId));
    const isMore = held?.at.rev === at.rev && held.messages.length > messages.length;
    if (!isMore) this.rooms.set(roomKey(tenantId, roomId), { at, messages });
  }
}
