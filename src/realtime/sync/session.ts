import { Injectable } from '@nestjs/common';
import { type ErrorCode, forbidden } from '../../common/errors';
import { encodeId } from '../../common/ids';
import { Epoch } from '../../platform/database';
import { Log } from '../../platform/logging';
import { Metrics } from '../../platform/metrics';
import { type CachedPage, LogReads, type Opening, type Position, ready, RoomLog, SyncPlaces } from '../feed';
import { type AcceptedConnection, ReconnectPacer, errorFrame, type Frame, FrameBatches } from '../transport';
import {
  CompleteFrames,
  resetFrame,
  RoomSync,
  SYNC_BOUNDS,
  type SyncBounds,
  type SyncPage,
  type SyncTask,
  truncatedFrame,
} from './room-sync';

/** Rooms of a page, and rows that they may need in all; a room that needs more is read by itself, page by page. */
const PAGE_ROOMS = 32;
const PAGE_ROWS = 500;
const PAGE_MESSAGES = 250;
/** Content of a page. */
const PAGE_BYTES = 512 * 1024;
const MIN_ROOM_BYTES = 32 * 1024;

/** Undefined: what was there is no more, and it has to be read again. */
type TakePage = () => SyncPage | undefined;

/** What is counted. */
interface SyncMetrics {
  page(): void;
  sent(messages: number, source: 'memory' | 'log', tenantId: string): void;
  truncated(): void;
  reset(): void;
  refused(code: ErrorCode): void;
}

/** What sessions share. */
export interface SyncSite {
  readonly log: RoomLog;
  readonly reads: LogReads;
  readonly places: SyncPlaces;
  readonly batches: FrameBatches;
  readonly completes: CompleteFrames;
  readonly bounds: SyncBounds;
  readonly metrics: SyncMetrics;
  /** The installation's. */
  readonly epoch: () => number;
}

/**
 * What one connection is being sent of what it missed: rooms one after another, page by page, as fast as the client
 * reads. Nothing is kept but the rooms to come and the page at hand.
 */
export class SyncSession {
  private readonly queue: SyncTask[] = [];
  /** The rooms whose page is being read, or was not read to its end. */
  private current: RoomSync[] = [];
  private isRunning = false;

  constructor(
    private readonly connection: AcceptedConnection,
    private readonly site: SyncSite,
  ) {}

  /** Rooms that are not done. */
  get waiting(): number {
    return this.queue.length + this.current.length;
  }

  /** Rooms that the client asked for and that are not done. */
  get asked(): number {
    const tasks = [...this.queue, ...this.current.map(({ task }) => task)];
    return tasks.filter(({ isAsked }) => isAsked).length;
  }

  /** Syncs these rooms after the ones that wait. Rejects only for a fault of the server. */
  async add(tasks: readonly SyncTask[]): Promise<void> {
    this.queue.push(...tasks);
    if (this.isRunning) return;
    this.isRunning = true;
    try {
      await this.run();
    } finally {
      this.isRunning = false;
    }
  }

  private async run(): Promise<void> {
    while (this.connection.isOpen && this.waiting > 0) {
      await ready(this.connection);
      if (!this.connection.isOpen) break;
      if (this.current.length === 0) this.current = this.next();
      const pages = await this.read(this.current);
      if (pages === undefined) break;
      await this.serve(pages);
    }
    this.queue.length = 0;
    this.current = [];
  }

  /** The rooms of the next page; from here on the connection is live in none of them. */
  private next(): RoomSync[] {
    const rooms: RoomSync[] = [];
    let rows = 0;
    while (rooms.length < PAGE_ROOMS && rows < PAGE_ROWS) {
      const task = this.queue[0];
      // The same room once more begins where the first of the two has brought it.
      if (task === undefined || rooms.some(({ roomId }) => roomId === task.roomId)) break;
      const { budget } = task;
      const before = budget.left;
      const sync = this.begin(task);
      // A room that the connection has left meanwhile is not synced any more.
      if (sync === undefined) {
        this.queue.shift();
        continue;
      }
      if (rooms.length > 0 && rows + sync.weight > PAGE_ROWS) {
        budget.left = before;
        break;
      }
      this.queue.shift();
      rows += sync.weight;
      rooms.push(sync);
    }
    return rooms;
  }

  private begin(task: SyncTask): RoomSync | undefined {
    const { places, bounds } = this.site;
    const { roomId, roomPosition, isAsked } = task;
    // A user that was removed and has joined again came in at that joining, not where this sync was to begin.
    if (!isAsked && !places.isHeld(this.connection, roomId)) return undefined;
    const held = places.hold(this.connection, roomId);
    const target =
      held ??
      (isAsked && roomPosition !== undefined ? places.place(this.connection, roomPosition, task.afterSeq) : undefined);
    if (target === undefined && roomPosition === undefined) {
      this.refuse(task);
      return undefined;
    }
    return new RoomSync(task, target, bounds);
  }

  /** A page of each room, in their order; of what connections share it is taken when it is sent. */
  private async read(rooms: readonly RoomSync[]): Promise<readonly TakePage[] | undefined> {
    if (rooms.length === 0) return [];
    return this.site.reads.run(
      () => this.connection.isOpen,
      async () => {
        const begun = rooms.map((room) => (room.isShared ? this.prepare(room, rooms.length) : undefined));
        await Promise.all(begun.filter((page) => page instanceof Promise));
        const shared: (TakePage | undefined)[] = [];
        for (const page of begun) shared.push(page instanceof Promise ? await page : page);
        const alone = rooms.filter(({ isShared }) => !isShared);
        const pages = new Map<RoomSync, SyncPage>();
        if (alone.length > 0) {
          const found = await this.readAlone(alone);
          alone.forEach((room, i) => pages.set(room, found[i] as SyncPage));
        }
        return rooms.map((room, i) => shared[i] ?? (() => pages.get(room)));
      },
    );
  }

  /**
   * Undefined: nothing that is shared can be had of it, and it is read alone. Most that come back have missed nothing, and
   * what is told of that is known: they wait for no promise.
   */
  private prepare(room: RoomSync, rooms: number): TakePage | Promise<TakePage | undefined> {
    const { range, opening: wanted } = room;
    const opening = this.site.places.pages.opening(this.connection.tenantId, room.roomId, wanted);
    if (range === undefined && !(opening instanceof Promise)) return () => openingPage(room, opening);
    return this.prepareRange(room, rooms, opening);
  }

  private async prepareRange(
    room: RoomSync,
    rooms: number,
    opening: Opening | Promise<Opening>,
  ): Promise<TakePage | undefined> {
    const { pages } = this.site.places;
    const { tenantId } = this.connection;
    const { roomId, range } = room;
    const [opened, isThere] = await Promise.all([
      opening,
      range === undefined || pages.prepare(tenantId, roomId, range, room.upTo),
    ]);
    if (!isThere) {
      room.unshare();
      return undefined;
    }
    if (range === undefined) return () => openingPage(room, opened);
    return () => {
      const cached = pages.take(tenantId, roomId, range, room.upTo, bytesOfRoom(rooms));
      return cached && { ...openingPage(room, opened), ...restOf(room, cached) };
    };
  }

  private readAlone(rooms: readonly RoomSync[]): Promise<readonly SyncPage[]> {
    const { log, metrics } = this.site;
    const { tenantId, userId } = this.connection;
    metrics.page();
    const limits = { messages: PAGE_MESSAGES, changes: PAGE_MESSAGES, bytes: bytesOfRoom(rooms.length) };
    return log.missed(
      tenantId,
      userId,
      rooms.map((room) => room.part()),
      limits,
    );
  }

  /** Sends the pages in their order, up to the first that has another one behind it, or has to be read again. */
  private async serve(pages: readonly TakePage[]): Promise<void> {
    for (const take of pages) {
      const [room] = this.current;
      if (room === undefined || !this.connection.isOpen) return;
      const page = take();
      if (page === undefined) room.lost();
      if (page === undefined || !(await this.room(room, page))) return;
      this.current = this.current.slice(1);
    }
  }

  /** False: there is more of the room. */
  private async room(room: RoomSync, page: SyncPage): Promise<boolean> {
    const { connection, site } = this;
    const { roomId, target } = room;
    if (target === undefined && this.beginAnew(room)) return false;
    const isGone = target !== undefined && !site.places.isHeld(connection, roomId);
    if (isGone || !room.isAllowed(page)) {
      if (!isGone && target !== undefined) await site.places.doubt(connection, roomId);
      return this.isOver(room);
    }
    if (room.isForgotten(page)) {
      this.reset(room, page);
      return false;
    }
    room.learn(page);
    this.send(room, page);
    room.advance(page);
    if (page.more) return false;
    if (target === undefined) this.complete(room, room.upTo, undefined);
    else if (!(await this.release(room))) return this.isOver(room);
    return true;
  }

  /**
   * The user was removed. False: the user has joined again meanwhile, and what the client asked for begins anew. A refusal
   * says that the user is out at this point of what the client is told: it asks again after the next joining.
   */
  private isOver(room: RoomSync): boolean {
    if (room.task.isAsked && this.beginAnew(room)) return false;
    this.refuse(room.task);
    return true;
  }

  /** The connection has come into the room while it was told of it: what was told is told again, up to the seam. */
  private beginAnew({ task, roomId, messages }: RoomSync): boolean {
    const target = this.site.places.hold(this.connection, roomId);
    if (target === undefined) return false;
    task.budget.left += messages;
    this.current = [new RoomSync(task, target, this.site.bounds), ...this.current.slice(1)];
    return true;
  }

  /** The room has forgotten what the client is to be told of: since this was decided, there may have been any change. */
  private reset(room: RoomSync, page: SyncPage): void {
    const { roomId, messages } = room;
    room.task.budget.left += messages;
    const target = this.site.places.hold(this.connection, roomId) ?? room.target;
    this.current = [new RoomSync(room.fromStart(page), target, this.site.bounds), ...this.current.slice(1)];
  }

  private release(room: RoomSync): Promise<boolean> {
    const { connection, site } = this;
    return new Promise((resolve) => {
      const live = (position: Position, lastId: string | undefined): void => this.complete(room, position, lastId);
      site.places.release(connection, room.roomId, room.upTo, { live, over: resolve });
    });
  }

  private send(room: RoomSync, page: SyncPage): void {
    const { site, connection } = this;
    if (!room.begun) this.open(room);
    for (const { userId: user_id, seq } of page.marks)
      this.tell({ type: 'read.update', room_id: this.idOf(room), user_id, seq });
    const { cached } = page;
    if (cached !== undefined) {
      connection.sendHistory(cached);
      site.places.sent(connection, room.roomId, cached.throughSeq);
      site.metrics.sent(cached.frames, 'memory', connection.tenantId);
    } else this.sendEvents(room, page);
  }

  private sendEvents({ roomId }: RoomSync, { events }: SyncPage): void {
    const { site, connection } = this;
    for (const event of events)
      connection.sendHistory(site.batches.encode(event.text?.() ?? JSON.stringify(event.frame())));
    const seqs = events.flatMap(({ seq }) => (seq === undefined ? [] : [seq]));
    if (seqs.length === 0) return;
    site.places.sent(connection, roomId, Math.max(...seqs));
    site.metrics.sent(seqs.length, 'log', connection.tenantId);
  }

  /** What is told of a room before anything of it. */
  private open(room: RoomSync): void {
    const { epoch, metrics } = this.site;
    if (room.task.isReset === true) {
      this.tell(resetFrame(this.idOf(room), room, epoch()));
      metrics.reset();
    }
    if (room.cut !== undefined) {
      this.tell(truncatedFrame(this.idOf(room), room, room.cut));
      metrics.truncated();
    }
  }

  /** A client that asked is told that nothing more comes; one that was brought here by the server knows of the removal. */
  private refuse({ isAsked, roomId, requestId }: SyncTask): void {
    if (!isAsked) return;
    const error = forbidden('You are no member of this room any more, or have unsubscribed from it');
    this.site.metrics.refused(error.code);
    this.tell({ ...errorFrame(error, requestId), room_id: encodeId('room', roomId) });
  }

  private idOf(room: RoomSync): string {
    return encodeId('room', room.roomId);
  }

  private complete(room: RoomSync, position: Position, lastId: string | undefined): void {
    this.connection.sendHistory(this.site.completes.of(room, position, lastId));
  }

  private tell(frame: Frame): void {
    this.connection.sendHistory(this.site.batches.encode(JSON.stringify(frame)));
  }
}

/** A page without messages: what is told of a room that the connection has all messages of. */
function openingPage({ upTo }: RoomSync, { namedId, marks }: Opening): SyncPage {
  const { seq: afterSeq, rev: afterRev } = upTo;
  return {
    access: 'member',
    firstSeq: undefined,
    firstRev: undefined,
    namedId,
    marks,
    events: [],
    afterSeq,
    afterRev,
    more: false,
  };
}

/** The messages of a shared page, and how far it goes. */
function restOf({ upTo }: RoomSync, cached: CachedPage): Pick<SyncPage, 'cached' | 'afterSeq' | 'more'> {
  return { cached, afterSeq: cached.throughSeq, more: cached.throughSeq < upTo.seq };
}

/** Content of a page of one of so many rooms that are read together, in bytes. */
function bytesOfRoom(rooms: number): number {
  return Math.max(MIN_ROOM_BYTES, Math.floor(PAGE_BYTES / rooms));
}

/** Pages that are made at the same time: what they need of the log is asked for together. */
const PAGES_AT_ONCE = 500;

@Injectable()
export class SyncReads extends LogReads {
  constructor(log: Log, pacer: ReconnectPacer) {
    super(log, 'sync', pacer.queue(PAGES_AT_ONCE, 'sync'));
  }
}

/** What the sessions of this node share. */
@Injectable()
export class NodeSyncSite implements SyncSite {
  readonly bounds = SYNC_BOUNDS;
  readonly completes = new CompleteFrames((text) => this.batches.encode(text));

  constructor(
    readonly log: RoomLog,
    readonly reads: SyncReads,
    readonly places: SyncPlaces,
    readonly batches: FrameBatches,
    private readonly counters: Metrics,
    private readonly installation: Epoch,
  ) {}

  readonly metrics = {
    page: (): void => this.counters.counter('chatapi_sync_pages_total').inc(),
    sent: (messages: number, source: 'memory' | 'log', tenantId: string): void => {
      this.counters.counter('chatapi_sync_messages_total').labels({ source }).inc(messages);
      this.counters.tenant(tenantId).deliveries += messages;
    },
    truncated: (): void => this.counters.counter('chatapi_sync_truncated_total').inc(),
    reset: (): void => this.counters.counter('chatapi_sync_reset_total').inc(),
    refused: (code: ErrorCode): void => this.counters.errors(code),
  };

  readonly epoch = (): number => this.installation.known;
}
