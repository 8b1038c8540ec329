import { Injectable } from '@nestjs/common';
import {
  type MessageFrame,
  MessageFrames,
  type MissedPage,
  type MissedPart,
  type PageLimits,
  type Position,
  type RoomEvent,
  RoomLog,
} from '../../../realtime';
import { RoomHeads } from '../../rooms';
import { MessagesRepository } from '../messages.repository';
import { messageFrame } from '../views';
import { eventOf, mergeLog, missedPage } from './merge';
import { MissedRepository, type MissedRow, RoomLogRepository } from './room-log.repository';

/** Read marks of one room; sync asks for those of small rooms only. */
const MAX_MARKS = 1000;

/** The log as the feed reads it, and synchronisation. */
@Injectable()
export class MessagesRoomLog extends RoomLog {
  constructor(
    private readonly repository: RoomLogRepository,
    private readonly rooms: RoomHeads,
    private readonly parts: MissedRepository,
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

  async missed(
    tenantId: string,
    userId: string,
    parts: readonly MissedPart[],
    limits: PageLimits,
  ): Promise<readonly MissedPage[]> {
    const rows = await this.parts.missed(tenantId, userId, parts, limits, MAX_MARKS);
    const byPart: MissedRow[][] = parts.map(() => []);
    for (const row of rows) byPart[row.n - 1]?.push(row);
    return parts.map((part, i) => missedPage(tenantId, part, byPart[i] ?? [], limits));
  }

  heads(
    rooms: readonly { readonly tenantId: string; readonly roomId: string }[],
  ): Promise<readonly { readonly tenantId: string; readonly roomId: string; readonly rev: number }[]> {
    return this.rooms.headsOf(rooms);
  }
}

/** Messages as they are now, for redelivery. */
@Injectable()
export class LogMessageFrames extends MessageFrames {
  constructor(private readonly repository: MessagesRepository) {
    super();
  }

  async read(
    tenantId: string,
    roomId: string,
    afterSeq: number,
    throughSeq: number,
    limit: number,
  ): Promise<readonly MessageFrame[]> {
    const rows = await this.repository.between(tenantId, roomId, afterSeq, throughSeq, limit);
    return rows.map((row) => ({ seq: row.seq, frame: messageFrame(row) }));
  }
}
