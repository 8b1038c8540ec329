/** Something with bytes to write at the end of the turn. */
export interface Flushable {
  flush(): void;
}

/** Writes what this turn queued: one callback for all connections, at the end of the turn. */
export class Flusher {
  private dirty: Flushable[] = [];
  private total = { frames: 0, bytes: 0 };

  /** @param onFlushed is told, once per turn, what was written */
  constructor(private readonly onFlushed: (frames: number, bytes: number) => void = () => undefined) {}

  /** Flushes it at the end of this turn; the caller adds itself once per turn. */
  add(flushable: Flushable): void {
    if (this.dirty.push(flushable) === 1) setImmediate(this.run);
  }

  /** Called by those that are flushed. */
  written(frames: number, bytes: number): void {
    this.total.frames += frames;
    this.total.bytes += bytes;
  }

  private readonly run = (): void => {
    const due = this.dirty;
    this.dirty = [];
    try {
      // What a flush queues (a close, a drained handler) belongs to the next turn.
      for (const flushable of due) flushable.flush();
    } finally {
      const { frames, bytes } = this.total;
      this.total = { frames: 0, bytes: 0 };
      if (frames > 0) this.onFlushed(frames, bytes);
    }
  };
}
