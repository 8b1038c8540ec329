interface Lane<T> {
  items: T[];
  head: number;
}

/** Handed-out items are let go of in blocks of this size: shifting an array one by one is linear. */
const COMPACT_AFTER = 1024;

/**
 * Queues per tenant, served one item each in turn: a flood of one tenant delays that tenant. Within a tenant the
 * order of arrival is kept. Unbounded: whoever pushes has a quota.
 */
export class FairQueue<T> {
  private readonly lanes = new Map<string, Lane<T>>();
  private count = 0;

  get size(): number {
    return this.count;
  }

  push(tenant: string, item: T): void {
    const lane = this.lanes.get(tenant);
    if (lane) lane.items.push(item);
    else this.lanes.set(tenant, { items: [item], head: 0 });
    this.count++;
  }

  /** Hands out items in fair order until `take` answers 'full' or none is left; 'full' leaves the item queued. */
  drain(take: (item: T) => 'taken' | 'full'): void {
    while (this.count > 0)
      for (const [tenant, lane] of [...this.lanes]) {
        if (take(lane.items[lane.head] as T) === 'full') return;
        this.count--;
        lane.head++;
        // Served lanes go to the end, so that the next batch begins with somebody else.
        this.lanes.delete(tenant);
        if (lane.head < lane.items.length) this.lanes.set(tenant, compacted(lane));
      }
  }
}

function compacted<T>(lane: Lane<T>): Lane<T> {
  if (lane.head < COMPACT_AFTER) return lane;
  return { items: lane.items.slice(lane.head), head: 0 };
}
