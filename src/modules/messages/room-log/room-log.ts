import { Injectable } from '@nestjs/common';
import { TenantBatching } from '../../../common/batching';
import {
  type MessageFrame,
  MessageFrames,
  type MissedPage,
  type MissedPart,
  type PageLimits,
  type Position,
  type ReadMark,
  type RecentMessage,
  type RoomEvent,
  RoomLog,
} from '../../../realtime';
import { RoomHeads } from '../../rooms';
import { MessagesRepository } from '../messages.repository';
import { changedRev, messageFrame, type MessageRow, messageText } from '../views';
import { eventOf, mergeLog, missedPage } from './merge';
import {
  MissedRepository,
  type MissedRow,
  type RoomOpening,
  type RoomRange,
  RoomLogRepository,
} from './room-log.repository';

/** Read marks of one room; sync asks for those of small rooms only. */
const MAX_MARKS = 1000;

/** Rooms of one statement: each may bring half a megabyte. */
const ROOMS_TOGETHER = 32;
/** Rooms of one statement that asks for no content. */
const OPENINGS_TOGETHER = 500;
const OPENINGS_PER_TURN = 32;
/** Parts of users whose pages nobody else wants. */
const USERS_TOGETHER = 8;

/** What one user missed. */
interface Missing {
  readonly userId: string;
  readonly parts: readonly MissedPart[];
  readonly limits: PageLimits;
}

interface Opening {
  readonly marks: readonly ReadMark[];
  readonly namedId: string | undefined;
}

/** Its text is made when its turn has come: that of all rooms of a statement would hold up the loop. */
class ReadMessage implements RecentMessage {
  constructor(private readonly row: MessageRow) {}

  get seq(): number {
    return this.row.seq;
  }

  get rev(): number {
    return changedRev(this.row);
  }

  get messageId(): string {
    return this.row.message_id;
  }

  get text(): string {
    return messageText(this.row);
  }
}

/** The log as the feed reads it, and synchronisation. What is asked for while a statement runs goes into the next one. */
@Injectable()
export class MessagesRoomLog extends RoomLog {
  private readonly ranges: TenantBatching<RoomRange, readonly RecentMessage[]>;
  private readonly openings: TenantBatching<RoomOpening, Opening>;
  private readonly missing: TenantBatching<Missing, readonly MissedPage[]>;

  constructor(
    private readonly repository: RoomLogRepository,
    private readonly rooms: RoomHeads,
    private readonly parts: MissedRepository,
  ) {
    super();
    this.ranges = new TenantBatching((tenant, ranges) => this.readRanges(tenant, ranges), ROOMS_TOGETHER, 1);
    this.openings = new TenantBatching(
      (tenant, rooms) => this.readOpenings(tenant, rooms),
      OPENINGS_TOGETHER,
      OPENINGS_PER_TURN,
    );
    this.missing = new TenantBatching((tenant, users) => this.readMissing(tenant, users), USERS_TOGETHER, 1);
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

  missed(
    tenantId: string,
    userId: string,
    parts: readonly MissedPart[],
    limits: PageLimits,
  ): Promise<readonly MissedPage[]> {
    return this.missing.submit(tenantId, { userId, parts, limits });
  }

  messages(
    tenantId: string,
    roomId: string,
    { afterSeq, throughSeq }: { readonly afterSeq: number; readonly throughSeq: number },
    bytes: number,
  ): Promise<readonly RecentMessage[]> {
    return this.ranges.submit(tenantId, { roomId, afterSeq, throughSeq, bytes });
  }

  opening(
    tenantId: string,
    roomId: string,
    { marks, named }: { readonly marks: boolean; readonly named: number | undefined },
  ): Promise<Opening> {
    return this.openings.submit(tenantId, { roomId, mostMarks: marks ? MAX_MARKS : 0, named });
  }

  heads(
    rooms: readonly { readonly tenantId: string; readonly roomId: string }[],
  ): Promise<readonly { readonly tenantId: string; readonly roomId: string; readonly rev: number }[]> {
    return this.rooms.headsOf(rooms);
  }

  private async readRanges(tenantId: string, ranges: readonly RoomRange[]): Promise<(readonly RecentMessage[])[]> {
    const rows = await this.repository.ranges(tenantId, ranges);
    const byRange: RecentMessage[][] = ranges.map(() => []);
    for (const row of rows) {
      byRange[row.n - 1]?.push(new ReadMessage(row));
    }
    return byRange;
  }

  private async readOpenings(tenantId: string, rooms: readonly RoomOpening[]): Promise<Opening[]> {
    const rows = await this.repository.openings(tenantId, rooms);
    const found = rooms.map(() => ({ marks: [] as ReadMark[], namedId: undefined as string | undefined }));
    for (const { n, user_id: userId, seq, message_id: id } of rows) {
      const opening = found[n - 1];
      if (opening === undefined) continue;
      if (id !== null) opening.namedId = id;
      if (userId !== null && seq !== null) opening.marks.push({ userId, seq });
    }
    return found;
  }

  private async readMissing(tenantId: string, users: readonly Missing[]): Promise<(readonly MissedPage[])[]> {
    const asked = users.flatMap(({ userId, parts, limits }) => parts.map((part) => ({ userId, part, limits })));
    const rows = await this.parts.missed(tenantId, asked, MAX_MARKS);
    const byPart: MissedRow[][] = asked.map(() => []);
    for (const row of rows) byPart[row.n - 1]?.push(row);
    const pages = asked.map(({ part, limits }, i) => missedPage(tenantId, part, byPart[i] ?? [], limits));
    return users.map(({ parts }) => pages.splice(0, parts.length));
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
