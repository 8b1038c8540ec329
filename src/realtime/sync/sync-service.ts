import { Inject, Injectable } from '@nestjs/common';
import { AppError, notAMember, notFound } from '../../common/errors';
import { decodeId } from '../../common/ids';
import { describeError, Log } from '../../platform/logging';
import { Gauge } from '../../platform/metrics';
import { type Claim, type ClaimedPosition, type CursorPosition, NodeAudience, RoomPositions } from '../feed';
import { type AcceptedConnection, errorFrame, OnConnection, Permits, SOCKET_PATH } from '../transport';
import type { SyncRoomDto } from './dto/sync-frames.dto';
import type { SyncTask } from './room-sync';
import { NodeSyncSite, SyncSession, type SyncSite } from './session';

/** Rooms that a client may have asked for and that are not done: two full frames. */
const MAX_ASKED = 2000;
const RETRY_SECONDS = 1;
/** Look-ups of the rooms that clients ask for, at the same time: each may be of a thousand rooms. */
const ASKING_AT_ONCE = 2;
/** WebSocket close code: the server is at fault. */
const INTERNAL_FAULT = 1011;

type Found = ClaimedPosition | 'no_room' | 'not_allowed';

/** Brings connections up to date: each when it opens, and whenever its client asks. */
@Injectable()
export class SyncService {
  private readonly sessions = new Map<AcceptedConnection, SyncSession>();
  /** How many of the rooms that each connection's client asked for are being looked up. */
  private readonly looking = new Map<AcceptedConnection, number>();
  private readonly turns = new Permits(ASKING_AT_ONCE);

  constructor(
    @Inject(NodeSyncSite) private readonly site: SyncSite,
    private readonly positions: RoomPositions,
    private readonly audience: NodeAudience,
    private readonly log: Log,
  ) {}

  /** Rooms that are not done, over all connections. */
  @Gauge('chatapi_sync_rooms')
  waiting(): number {
    return [...this.sessions.values()].reduce((sum, session) => sum + session.waiting, 0);
  }

  /** Syncs one room for its client; without it, it is answered with an error. Throws 429 where too many wait. */
  async one(connection: AcceptedConnection, room: SyncRoomDto, requestId: string | undefined): Promise<void> {
    await this.sync(connection, [room], requestId, () => undefined);
  }

  /** Syncs several rooms in this order; each that there is not for this client is answered with an error. */
  async many(
    connection: AcceptedConnection,
    rooms: readonly SyncRoomDto[],
    requestId: string | undefined,
  ): Promise<void> {
    await this.sync(connection, rooms, requestId, (n) => `rooms[${n}].room_id`);
  }

  /**
   * Refusals leave at once, not in the order of replies: like what is sent of a room they say how the user stands at
   * this point of its order. A connection that the channel has is not refused: it came in after the database was asked,
   * or the channel is about to hear of its user's removal; the pages will tell.
   */
  private async sync(
    connection: AcceptedConnection,
    rooms: readonly SyncRoomDto[],
    requestId: string | undefined,
    fieldOf: (n: number) => string | undefined,
  ): Promise<void> {
    const { places, metrics, bounds, batches } = this.site;
    const found = await this.find(connection, rooms);
    const common = { budget: { left: bounds.messages }, requestId, isAsked: true };
    const tasks: SyncTask[] = [];
    for (const [n, room] of rooms.entries()) {
      const { room_id } = room;
      const roomId = decodeId('room', room_id) ?? '';
      const refusal = refusalOf(found[n], fieldOf(n));
      if (refusal === undefined || places.has(connection, roomId))
        tasks.push({ ...common, roomId, ...beginning(room, positionOf(found[n])) });
      else {
        metrics.refused(refusal.code);
        const frame = { ...errorFrame(refusal, requestId), room_id };
        connection.sendFrame(batches.encode(JSON.stringify(frame)));
      }
    }
    this.start(connection, tasks);
  }

  @OnConnection(SOCKET_PATH, 'sync')
  async opened(connection: AcceptedConnection): Promise<void> {
    if (!connection.syncsByItself) return;
    const budget = { left: this.site.bounds.messages };
    const positions = await this.audience.openedToSync(connection);
    const taskOf = (roomPosition: CursorPosition): SyncTask => {
      const { roomId, ackedSeq: afterSeq } = roomPosition;
      return { roomId, roomPosition, afterSeq, afterRev: undefined, budget, requestId: undefined, isAsked: false };
    };
    this.start(connection, positions.map(taskOf));
  }

  private async find(connection: AcceptedConnection, rooms: readonly SyncRoomDto[]): Promise<readonly Found[]> {
    const { tenantId, userId } = connection;
    const looking = this.looking.get(connection) ?? 0;
    const asked = this.sessions.get(connection)?.asked ?? 0;
    if (looking + asked + rooms.length > MAX_ASKED)
      throw new AppError('RATE_LIMIT_EXCEEDED', `At most ${MAX_ASKED} rooms may wait: wait for sync.complete`, {
        retryAfterSeconds: RETRY_SECONDS,
      });
    this.looking.set(connection, looking + rooms.length);
    try {
      const claims = rooms.map(claimOf);
      const known = claims.filter((claim) => claim !== undefined);
      const positions = await this.turns.run(() => this.positions.findPositions(tenantId, known, userId));
      const byClaim = new Map(known.map((claim, i) => [claim, positions[i]]));
      return claims.map((claim) => (claim && byClaim.get(claim)) ?? 'no_room');
    } finally {
      const left = (this.looking.get(connection) ?? 0) - rooms.length;
      if (left > 0) this.looking.set(connection, left);
      else this.looking.delete(connection);
    }
  }

  private start(connection: AcceptedConnection, tasks: readonly SyncTask[]): void {
    if (!connection.isOpen || tasks.length === 0) return;
    const session = this.sessionOf(connection);
    session
      .add(tasks)
      .then(() => {
        // A session keeps nothing but what it waits for; when its connection is over it waits for nothing.
        if (session.waiting === 0) this.sessions.delete(connection);
      })
      .catch((error: unknown) => {
        this.sessions.delete(connection);
        this.log.error({ connection_id: connection.id, error: describeError(error) }, 'sync failed');
        // The client would never get what it missed: it reconnects, and is synced again.
        connection.close(INTERNAL_FAULT, 'Sync failed; reconnect');
      });
  }

  private sessionOf(connection: AcceptedConnection): SyncSession {
    const known = this.sessions.get(connection);
    if (known !== undefined) return known;
    const session = new SyncSession(connection, this.site);
    this.sessions.set(connection, session);
    return session;
  }
}

function positionOf(found: Found | undefined): ClaimedPosition | undefined {
  return typeof found === 'string' ? undefined : found;
}

/** undefined: `room_id` is no id of a room. */
function claimOf({ room_id, after_seq, after_id }: SyncRoomDto): Claim | undefined {
  const roomId = decodeId('room', room_id);
  return roomId === undefined ? undefined : { roomId, seq: after_id === undefined ? undefined : after_seq };
}

/**
 * Where a sync begins. What the client says that it has is held against what the database said after it was asked, and
 * against nothing else: only that is sure to be no older than what the client was sent. Of what is not kept any more
 * nothing can be said, and nothing is; a client whose user is a member only by what the channel has heard asks again
 * at that joining.
 */
function beginning(
  room: SyncRoomDto,
  roomPosition: ClaimedPosition | undefined,
): Omit<SyncTask, 'roomId' | 'budget' | 'requestId' | 'isAsked'> {
  const { after_seq: afterSeq, after_rev: afterRev, after_id } = room;
  if (roomPosition === undefined) return { roomPosition: roomPosition, afterSeq, afterRev };
  const { firstRev, lastRev } = roomPosition;
  const isBeyond = afterSeq > roomPosition.lastSeq || (afterRev ?? 0) > lastRev;
  // Changes in between are kept no more: there may have been any.
  const isTooOld = afterRev !== undefined && afterRev < firstRev;
  const isNamed = after_id !== undefined && afterSeq >= roomPosition.firstSeq;
  const isAnother =
    isNamed && (roomPosition.messageId === undefined || decodeId('message', after_id) !== roomPosition.messageId);
  if (isBeyond || isTooOld || isAnother)
    return { roomPosition: roomPosition, afterSeq: roomPosition.firstSeq - 1, afterRev: undefined, isReset: true };
  return { roomPosition: roomPosition, afterSeq, afterRev, afterId: isNamed ? roomPosition.messageId : undefined };
}

function refusalOf(found: Found | undefined, field?: string): AppError | undefined {
  if (found !== 'no_room' && found !== 'not_allowed' && found !== undefined) return undefined;
  const error = found === 'not_allowed' ? notAMember() : notFound('Room');
  return field === undefined ? error : new AppError(error.code, error.message, { field });
}
