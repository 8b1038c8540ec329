import type { FrameBatch, WireFrame } from '../transport';
import type { ChangeHead } from './order';
import type { Position, RecentMessage } from './ports';

/** Messages of one room that are held, at most: a sync sends 500, and a room goes on while it does. */
export const MOST_CACHED = 1000;
/** A larger frame is not held: one answer of a model may have a megabyte. */
const LARGEST_FRAME = 64 * 1024;
const SMALLEST_CHUNK = 1024;
const LARGEST_CHUNK = 64 * 1024;
const NONE: ReadonlySet<never> = new Set();
/** What a held message takes beside its frame, in bytes: an object, an id, a view of its chunk. */
const ENTRY_BYTES = 200;
/** Bytes of a frame before its text, by the length that it begins with. */
const SHORT_HEADER = 2;
const HEADERS: Readonly<Record<number, number>> = { 126: 4, 127: 10 };

/** Memory of frames that lie one behind the other, so that a page of them is one piece. */
class Chunk {
  used = 0;
  /** Messages whose frames are here; without any it is given up. */
  live = 0;
  readonly bytes: Buffer;

  constructor(size: number) {
    // Not from Node's pool: a frame there would keep the frames of others.
    this.bytes = Buffer.allocUnsafeSlow(size);
  }

  get left(): number {
    return this.bytes.length - this.used;
  }
}

/** A message with its frame as it was at `rev`. */
class CachedMessage implements RecentMessage {
  constructor(
    readonly seq: number,
    readonly rev: number,
    readonly messageId: string,
    readonly chunk: Chunk,
    readonly from: number,
    readonly to: number,
  ) {}

  get size(): number {
    return this.to - this.from;
  }

  get text(): string {
    const { bytes } = this.chunk;
    const header = HEADERS[bytes[this.from + 1] ?? 0] ?? SHORT_HEADER;
    return bytes.toString('utf8', this.from + header, this.to);
  }
}

/** Frames of consecutive messages, the same bytes for all connections that are sent them. */
export class CachedPage implements FrameBatch {
  private readonly pieces: Buffer[] = [];
  private size = 0;
  private count = 0;
  private lastMessage: CachedMessage | undefined;
  private end: { chunk: Chunk; from: number; to: number } | undefined;
  private newest = 0;

  /** @param after the seq before its first message */
  constructor(private readonly after: number) {}

  get bytes(): number {
    return this.size;
  }

  get frames(): number {
    return this.count;
  }

  /** The highest revision of its messages. */
  get rev(): number {
    return this.newest;
  }

  get throughSeq(): number {
    return this.lastMessage?.seq ?? this.after;
  }

  /** UUID of its last message. */
  get lastId(): string | undefined {
    return this.lastMessage?.messageId;
  }

  add(message: CachedMessage): void {
    const { end } = this;
    if (end?.chunk === message.chunk && end.to === message.from) end.to = message.to;
    else {
      this.seal();
      this.end = { chunk: message.chunk, from: message.from, to: message.to };
    }
    this.size += message.size;
    this.count++;
    this.lastMessage = message;
    if (message.rev > this.newest) this.newest = message.rev;
  }

  seal(): void {
    if (this.end) this.pieces.push(this.end.chunk.bytes.subarray(this.end.from, this.end.to));
    this.end = undefined;
  }

  get shared(): readonly Buffer[] {
    return this.pieces;
  }

  joined(): Buffer {
    return Buffer.concat(this.pieces, this.size);
  }
}

/** A read of the log that is under way: what the channel has delivered meanwhile of the messages that it may bring. */
export class CacheRead {
  /** By seq, the revision of the last change. */
  private readonly changes = new Map<number, number>();
  private isVoid = false;

  noteChange(seq: number, rev: number): void {
    this.changes.set(seq, Math.max(rev, this.changes.get(seq) ?? 0));
  }

  /** Nothing of it is to be kept. */
  void(): void {
    this.isVoid = true;
  }

  isGood({ seq, rev }: Pick<RecentMessage, 'seq' | 'rev'>): boolean {
    return !this.isVoid && rev >= (this.changes.get(seq) ?? 0);
  }
}

/** A range of messages that is not empty. */
export interface CachedRange {
  readonly afterSeq: number;
  readonly throughSeq: number;
}

/** Why there is no page: these are not held; or they were read at a revision that the channel has yet to reach. */
export type Uncached = { readonly missing: CachedRange } | { readonly reaches: Position };

/**
 * The newest messages of one room, framed, as its channel has them (docs/adr/0028-shared-pages.md).
 *
 * Invariants
 * - What is held of a message is its content at its `rev`, and the channel has delivered no later change of it.
 * - A page is given out only where the channel has reached the revision of everything in it: a connection never gets what
 *   was said or changed at a point of the room's order that it has not come to.
 * - What the channel delivers while messages are being read counts: of a message that was changed meanwhile nothing that
 *   was read before is kept.
 * - `quietSince`: after this revision the channel has delivered nothing but new messages.
 *
 * Not held: what is larger than 64 KB, and what is older than the newest thousand. Those are read from the log.
 */
export class RoomCache {
  /** By seq − base; holes are not held. */
  private messages: (CachedMessage | undefined)[] = [];
  private base = 0;
  private chunk: Chunk | undefined;
  private size = 0;
  private count = 0;
  private reads: ReadonlySet<CacheRead> = NONE;
  private page: { readonly range: CachedRange; readonly most: number; readonly page: CachedPage } | undefined;
  private firstSeq = 1;
  private quiet: number;
  /** Of one message that is not held. */
  private known: { readonly seq: number; readonly id: string } | undefined;

  /** @param resized called with each change of `bytes` */
  constructor(
    rev: number,
    private readonly resized: (cache: RoomCache) => void,
  ) {
    this.quiet = rev;
  }

  /** Memory that it takes. */
  get bytes(): number {
    return this.size + this.count * ENTRY_BYTES;
  }

  get isEmpty(): boolean {
    return this.count === 0;
  }

  /** The seq of the oldest that is held; undefined: none is. */
  get oldest(): number | undefined {
    return this.count === 0 ? undefined : this.base;
  }

  get quietSince(): number {
    return this.quiet;
  }

  /** The channel has delivered a change; `frame`: of a new message, where one was made. */
  delivered(head: ChangeHead, frame: WireFrame | undefined): void {
    const { seq, rev, messageId, changedSeq, firstSeq } = head;
    if (seq === undefined) this.quiet = rev;
    if (changedSeq !== undefined) this.changed(changedSeq, rev);
    if (firstSeq !== undefined) this.trim(firstSeq);
    // What nobody was sent is read when it is wanted.
    if (seq === undefined || messageId === undefined) return;
    if (frame !== undefined && this.isWanted(seq, frame)) {
      this.put({ seq, rev, messageId }, frame);
      this.resized(this);
    } else this.learn(seq, messageId);
  }

  /** The channel has read the log up to here, other things than messages among it. */
  disturbed(rev: number): void {
    this.quiet = rev;
  }

  /** Begins a read of the log; `fill` ends it. */
  beginRead(): CacheRead {
    const read = new CacheRead();
    this.reads = new Set([...this.reads, read]);
    return read;
  }

  /** Takes in what was read, in order of seq; nothing, where that failed. */
  fill(read: CacheRead, rows: readonly { readonly message: RecentMessage; readonly frame: WireFrame }[]): void {
    this.reads = this.reads.size === 1 ? NONE : new Set([...this.reads].filter((other) => other !== read));
    const newest = Math.max(this.base + this.messages.length - 1, rows.at(-1)?.message.seq ?? 0);
    const oldest = Math.max(this.firstSeq, newest - MOST_CACHED + 1);
    const wanted = rows.filter(
      ({ message, frame }) =>
        message.seq >= oldest &&
        frame.length <= LARGEST_FRAME &&
        this.get(message.seq) === undefined &&
        read.isGood(message),
    );
    if (wanted.length === 0) return;
    const chunk = new Chunk(wanted.reduce((sum, { frame }) => sum + frame.length, 0));
    this.size += chunk.bytes.length;
    for (const { message, frame } of wanted) this.put(message, frame, chunk);
    this.resized(this);
  }

  /**
   * The messages of a range, as many as fit into `most` bytes but at least one; the range is not empty.
   * @param at where the channel is
   */
  take(range: CachedRange, most: number, at: Position): CachedPage | Uncached {
    const known = this.page;
    if (known?.most === most && isSameRange(known.range, range) && known.page.rev <= at.rev) return known.page;
    const page = new CachedPage(range.afterSeq);
    for (let seq = range.afterSeq + 1; seq <= range.throughSeq && (page.bytes < most || page.frames === 0); seq++) {
      const message = this.get(seq);
      if (message === undefined) {
        if (page.frames > 0) break;
        return { missing: { afterSeq: range.afterSeq, throughSeq: this.lastMissing(range) } };
      }
      if (message.rev > at.rev) {
        if (page.frames > 0) break;
        return { reaches: { rev: message.rev, seq: 0 } };
      }
      page.add(message);
    }
    page.seal();
    this.page = { range, most, page };
    return page;
  }

  /** All of them, where all are held and the channel has got so far. */
  between({ afterSeq, throughSeq }: CachedRange, at: Position): readonly RecentMessage[] | undefined {
    const found: RecentMessage[] = [];
    for (let seq = afterSeq + 1; seq <= throughSeq; seq++) {
      const message = this.get(seq);
      if (message === undefined || message.rev > at.rev) return undefined;
      found.push(message);
    }
    return found;
  }

  /** UUID of the message with this seq, where it is known. */
  idOf(seq: number): string | undefined {
    return this.get(seq)?.messageId ?? (this.known?.seq === seq ? this.known.id : undefined);
  }

  /** Remembers the UUID of a message that is not held; of the newest one. */
  learn(seq: number, id: string): void {
    if (seq >= (this.known?.seq ?? 0)) this.known = { seq, id };
  }

  /** Whether a range may be held: what is older than the newest thousand is not. */
  mayHold({ afterSeq }: CachedRange, newest: number): boolean {
    return afterSeq >= newest - MOST_CACHED;
  }

  clear(): void {
    this.messages = [];
    this.chunk = undefined;
    this.page = undefined;
    this.size = this.count = 0;
    // What is being read now may be older than what made this necessary.
    for (const read of this.reads) read.void();
  }

  private get(seq: number): CachedMessage | undefined {
    return this.messages[seq - this.base];
  }

  /** A live message is held where it goes on with what is held, or where nothing is. */
  private isWanted(seq: number, frame: WireFrame): boolean {
    return frame.length <= LARGEST_FRAME && (this.count === 0 || seq === this.base + this.messages.length);
  }

  private lastMissing({ afterSeq, throughSeq }: CachedRange): number {
    let seq = afterSeq + 1;
    while (seq < throughSeq && this.get(seq + 1) === undefined) seq++;
    return seq;
  }

  private changed(seq: number, rev: number): void {
    for (const read of this.reads) read.noteChange(seq, rev);
    this.page = undefined;
    const held = this.get(seq);
    if (held === undefined || held.rev >= rev) return;
    this.drop(seq);
    this.resized(this);
  }

  private trim(firstSeq: number): void {
    this.firstSeq = firstSeq;
    this.page = undefined;
    if (firstSeq <= this.base) return;
    this.cutTo(firstSeq);
    this.resized(this);
  }

  private put({ seq, rev, messageId }: Omit<RecentMessage, 'text'>, frame: WireFrame, into?: Chunk): void {
    // Far from all that is held: what lies between would be mostly holes.
    if (seq >= this.base + 2 * MOST_CACHED) this.cutTo(this.base + this.messages.length);
    if (this.count === 0) {
      this.messages = [];
      this.base = seq;
    }
    if (seq < this.base) {
      this.messages.unshift(...Array<undefined>(this.base - seq));
      this.base = seq;
    }
    const chunk = into ?? this.chunkFor(frame.length);
    const from = chunk.used;
    chunk.used += frame.copy(chunk.bytes, from);
    chunk.live++;
    this.count++;
    this.messages[seq - this.base] = new CachedMessage(seq, rev, messageId, chunk, from, chunk.used);
    if (this.messages.length > MOST_CACHED) this.cutTo(this.base + this.messages.length - MOST_CACHED);
  }

  /** Twice as large each time: most rooms say little. */
  private chunkFor(size: number): Chunk {
    const { chunk } = this;
    if (chunk !== undefined && chunk.left >= size) return chunk;
    const next = new Chunk(Math.max(size, Math.min(LARGEST_CHUNK, 2 * (chunk?.bytes.length ?? SMALLEST_CHUNK / 2))));
    this.size += next.bytes.length;
    return (this.chunk = next);
  }

  private cutTo(seq: number): void {
    for (let old = this.base; old < seq && old < this.base + this.messages.length; old++) this.drop(old);
    this.messages.splice(0, seq - this.base);
    this.base = seq;
  }

  private drop(seq: number): void {
    const held = this.get(seq);
    if (held === undefined) return;
    this.messages[seq - this.base] = undefined;
    this.count--;
    if (--held.chunk.live > 0) return;
    this.size -= held.chunk.bytes.length;
    if (held.chunk === this.chunk) this.chunk = undefined;
  }
}

function isSameRange(a: CachedRange, b: CachedRange): boolean {
  return a.afterSeq === b.afterSeq && a.throughSeq === b.throughSeq;
}
