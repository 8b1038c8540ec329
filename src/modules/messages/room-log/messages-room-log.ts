import { Injectable } from '@nestjs/common';
import { type Position, type RoomEvent, RoomLog } from '../../../platform/realtime';
import { RoomHeads } from '../../rooms';
import { eventOf } from './log-frames';
import { mergeLog } from './merge';
import { RoomLogRepository } from './room-log.repository';

/** The log as the feed reads it, and synchronisation. */
@Injectable()
export class MessagesRoomLog extends RoomLog {
  constructor(
    private readonly repository: RoomLogRepository,
    private readonly rooms: RoomHeads,
  ) {
    super();
  }

  async after(
    tenantId: string,
    roomId: string,
    position: Position,
    limit: number,
  ): Promise<{ events: readonly RoomEvent[]; more: boolean; position: Position }> {
    const page = mergeLog(position, await this.repository.after(tenantId, roomId, position, limit), limit);
    return {
      events: page.rows.map((row) => eventOf(tenantId, roomId, row)),
      more: page.more,
      position: page.position,
    };
  }

  heads(
    rooms: readonly { readonly tenantId: string; readonly roomId: string }[],
  ): Promise<readonly { readonly tenantId: string; readonly roomId: string; readonly rev: number }[]> {
    return this.rooms.heads(rooms);
  }
}
