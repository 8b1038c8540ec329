import type { OnModuleInit } from '@nestjs/common';
import { AppError, forbidden, notFound } from '../../../common/errors';
import { decodeId } from '../../../common/ids';
import { type Lifecycle, StopStage } from '../../lifecycle';
import { describeError, type Log } from '../../logging';
import type { AcceptedConnection, ConnectionHandlers, CursorSeat, Seat, Seats } from '../contract';
import { Turns } from '../turns';
import { errorFrame, SOCKET_PATH } from '../protocol';
import { toWire } from '../transport';
import type { SyncRoomDto } from './dto/sync-frames.dto';
import type { SyncTask } from './room-sync';
import { SyncSession, type SyncSite } from './session';

/** Rooms that a client may have asked for and that are not done: two full frames. */
const MAX_ASKED = 2000;
const RETRY_SECONDS = 1;
/** Look-ups of the rooms that clients ask for: a thousand each are no small thing. */
const ASKING_AT_ONCE = 2;

/** What sync needs beside what its sessions share. */
export interface SyncPorts {
  readonly site: SyncSite;
  readonly seats: Seats;
  /** Gives a connection its places; resolves with its rooms, the most recently active first. */
  readonly opened: (connection: AcceptedConnection) => Promise<readonly CursorSeat[]>;
  readonly handlers: ConnectionHandlers;
  readonly lifecycle: Lifecycle;
  readonly log: Log;
}

type Found = Seat | 'no_room' | 'not_allowed';

/** Brings connections up to date: each when it opens, and whenever its client asks. */
export class SyncService implements OnModuleInit {
  private readonly sessions = new Map<AcceptedConnection, SyncSession>();
  /** Rooms of which clients asked and that are being looked up. */
  private readonly looking = new Map<AcceptedConnection, number>();
  private readonly turns = new Turns(ASKING_AT_ONCE);

  constructor(private readonly ports: SyncPorts) {}

  onModuleInit(): void {
    const { handlers, lifecycle, site } = this.ports;
    handlers.add(SOCKET_PATH, { opened: (connection) => this.opened(connection) });
    lifecycle.onStop(StopStage.workers, 'sync', () => site.reads.stop());
  }

  /** Rooms that connections wait for. */
  get waiting(): number {
    return [...this.sessions.values()].reduce((sum, session) => sum + session.waiting, 0);
  }

  /** Syncs one room for its client. Throws 404 or 403 where there is none for them, 429 where too many wait. */
  async one(connection: AcceptedConnection, room: SyncRoomDto, requestId: string | undefined): Promise<void> {
    const [found] = await this.find(connection, [room]);
    const refusal = refusalOf(found);
    if (refusal !== undefined) throw refusal;
    this.ask(connection, [{ room, found: found as Seat }], requestId);
  }

  /** Syncs several rooms in this order; each that there is not for this client is answered with an error. */
  async many(
    connection: AcceptedConnection,
    rooms: readonly SyncRoomDto[],
    requestId: string | undefined,
  ): Promise<void> {
    const found = await this.find(connection, rooms);
    const allowed = rooms.flatMap((room, i) => {
      const seat = found[i];
      const error = refusalOf(seat, `rooms[${i}].room_id`);
      if (error === undefined) return [{ room, found: seat as Seat }];
      this.ports.site.metrics.refused(error.code);
      connection.send(toWire({ ...errorFrame(error, requestId), room_id: room.room_id }));
      return [];
    });
    this.ask(connection, allowed, requestId);
  }

  private async opened(connection: AcceptedConnection): Promise<void> {
    if (!connection.syncsByItself) return;
    const budget = { left: this.ports.site.bounds.messages };
    const seats = await this.ports.opened(connection);
    const common = { afterRev: undefined, budget, requestId: undefined, isAsked: false };
    this.start(
      connection,
      seats.map((seat) => ({ ...common, seat, afterSeq: seat.ackedSeq })),
    );
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
      const ids = rooms.map(({ room_id }) => decodeId('room', room_id));
      const known = ids.filter((id) => id !== undefined);
      const seats = await this.turns.run(() => this.ports.seats.findAll(tenantId, known, userId));
      const byId = new Map(known.map((id, i) => [id, seats[i]]));
      return ids.map((id) => (id === undefined ? 'no_room' : (byId.get(id) ?? 'no_room')));
    } finally {
      const left = (this.looking.get(connection) ?? 0) - rooms.length;
      if (left > 0) this.looking.set(connection, left);
      else this.looking.delete(connection);
    }
  }

  private ask(
    connection: AcceptedConnection,
    rooms: readonly { readonly room: SyncRoomDto; readonly found: Seat }[],
    requestId: string | undefined,
  ): void {
    const budget = { left: this.ports.site.bounds.messages };
    const tasks = rooms.map(({ room: { after_seq: afterSeq, after_rev: afterRev }, found: seat }) => {
      return { seat, afterSeq, afterRev, budget, requestId, isAsked: true };
    });
    this.start(connection, tasks);
  }

  private start(connection: AcceptedConnection, tasks: readonly SyncTask[]): void {
    if (!connection.isOpen || tasks.length === 0) return;
    const session = this.sessionOf(connection);
    session
      .add(tasks)
      .then(() => {
        // One that waits for nothing knows nothing either; when its connection is over it waits for nothing.
        if (session.waiting === 0) this.sessions.delete(connection);
      })
      .catch((error: unknown) => {
        this.sessions.delete(connection);
        this.ports.log.error({ connection_id: connection.id, error: describeError(error) }, 'sync failed');
        // What it missed it would never get: it reconnects, and is synced again.
        connection.close(INTERNAL_FAULT, 'Sync failed; reconnect');
      });
  }

  private sessionOf(connection: AcceptedConnection): SyncSession {
    const known = this.sessions.get(connection);
    if (known !== undefined) return known;
    const session = new SyncSession(connection, this.ports.site);
    this.sessions.set(connection, session);
    return session;
  }
}

const INTERNAL_FAULT = 1011;

function refusalOf(found: Found | undefined, field?: string): AppError | undefined {
  if (found !== 'no_room' && found !== 'not_allowed' && found !== undefined) return undefined;
  const error = found === 'not_allowed' ? forbidden('You are not a member of this room') : notFound('Room');
  return field === undefined ? error : new AppError(error.code, error.message, { field });
}
