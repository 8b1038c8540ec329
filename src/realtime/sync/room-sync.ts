import { LRUCache } from 'lru-cache';
import { encodeId } from '../../common/ids';
import {
  type CachedPage,
  isSame,
  type MissedPage,
  type MissedPart,
  type Position,
  type RoomPosition,
  type Target,
} from '../feed';
import type { Frame, WireFrame } from '../transport';

/** How much a sync sends. */
export interface SyncBounds {
  /** Newest messages of one room. */
  readonly roomMessages: number;
  /** Newest messages of all rooms of one sync. */
  readonly messages: number;
  /** What else changed is sent where it lies within so many of a room's newest revisions. */
  readonly roomRevisions: number;
  /** Larger rooms send no read marks: a thousand members would be a thousand frames at each reconnect. */
  readonly markedMembers: number;
}

/** Messages: contract §3. */
export const SYNC_BOUNDS: SyncBounds = { roomMessages: 500, messages: 5000, roomRevisions: 1000, markedMembers: 100 };

/** How often a shared page may be gone when it is to be sent. */
const MOST_LOSSES = 2;

/** Messages that one sync may still send, over all of its rooms. */
export interface Budget {
  left: number;
}

/** A room that a connection is to be brought up to date in. */
export interface SyncTask {
  readonly roomId: string;
  /** As the user sat there when the sync was decided; undefined: the channel knew better than the database. */
  readonly roomPosition: RoomPosition | undefined;
  readonly afterSeq: number;
  /** UUID of the message at `afterSeq`, where the client named it and it is so. */
  readonly afterId?: string | undefined;
  /** Undefined: nothing of what had changed before. */
  readonly afterRev: number | undefined;
  readonly budget: Budget;
  /** What the client asked under; undefined where it did not ask, or said none. */
  readonly requestId: string | undefined;
  /** Whether the client asked for it, so that it has to be told when nothing comes of it. */
  readonly isAsked: boolean;
  /** What the client says that it has was never so, or is no more: it is told to drop it, and gets the newest. */
  readonly isReset?: boolean;
}

/** A message that a client was sent or has. */
interface Known {
  readonly seq: number;
  /** UUID. */
  readonly id: string;
}

interface Cut {
  readonly seqs: readonly [after: number, before: number];
  readonly revs: readonly [after: number, before: number] | undefined;
}

/** A page of what is told; `cached` in place of messages among the events. */
export type SyncPage = MissedPage & { readonly cached?: CachedPage };

/** One room of a session while its turn lasts: what is still to be read of it. */
export class RoomSync {
  readonly upTo: Position;
  /** What was left out; told first. */
  readonly cut: Cut | undefined;
  /** What it took of the budget. */
  readonly messages: number;
  /** Rows that are to be read, at most. */
  readonly weight: number;
  private first: number;
  private last: Known | undefined;
  private readonly changedThroughSeq: number;
  private afterSeq: number;
  private afterRev: number;
  private isBegun = false;
  private isQuiet: boolean;
  private losses = 0;

  /** @param target undefined where the connection has no place in the room: it is told what there is, and no more */
  constructor(
    readonly task: SyncTask,
    readonly target: Target | undefined,
    private readonly bounds: SyncBounds,
  ) {
    const { roomPosition, budget, afterId } = task;
    this.upTo = target?.upTo ?? { rev: roomPosition?.lastRev ?? 0, seq: roomPosition?.lastSeq ?? 0 };
    this.first = roomPosition?.firstSeq ?? 1;
    if (afterId !== undefined) this.last = { seq: task.afterSeq, id: afterId };
    const isTrimmed = task.afterSeq < this.first - 1;
    const missed = Math.max(0, this.upTo.seq - Math.max(task.afterSeq, this.first - 1));
    const messages = Math.min(missed, bounds.roomMessages, budget.left);
    budget.left -= messages;
    this.messages = messages;
    const known = target?.has.rev ?? this.upTo.rev;
    const fromRev = Math.min(task.afterRev ?? known, known);
    this.changedThroughSeq = task.afterSeq;
    this.afterSeq = this.upTo.seq - messages;
    this.afterRev = Math.max(fromRev, this.upTo.rev - bounds.roomRevisions);
    const revs = this.afterRev > fromRev ? ([fromRev, this.afterRev + 1] as const) : undefined;
    if (missed > messages || revs !== undefined || isTrimmed) {
      const before = missed > messages || isTrimmed ? this.afterSeq + 1 : task.afterSeq + 1;
      this.cut = { seqs: [task.afterSeq, before], revs };
    }
    this.weight = messages + (this.upTo.rev - this.afterRev);
    this.isQuiet = target !== undefined && this.afterRev >= target.quietSince;
  }

  /**
   * Whether nothing but new messages is to be told, so that it is told from what connections share: there is no removal
   * of its user on the way, and no change of another message.
   */
  get isShared(): boolean {
    return this.isQuiet;
  }

  /** It is told from the log instead. */
  unshare(): void {
    this.isQuiet = false;
  }

  /** What was there for it has been given up for other rooms before it was sent: memory that short is not waited for. */
  lost(): void {
    if (++this.losses >= MOST_LOSSES) this.unshare();
  }

  /** The messages that it has not been sent; undefined: it has all of them. */
  get range(): { readonly afterSeq: number; readonly throughSeq: number } | undefined {
    const { afterSeq, upTo } = this;
    return afterSeq < upTo.seq ? { afterSeq, throughSeq: upTo.seq } : undefined;
  }

  /** What is told of the room before its messages. */
  get opening(): { readonly marks: boolean; readonly named: number | undefined } {
    const { marks, named } = this.part();
    return { marks, named };
  }

  get roomId(): string {
    return this.task.roomId;
  }

  /** The oldest message that the room keeps. */
  get firstSeq(): number {
    return this.first;
  }

  /** UUID of the message with this seq, if the client has it; undefined: it is not known, or there is none. */
  idOf(seq: number): string | undefined {
    return this.last?.seq === seq ? this.last.id : undefined;
  }

  /** Whether something of it was sent. */
  get begun(): boolean {
    return this.isBegun;
  }

  part(): MissedPart {
    return {
      roomId: this.roomId,
      afterSeq: this.afterSeq,
      throughSeq: this.upTo.seq,
      afterRev: this.afterRev,
      throughRev: this.upTo.rev,
      changedThroughSeq: this.changedThroughSeq,
      marks: !this.isBegun && (this.task.roomPosition?.memberCount ?? 0) <= this.bounds.markedMembers,
      // What is sent says it itself.
      named: this.isBegun || this.messages > 0 || this.last?.seq === this.upTo.seq ? undefined : this.upTo.seq,
    };
  }

  /** The client asked for changes of which the page shows that they are kept no more, or not as they were told to others. */
  isForgotten({ firstRev }: SyncPage): boolean {
    return this.task.afterRev !== undefined && firstRev !== undefined && this.afterRev < firstRev;
  }

  /** The same room for a client that is to drop what it has. */
  fromStart({ firstSeq = this.first }: SyncPage): SyncTask {
    const { roomPosition } = this.task;
    return {
      ...this.task,
      ...{ afterSeq: firstSeq - 1, afterId: undefined, afterRev: undefined, isReset: true },
      roomPosition: roomPosition && { ...roomPosition, firstSeq },
    };
  }

  /** A page has come, and is about to be sent. */
  learn({ firstSeq, namedId, events, cached }: SyncPage): void {
    this.first = firstSeq ?? this.first;
    if (namedId !== undefined) this.last = { seq: this.upTo.seq, id: namedId };
    if (cached?.lastId !== undefined) this.last = { seq: cached.throughSeq, id: cached.lastId };
    for (const { seq, messageId: id } of events) if (seq !== undefined && id !== undefined) this.last = { seq, id };
  }

  /** A page was sent. */
  advance(page: MissedPage): void {
    this.isBegun = true;
    this.afterSeq = page.afterSeq;
    this.afterRev = page.afterRev;
  }

  /** Whether the page shows the user where they sat when this began. */
  isAllowed({ access }: MissedPage): boolean {
    return access === 'member' || (access === 'listener' && this.target?.isMember !== true);
  }
}

/** sync.reset. */
export function resetFrame(roomId: string, room: RoomSync, epoch: number): Frame {
  const { roomPosition } = room.task;
  return {
    ...aboutSync('sync.reset', roomId, room),
    last_seq: roomPosition?.lastSeq ?? room.upTo.seq,
    last_rev: roomPosition?.lastRev ?? room.upTo.rev,
    epoch,
  };
}

/** sync.truncated. */
export function truncatedFrame(roomId: string, room: RoomSync, { seqs, revs }: Cut): Frame {
  return {
    ...aboutSync('sync.truncated', roomId, room),
    after_seq: seqs[0],
    before_seq: seqs[1],
    ...(revs === undefined ? {} : { after_rev: revs[0], before_rev: revs[1] }),
  };
}

/** @param id UUID of the message at the position, where it is known */
function completeFrame(roomId: string, room: RoomSync, position: Position, id: string | undefined): Frame {
  return {
    ...aboutSync('sync.complete', roomId, room),
    last_seq: position.seq,
    last_id: id === undefined ? null : encodeId('message', id),
    last_rev: position.rev,
  };
}

/** Rooms whose last `sync.complete` is kept, some 300 bytes each. */
const KEPT_ENDS = 10_000;

interface End {
  readonly firstSeq: number;
  readonly position: Position;
  readonly id: string | undefined;
  readonly frame: WireFrame;
}

/**
 * `sync.complete`, framed. Those that come back together end at the same place in their rooms: what one of them is told
 * is kept for the next one, unless the client gave its question an id. The frame follows from its fields alone.
 */
export class CompleteFrames {
  private readonly ends = new LRUCache<string, End>({ max: KEPT_ENDS });

  constructor(private readonly encode: (text: string) => WireFrame) {}

  /** @param lastId UUID of the message at the position, where it was sent last */
  of(room: RoomSync, position: Position, lastId: string | undefined): WireFrame {
    const { roomId, firstSeq, task } = room;
    const id = lastId ?? room.idOf(position.seq);
    const known = task.requestId === undefined ? this.ends.get(roomId) : undefined;
    if (known?.id === id && known?.firstSeq === firstSeq && isSame(known.position, position)) return known.frame;
    const frame = this.encode(JSON.stringify(completeFrame(encodeId('room', roomId), room, position, id)));
    if (task.requestId === undefined) this.ends.set(roomId, { firstSeq, position, id, frame });
    return frame;
  }
}

function aboutSync(type: string, room_id: string, { task: { requestId }, firstSeq }: RoomSync): Frame {
  return { type, ...(requestId === undefined ? {} : { request_id: requestId }), room_id, first_seq: firstSeq };
}
