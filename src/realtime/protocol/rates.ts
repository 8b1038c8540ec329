import type { FrameFamily } from './socket-operation';

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
