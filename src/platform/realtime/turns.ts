/** So many may work at once; the others wait, first come, first served. */
export class Turns {
  private readonly queue: (() => void)[] = [];

  constructor(private free: number) {}

  /** Resolves when it is the caller's turn, who then gives it back. */
  take(): Promise<void> {
    if (this.free > 0) {
      this.free--;
      return Promise.resolve();
    }
    return new Promise((resolve) => this.queue.push(resolve));
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
