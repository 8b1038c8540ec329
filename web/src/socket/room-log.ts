/**
 * What a client has of one room: an unbroken stretch of its messages, and up to where. It takes frames in the order in
 * which they come and keeps the stretch unbroken, whatever is doubled, late, left out or from another log
 * (docs/protocol.md, "Order" and "Coming back").
 */
import type { Frame, Position } from './frames';

/** As frames and pages have it; `type` is that of a frame. */
export type RoomMessage = Omit<Frame<'message'>, 'type'>;

/**
 * `new`: it stands in the log now. `changed`: a message of the log is another now. `double`: it was there. `early`: what
 * lies before it comes with the sync that is under way. `gap`: what lies before it is missing, sync. `other`: the log
 * is not the one that was known.
 */
export type Taken = 'new' | 'changed' | 'double' | 'early' | 'gap' | 'other';

/** Messages that came in one sync after an absence. */
export interface CatchUp {
  readonly fromSeq: number;
  readonly toSeq: number;
}

type Change = Frame<'message.updated'> | Frame<'message.deleted'>;

/** As many are kept; what is older is fetched again where somebody looks. */
const MOST_MESSAGES = 5000;
const MOST_LATE_CHANGES = 500;

export class RoomLog {
  /** Without a gap: the one at index i has the seq `base` + i. */
  private stretch: RoomMessage[] = [];
  private base: number;
  private rev: number;
  /** The id of the message at `base` − 1, where it is known. */
  private idBefore: string | undefined;
  private firstSeq = 1;
  private live = false;
  private wasLive = false;
  private syncedFrom: number | undefined;
  private readonly catchUps: CatchUp[] = [];
  /** Changes of messages that are older than the stretch, until these are fetched: a page may be older than they are. */
  private readonly lateChanges = new Map<string, Change>();

  /** @param last where the room's log ends when this client gets to know it */
  constructor(
    readonly roomId: string,
    last: { readonly seq: number; readonly rev: number; readonly id?: string | undefined },
  ) {
    this.base = last.seq + 1;
    this.rev = last.rev;
    this.idBefore = last.id;
  }

  get messages(): readonly RoomMessage[] {
    return this.stretch;
  }

  /** Of the newest message that it has, and of all before. */
  get seq(): number {
    return this.base + this.stretch.length - 1;
  }

  get isLive(): boolean {
    return this.live;
  }

  /** The oldest that it has; older ones are there for GET. */
  get oldestSeq(): number {
    return this.base;
  }

  get hasEarlier(): boolean {
    return this.base > this.firstSeq;
  }

  get absences(): readonly CatchUp[] {
    return this.catchUps;
  }

  position(): Position {
    const id = this.stretch.at(-1)?.message_id ?? this.idBefore;
    return {
      room_id: this.roomId,
      after_seq: this.seq,
      after_rev: this.rev,
      ...(id === undefined ? {} : { after_id: id }),
    };
  }

  /** From here on a message beyond the next one is no gap: it comes again in its turn. */
  syncing(): void {
    this.live = false;
    // What comes with the first one was not missed.
    if (this.wasLive) this.syncedFrom ??= this.seq + 1;
  }

  message(frame: RoomMessage): Taken {
    const { seq, rev } = frame;
    const known = this.at(seq);
    if (known !== undefined) return known.message_id === frame.message_id ? 'double' : 'other';
    if (seq <= this.seq) return 'double';
    if (seq > this.seq + 1) return this.live ? 'gap' : 'early';
    this.stretch.push(frame);
    if (this.stretch.length > MOST_MESSAGES * 1.2) this.forget(this.stretch.length - MOST_MESSAGES);
    // An edited message keeps its place: lower revisions may come after it.
    if (frame.edited_at === null && frame.deleted_at === null) this.moved(rev);
    return 'new';
  }

  change(frame: Change): Taken {
    const { seq, rev } = frame;
    this.moved(rev);
    const known = this.at(seq);
    if (known === undefined) {
      if (seq < this.base) this.keepLate(frame);
      return 'double';
    }
    if (rev <= known.rev) return 'double';
    this.stretch[seq - this.base] = changed(known, frame);
    return 'changed';
  }

  /** Members and settings of the room: they only move the revision. */
  moved(rev: number): void {
    if (this.live) this.rev = Math.max(this.rev, rev);
  }

  /** @returns whether it is live now; false: it lacks something still, sync again; `other`: drop it, then sync */
  complete(frame: Pick<Frame<'sync.complete'>, 'first_seq' | 'last_seq' | 'last_rev' | 'last_id'>): boolean | 'other' {
    this.trimmed(frame.first_seq);
    if (this.seq > frame.last_seq) return 'other';
    if (this.seq < frame.last_seq) return false;
    const last = this.stretch.at(-1);
    if (last !== undefined && frame.last_id !== null && last.message_id !== frame.last_id) return 'other';
    const from = this.syncedFrom;
    if (from !== undefined && from <= this.seq) this.catchUps.push({ fromSeq: from, toSeq: this.seq });
    this.syncedFrom = undefined;
    this.live = true;
    this.wasLive = true;
    this.rev = frame.last_rev;
    return true;
  }

  /** More was missed than a sync brings: it begins anew before `before_seq`; what lies between is fetched as history. */
  truncated({ first_seq, before_seq }: Pick<Frame<'sync.truncated'>, 'first_seq' | 'before_seq'>): void {
    this.firstSeq = first_seq;
    if (before_seq - 1 <= this.seq) return;
    this.beginAt(before_seq);
    if (this.syncedFrom !== undefined) this.syncedFrom = before_seq;
  }

  /** The log is another one: nothing of it is kept. */
  reset(firstSeq = 1): void {
    this.firstSeq = firstSeq;
    this.beginAt(firstSeq);
    this.rev = 0;
    this.live = false;
    this.syncedFrom = undefined;
    this.catchUps.length = 0;
    this.lateChanges.clear();
  }

  /** What lies before is gone for everybody. */
  trimmed(firstSeq: number): void {
    this.firstSeq = firstSeq;
    if (this.base >= firstSeq) return;
    if (firstSeq > this.seq + 1) this.beginAt(firstSeq);
    else this.forget(firstSeq - this.base);
  }

  /** A page of what lies right before the stretch, in order of seq. */
  earlier(page: readonly RoomMessage[]): void {
    const next = page.filter(({ seq }) => seq < this.base).map((message) => this.newest(message));
    if (page.length === 0) this.firstSeq = this.base;
    if (next.at(-1)?.seq !== this.base - 1) return;
    this.stretch = [...next, ...this.stretch];
    this.base -= next.length;
  }

  private at(seq: number): RoomMessage | undefined {
    return this.stretch[seq - this.base];
  }

  private beginAt(seq: number): void {
    this.stretch = [];
    this.base = seq;
    this.idBefore = undefined;
  }

  private forget(count: number): void {
    this.idBefore = this.stretch[count - 1]?.message_id;
    this.stretch = this.stretch.slice(count);
    this.base += count;
  }

  private keepLate(frame: Change): void {
    this.lateChanges.delete(frame.message_id);
    this.lateChanges.set(frame.message_id, frame);
    const [oldest] = this.lateChanges.keys();
    if (this.lateChanges.size > MOST_LATE_CHANGES && oldest !== undefined) this.lateChanges.delete(oldest);
  }

  private newest(message: RoomMessage): RoomMessage {
    const change = this.lateChanges.get(message.message_id);
    this.lateChanges.delete(message.message_id);
    return change === undefined || change.rev <= message.rev ? message : changed(message, change);
  }
}

function changed(message: RoomMessage, frame: Change): RoomMessage {
  if (frame.type === 'message.updated') {
    const { type: _type, ...now } = frame;
    return now;
  }
  return { ...message, rev: frame.rev, deleted_at: frame.deleted_at, content: '', meta: null };
}
