interface Waiting<T, R> {
  readonly item: T;
  readonly mayGather: boolean;
  readonly resolve: (result: R) => void;
  readonly reject: (error: unknown) => void;
}

/** Does things one batch at a time: what comes while a batch is under way goes together in the next one. */
export class Batching<T, R> {
  private waiting: Waiting<T, R>[] = [];
  private isRunning = false;
  private endGathering: (() => void) | undefined;

  /**
   * @param work does a batch and returns a result per item, in the same order; when it rejects, all items do
   * @param most items per batch
   * @param pauseMs after each batch, in ms: what comes within it goes together. Without it the next follows at once
   * @param perTurn results that are handed out in one turn of the loop: what their callers do with all of them may be long
   * @param gatherMs before a batch of nothing but items that may gather, in ms
   */
  constructor(
    private readonly work: (items: readonly T[]) => Promise<readonly R[]>,
    private readonly most = 500,
    private readonly pauseMs = 0,
    private readonly perTurn = Infinity,
    private readonly gatherMs = 0,
  ) {}

  /** @param mayGather more of them are about to come, and it is cheaper to do them together than at once */
  submit(item: T, mayGather = false): Promise<R> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ item, mayGather, resolve, reject });
      if (!mayGather) this.endGathering?.();
      if (!this.isRunning) void this.run();
    });
  }

  private async run(): Promise<void> {
    this.isRunning = true;
    // What else comes in this turn goes along.
    await Promise.resolve();
    while (this.waiting.length > 0) {
      if (this.gatherMs > 0 && this.waiting.every(({ mayGather }) => mayGather)) await this.gather();
      await this.do(this.waiting.splice(0, this.most));
      // Also after the last one: an item that comes in the pause waits for its end.
      if (this.pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, this.pauseMs));
    }
    this.isRunning = false;
  }

  private gather(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, this.gatherMs);
      this.endGathering = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  private async do(batch: readonly Waiting<T, R>[]): Promise<void> {
    try {
      const results = await this.work(batch.map(({ item }) => item));
      for (const [i, { resolve }] of batch.entries()) {
        if (i > 0 && i % this.perTurn === 0) await new Promise(setImmediate);
        resolve(results[i] as R);
      }
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }
}

interface TenantWork<T, R> {
  readonly batching: Batching<T, R>;
  /** Items without a result yet. */
  pending: number;
}

/**
 * A `Batching` per tenant: one's batches neither hold another's items nor wait for another's work. A tenant without
 * pending items is forgotten.
 */
export class TenantBatching<T, R> {
  private readonly tenants = new Map<string, TenantWork<T, R>>();

  /**
   * @param work does a batch of one tenant and returns a result per item, in the same order; when it rejects, all items
   *   do. At most one call per tenant at a time
   * @param most items per batch
   * @param perTurn results that are handed out in one turn of the loop
   * @param gatherMs before a batch of nothing but items that may gather, in ms
   */
  constructor(
    private readonly work: (tenantId: string, items: readonly T[]) => Promise<readonly R[]>,
    private readonly most = 500,
    private readonly perTurn = Infinity,
    private readonly gatherMs = 0,
  ) {}

  /** How many tenants have items pending. */
  get size(): number {
    return this.tenants.size;
  }

  /** How many items of a tenant wait or are being done: what a caller bounds. */
  pending(tenantId: string): number {
    return this.tenants.get(tenantId)?.pending ?? 0;
  }

  /** @param mayGather more of them are about to come, and it is cheaper to do them together than at once */
  async submit(tenantId: string, item: T, mayGather = false): Promise<R> {
    const tenant = this.of(tenantId);
    tenant.pending++;
    try {
      return await tenant.batching.submit(item, mayGather);
    } finally {
      // With the last result no work of this tenant is under way, so the next item may have a batching of its own.
      if (--tenant.pending === 0) this.tenants.delete(tenantId);
    }
  }

  private of(tenantId: string): TenantWork<T, R> {
    let tenant = this.tenants.get(tenantId);
    if (tenant === undefined) {
      const work = (items: readonly T[]): Promise<readonly R[]> => this.work(tenantId, items);
      const batching = new Batching<T, R>(work, this.most, 0, this.perTurn, this.gatherMs);
      tenant = { batching, pending: 0 };
      this.tenants.set(tenantId, tenant);
    }
    return tenant;
  }
}
