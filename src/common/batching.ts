interface Waiting<T, R> {
  readonly item: T;
  readonly resolve: (result: R) => void;
  readonly reject: (error: unknown) => void;
}

/** Does things one batch at a time: what comes while a batch is under way goes together in the next one. */
export class Batching<T, R> {
  private waiting: Waiting<T, R>[] = [];
  private isRunning = false;

  /**
   * @param work does a batch and returns a result per item, in the same order; when it rejects, all items do
   * @param most items per batch
   * @param pauseMs after each batch, in ms: what comes within it goes together. Without it the next follows at once
   */
  constructor(
    private readonly work: (items: readonly T[]) => Promise<readonly R[]>,
    private readonly most = 500,
    private readonly pauseMs = 0,
  ) {}

  submit(item: T): Promise<R> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ item, resolve, reject });
      if (!this.isRunning) void this.run();
    });
  }

  private async run(): Promise<void> {
    this.isRunning = true;
    // What else comes in this turn goes along.
    await Promise.resolve();
    while (this.waiting.length > 0) {
      await this.do(this.waiting.splice(0, this.most));
      // Also after the last one: an item that comes in the pause waits for its end.
      if (this.pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, this.pauseMs));
    }
    this.isRunning = false;
  }

  private async do(batch: readonly Waiting<T, R>[]): Promise<void> {
    try {
      const results = await this.work(batch.map(({ item }) => item));
      batch.forEach(({ resolve }, i) => resolve(results[i] as R));
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }
}
