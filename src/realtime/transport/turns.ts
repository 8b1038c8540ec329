/** Who may work now. Whoever was given a turn gives it back. */
export interface TurnTaker {
  /** Resolves when it is the caller's turn; false: it was not wanted any more when it came, and is not to be given back. */
  take(isWanted?: () => boolean): Promise<boolean>;
  giveBack(): void;
  /** Others wait for a turn, of whatever kind: what can be done together later had better wait. */
  readonly isCrowded: boolean;
}

/** So many may work at once; the others wait, first come, first served. */
export class Permits implements TurnTaker {
  private readonly queue: (() => void)[] = [];

  constructor(private free: number) {}

  get isCrowded(): boolean {
    return this.queue.length > 0;
  }

  take(): Promise<boolean> {
    if (this.free > 0) {
      this.free--;
      return Promise.resolve(true);
    }
    return new Promise((resolve) => this.queue.push(() => resolve(true)));
  }

  giveBack(): void {
    const next = this.queue.shift();
    if (next === undefined) this.free++;
    else next();
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    await this.take();
    try {
      return await work();
    } finally {
      this.giveBack();
    }
  }
}
