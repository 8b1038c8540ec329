import { Injectable } from '@nestjs/common';
import { encodeId } from '../../common/ids';
import { OnStop, StopStage } from '../../platform/lifecycle';
import { RoomFeed } from '../../realtime';

/** At most one update per user and room in this time. */
const MERGE_MS = 1000;

interface Told {
  readonly timer: NodeJS.Timeout;
  /** The newest position that has not been told yet. */
  seq: number | undefined;
}

/** Tells the members of a room who are connected how far somebody has read: at once, then merged to one a second. */
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
    this.feed.signal(tenantId, roomId, `read/${roomId}/${userId}`, frame);
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
