/** Beyond this many rooms the answer is "maybe" for all. */
const MAX_ROOMS = 10_000;

/**
 * What happened in rooms without a channel while somebody was asking the database where a user sits: the answer may be
 * older than that, and the channel that is made from it has to look into the log.
 */
export class Overheard {
  private askers = 0;
  private readonly heads = new Map<string, number>();
  private isFull = false;

  /** Listens from before the question until the answer has been used. */
  async during<T>(ask: () => Promise<T>): Promise<T> {
    this.askers++;
    try {
      return await ask();
    } finally {
      if (--this.askers === 0) {
        this.heads.clear();
        this.isFull = false;
      }
    }
  }

  /** @param rev Infinity where it is not known */
  note(room: string, rev: number): void {
    if (this.askers === 0) return;
    if (this.heads.size >= MAX_ROOMS) this.isFull = true;
    else this.heads.set(room, Math.max(rev, this.heads.get(room) ?? 0));
  }

  /** Whether something came after a revision. */
  isAfter(room: string, rev: number): boolean {
    return this.isFull || (this.heads.get(room) ?? 0) > rev;
  }
}
