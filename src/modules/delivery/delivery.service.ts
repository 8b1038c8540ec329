import { Inject, Injectable } from '@nestjs/common';
import { notFound } from '../../common/errors';
import { decodeId, encodeId } from '../../common/ids';
import type { Caller } from '../../platform/auth';
import { Effects } from '../../platform/idempotency';
import { OnStop, StopStage } from '../../platform/lifecycle';
import { Receipts, Redelivery, RoomFeed, type Undelivered, UserFrames } from '../../realtime';
import { CursorGroups } from './cursor-groups';
import { DeadLettersRepository } from './dead-letters/dead-letters.repository';
import { cursorAdvance, type ReceiptRow } from './delivery.functions';
import { argsOf, DeliveryRepository, type Move, type MoveResult } from './delivery.repository';
import type { PositionDto } from './dto/position.dto';

/** At most one update per user and room in this time. */
const MERGE_MS = 1000;

interface Told {
  readonly timer: NodeJS.Timeout;
  /** The newest position that has not been told yet. */
  seq: number | undefined;
}

/**
 * Tells the connected members of a room how far another one has read: at once, then merged to one a second. What other nodes
 * tell of the same reader, the feed merges with it.
 */
@Injectable()
export class ReadUpdates {
  private readonly recent = new Map<string, Told>();

  constructor(private readonly feed: RoomFeed) {}

  /** @param roomId UUID */
  note(tenantId: string, roomId: string, userId: string, seq: number): void {
    const key = `${tenantId}/${roomId}/${userId}`;
    const told = this.recent.get(key);
    if (told !== undefined) told.seq = Math.max(seq, told.seq ?? 0);
    else this.tell(key, tenantId, roomId, userId, seq);
  }

  private tell(key: string, tenantId: string, roomId: string, userId: string, seq: number): void {
    const frame = { type: 'read.update', room_id: encodeId('room', roomId), user_id: userId, seq };
    const rule = { kind: 'merge', everyMs: MERGE_MS, order: seq } as const;
    this.feed.signalMembers(tenantId, roomId, `read/${roomId}/${userId}`, frame, undefined, rule);
    const timer = setTimeout(() => {
      const next = this.recent.get(key)?.seq;
      this.recent.delete(key);
      if (next !== undefined) this.tell(key, tenantId, roomId, userId, next);
    }, MERGE_MS).unref();
    this.recent.set(key, { timer, seq: undefined });
  }

  @OnStop(StopStage.workers)
  stop(): void {
    for (const { timer } of this.recent.values()) clearTimeout(timer);
    this.recent.clear();
  }
}

/** How far a member has got in a room. */
export interface MemberPosition {
  readonly ackedSeq: number;
  readonly readSeq: number;
  /** The member has marked the room unread from here on. */
  readonly unreadSeq?: number | undefined;
}

/** Acks and reads: a member's two cursors per room, which only move forward. */
@Injectable()
export class DeliveryService {
  constructor(
    private readonly repository: DeliveryRepository,
    private readonly groups: CursorGroups,
    private readonly effects: Effects,
    private readonly readUpdates: ReadUpdates,
    private readonly redelivery: Redelivery,
    @Inject(UserFrames) private readonly frames: Pick<UserFrames, 'tell'>,
  ) {}

  /** Everything up to `seq` has been delivered to the caller. Throws 400 beyond the room's last_seq. */
  ack(caller: Caller, position: PositionDto): Promise<void> {
    return this.advance(caller, position, false);
  }

  /** Everything up to `seq` has been read, and so delivered. */
  read(caller: Caller, position: PositionDto): Promise<void> {
    return this.advance(caller, position, true);
  }

  /** The caller's position in each of the rooms, which begins at the seq at which they joined. */
  async positions(
    tenantId: string,
    userId: string,
    rooms: readonly { roomId: string; joinedSeq: number }[],
  ): Promise<Map<string, MemberPosition>> {
    const rows = await this.repository.cursors(
      tenantId,
      userId,
      rooms.map((room) => room.roomId),
    );
    const stored = new Map(rows.map((row) => [row.room_id, row]));
    return new Map(
      rooms.map(({ roomId, joinedSeq }) => {
        const row = stored.get(roomId);
        const [ackedSeq, readSeq] = [row?.acked_seq ?? 0, row?.read_seq ?? 0].map((seq) => Math.max(seq, joinedSeq));
        // A mark of an earlier membership is none.
        const unreadSeq = (row?.unread_seq ?? 0) > joinedSeq ? (row?.unread_seq ?? undefined) : undefined;
        return [roomId, { ackedSeq: ackedSeq ?? joinedSeq, readSeq: readSeq ?? joinedSeq, unreadSeq }];
      }),
    );
  }

  /** How far these users have acknowledged a room; those without a stored cursor are missing. @param roomId UUID */
  async ackedBy(tenantId: string, roomId: string, userIds: readonly string[]): Promise<ReadonlyMap<string, number>> {
    const rows = await this.repository.ackedBy(tenantId, roomId, userIds);
    return new Map(rows.map((row) => [row.user_id, row.acked_seq]));
  }

  /** Members whom a message was for, with how far they have got. */
  receipts(...asked: Parameters<DeliveryRepository['receipts']>): Promise<ReceiptRow[]> {
    return this.repository.receipts(...asked);
  }

  private async advance(caller: Caller, { room_id, seq }: PositionDto, isRead: boolean): Promise<void> {
    const roomId = decodeId('room', room_id);
    if (roomId === undefined) throw notFound('Room');
    const { tenantId, userId } = caller;
    const { advanced, acked, me } = await this.moved(caller, { roomId, userId, seq, isRead });
    if (me) this.frames.tell(tenantId, userId, { type: 'room.me', room_id, ...me });
    if (!advanced) return;
    this.redelivery.cursorMoved({ tenantId, roomId, userId, seq: acked ?? seq });
    if (isRead) this.readUpdates.note(tenantId, roomId, userId, seq);
  }

  /** An Idempotency-Key is bound in the transaction of its own effect, so such a call goes by itself. */
  private moved(caller: Caller, move: Move): Promise<MoveResult> {
    return caller.idempotency === undefined
      ? this.groups.advance(caller.tenantId, move)
      : this.effects.call(caller, cursorAdvance, argsOf(move));
  }
}

/** What the socket has to know of the members' cursors, and where it leaves what it gave up on. */
@Injectable()
export class MemberReceipts extends Receipts {
  constructor(
    private readonly cursors: DeliveryRepository,
    private readonly letters: DeadLettersRepository,
  ) {
    super();
  }

  async acked(tenantId: string, userId: string, roomIds: readonly string[]): Promise<ReadonlyMap<string, number>> {
    const rows = await this.cursors.positions(tenantId, userId, roomIds);
    return new Map(rows.map((row) => [row.room_id, row.acked_seq]));
  }

  giveUp(undelivered: Undelivered): Promise<void> {
    return this.letters.add(undelivered, 'ack timeout');
  }
}
