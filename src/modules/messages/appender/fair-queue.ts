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

  /**
   * Hands out items, one of each tenant in turn, until `take` answers 'full' or none is left. Both 'full' and 'later'
   * leave the item queued; 'later' passes over its tenant until the next call.
   */
  drain(take: (item: T) => 'taken' | 'later' | 'full'): void {
    for (let turn = [...this.lanes]; turn.length > 0;) {
      const next: typeof turn = [];
      for (const [tenant, lane] of turn) {
        const answer = take(lane.items[lane.head] as T);
        if (answer === 'full') return;
        if (answer === 'later') continue;
        this.count--;
        lane.head++;
        // Served lanes go to the end, so that the next batch begins with somebody else.
        this.lanes.delete(tenant);
        if (lane.head === lane.items.length) continue;
        const left = compacted(lane);
        this.lanes.set(tenant, left);
        next.push([tenant, left]);
      }
      turn = next;
    }
  }
}

function compacted<T>(lane: Lane<T>): Lane<T> {
  if (lane.head < COMPACT_AFTER) return lane;
  return { items: lane.items.slice(lane.head), head: 0 };
}
