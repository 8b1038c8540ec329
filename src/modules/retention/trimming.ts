import { Injectable } from '@nestjs/common';
import { Clock } from '../../common/time';
import { Database } from '../../platform/database';
import { Metrics } from '../../platform/metrics';
import { Paced } from '../../platform/tenant-data';
import { changing, RoomFeed } from '../../realtime';
import { runsTrimmed } from '../chats';
import { deadLettersTrimmed } from '../delivery';
import { heldMessagesReleased, messagesTrimmed, messageVersionsReleased } from '../messages';
import { roomCut, roomEventsTrimmed, roomsToCut, type RoomToCut } from '../rooms';

/** Rooms of one statement. */
const ROOMS = 500;
/** Rows of one statement. */
const ROWS = 500;
/** So long a pass goes on before other tenants have their turn. */
const TURN_MS = 30_000;

/** Moves where rooms begin, and deletes what lies behind. */
@Injectable()
export class Trimming {
  /** Up to which room an unfinished pass of a tenant came, by tenant. Lost with the process: the pass begins anew. */
  private readonly reached = new Map<string, string>();

  constructor(
    private readonly database: Database,
    private readonly feed: RoomFeed,
    private readonly metrics: Metrics,
    private readonly clock: Clock,
  ) {}

  /**
   * Goes through all rooms of a tenant, from where its last pass was stopped. May be done by two at once: what one of them
   * finds done is done.
   * @returns whether it came to the end; false: its time was up, call it again
   * @throws what `signal` aborts with, 503
   */
  async pass(tenantId: string, signal: AbortSignal, mostMs = TURN_MS): Promise<boolean> {
    const paced = new Paced(this.clock, signal, mostMs);
    let after = this.reached.get(tenantId);
    for (;;) {
      const args = { p_after: after, p_limit: ROOMS };
      const rooms = await paced.piece(() => roomsToCut.call(this.database, tenantId, args));
      for (const room of rooms) {
        if ((room.is_due || room.has_rest) && !(await this.room(paced, tenantId, room))) {
          this.stopAt(tenantId, after);
          return false;
        }
        after = room.room_id;
      }
      if (rooms.length < ROOMS) break;
    }
    this.reached.delete(tenantId);
    return (
      (await this.batches(paced, () => heldMessagesReleased.call(this.database, tenantId, { p_limit: ROWS }))) &&
      (await this.batches(paced, () => messageVersionsReleased.call(this.database, tenantId, { p_limit: ROWS })))
    );
  }

  private stopAt(tenantId: string, after: string | undefined): void {
    if (after === undefined) this.reached.delete(tenantId);
    else this.reached.set(tenantId, after);
  }

  /** What a pass before this one left behind goes first. @returns whether nothing is left to do */
  private async room(paced: Paced, tenantId: string, { room_id, is_due, has_rest }: RoomToCut): Promise<boolean> {
    if (has_rest && !(await this.sweep(paced, tenantId, room_id))) return false;
    for (let more = is_due; more;) {
      const cut = await paced.piece(() => this.cut(tenantId, room_id));
      if (cut.status === 'held' || cut.status === 'no_room') return true;
      if (!(await this.sweep(paced, tenantId, room_id))) return false;
      more = cut.more === true;
    }
    return true;
  }

  private async cut(tenantId: string, roomId: string): ReturnType<typeof roomCut.call> {
    const cut = await changing(this.feed, { tenantId, roomId }, () =>
      roomCut.call(this.database, tenantId, { p_room: roomId }),
    );
    if (cut.status === 'ok') this.feed.touchRoom(tenantId, roomId);
    return cut;
  }

  /** Deletes what lies behind where a room begins. */
  private async sweep(paced: Paced, tenantId: string, roomId: string): Promise<boolean> {
    const { database } = this;
    const args = { p_room: roomId, p_limit: ROWS };
    let after = 0;
    const messages = async (): Promise<number> => {
      const { deleted, through } = await messagesTrimmed.call(database, tenantId, { ...args, p_after: after });
      after = through;
      return deleted;
    };
    return (
      (await this.batches(paced, messages)) &&
      (await this.batches(paced, () => roomEventsTrimmed.call(database, tenantId, args))) &&
      (await this.batches(paced, () => runsTrimmed.call(database, tenantId, args))) &&
      (await this.batches(paced, () => deadLettersTrimmed.call(database, tenantId, args)))
    );
  }

  /** @returns whether it came to the end */
  private async batches(paced: Paced, batch: () => Promise<number>): Promise<boolean> {
    for (;;) {
      const gone = await paced.piece(batch);
      if (gone > 0) this.metrics.counter('chatapi_removed_rows_total').labels({ work: 'retention' }).inc(gone);
      if (gone < ROWS) return true;
      if (paced.isOver) return false;
    }
  }
}
