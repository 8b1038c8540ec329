import type { AcceptedConnection, SocketEndpoint } from '../transport';
import type { FrameFamily } from './operations';
import { StartOrder } from './start-order';

const WINDOW_MS = 1000;
/** Refusals that are further apart do not belong together. Longer than a window: a burst each second is one offence. */
const PATIENCE_GAP_MS = 2000;
/** How long a client may go on being refused. */
export const PATIENCE_MS = 10_000;

/** What the rates say to one frame. */
export type Verdict =
  | { readonly kind: 'pass' }
  | { readonly kind: 'refuse'; readonly retryAfterMs: number }
  /** Refused for 10 s without a pause. */
  | { readonly kind: 'end' };

const PASS: Verdict = { kind: 'pass' };
const END: Verdict = { kind: 'end' };

/** One second in which frames are counted; begins with the first of them. */
class Window {
  private startedAt = -Infinity;
  private taken = 0;

  /** 0 when the frame may pass, else the milliseconds until the next window. */
  take(limit: number | null, now: number): number {
    if (limit === null) return 0;
    if (now - this.startedAt >= WINDOW_MS) {
      this.startedAt = now;
      this.taken = 0;
    }
    if (this.taken < limit) {
      this.taken++;
      return 0;
    }
    return Math.max(1, Math.ceil(this.startedAt + WINDOW_MS - now));
  }
}

/** The rates of one connection. Limits are handed in per frame, so that a changed one holds from the next frame on. */
export class ConnectionRates {
  private readonly windows: Readonly<Record<FrameFamily, Window>> = { message: new Window(), other: new Window() };
  private firstRefusal = 0;
  private lastRefusal = -Infinity;

  /** Counts a frame; null is unlimited, 0 allows none. `now` is monotonic. */
  take(family: FrameFamily, limit: number | null, now: number): Verdict {
    const retryAfterMs = this.windows[family].take(limit, now);
    if (retryAfterMs === 0) return PASS;
    if (now - this.lastRefusal > PATIENCE_GAP_MS) this.firstRefusal = now;
    this.lastRefusal = now;
    return now - this.firstRefusal >= PATIENCE_MS ? END : { kind: 'refuse', retryAfterMs };
  }
}

/** The place of one frame's answer in the order of the answers. */
export interface ReplySlot {
  /** What to write when its turn comes; undefined for a frame that needs no answer. */
  write: (() => void) | undefined;
  settled: boolean;
}

/** Answers leave in the order of the frames, whatever the order in which they become known. */
class ReplyQueue {
  private readonly slots: ReplySlot[] = [];

  /** Frames that wait for their answer, and answers that wait behind one. */
  get length(): number {
    return this.slots.length;
  }

  reserve(): ReplySlot {
    const slot: ReplySlot = { write: undefined, settled: false };
    this.slots.push(slot);
    return slot;
  }

  /** Writes the answer, and those behind it that are ready, unless an earlier frame still waits. No answer, no place. */
  settle(slot: ReplySlot, write: (() => void) | undefined): void {
    if (write === undefined) this.slots.splice(this.slots.indexOf(slot), 1);
    slot.settled = true;
    slot.write = write;
    while (this.slots[0]?.settled === true) this.slots.shift()?.write?.();
  }
}

/** Frames of one connection that may wait for their answer before the client is no longer read. */
const MAX_OUTSTANDING = 64;

/** A message as it came in. */
export interface RawMessage {
  readonly data: Buffer;
  readonly isBinary: boolean;
}

/**
 * One connection's way in. Holds what belongs to it alone: its rates, the order of its answers, the order in which its
 * frames start, and what arrived while it was paused.
 */
export class InboundQueue {
  readonly rates = new ConnectionRates();
  readonly order = new StartOrder();
  private readonly replies = new ReplyQueue();
  /** Read from the socket before the pause took effect; at most what the socket's buffer held. */
  private readonly held: RawMessage[] = [];
  private paused = false;
  private draining = false;
  private ended = false;

  constructor(
    readonly connection: AcceptedConnection,
    readonly endpoint: SocketEndpoint,
    private readonly admit: (queue: InboundQueue, message: RawMessage) => void,
  ) {
    connection.onClose(() => this.stop());
  }

  /** Admits a message, or keeps it until there is room. */
  take(message: RawMessage): void {
    if (this.ended) return;
    if (this.paused) this.held.push(message);
    else this.admitOne(message);
  }

  reserve(): ReplySlot {
    return this.replies.reserve();
  }

  /** Answers a frame; undefined where it needs no answer. */
  settle(slot: ReplySlot, write: (() => void) | undefined): void {
    this.replies.settle(slot, write);
    this.drain();
  }

  /** Takes no further frame; `write` runs after the answers that are still to come. */
  end(write: () => void): void {
    this.ended = true;
    this.held.length = 0;
    this.connection.pause();
    this.replies.settle(this.replies.reserve(), write);
  }

  private stop(): void {
    this.ended = true;
    this.held.length = 0;
    this.order.clear();
  }

  private admitOne(message: RawMessage): void {
    this.admit(this, message);
    if (this.paused || this.ended || this.replies.length < MAX_OUTSTANDING) return;
    this.paused = true;
    this.connection.pause();
  }

  private drain(): void {
    if (!this.paused || this.draining || this.ended) return;
    this.draining = true;
    while (this.replies.length < MAX_OUTSTANDING && !this.ended) {
      const message = this.held.shift();
      if (message === undefined) {
        this.paused = false;
        this.connection.resume();
        break;
      }
      this.admit(this, message);
    }
    this.draining = false;
  }
}
