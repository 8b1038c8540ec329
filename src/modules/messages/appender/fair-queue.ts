import type { Pending } from './item';

interface Lane {
  items: Pending[];
  head: number;
}

/**
 * Queues per tenant, served one item each in turn: a flood of one tenant delays that tenant. Within a tenant the
 * order of arrival is kept. Bounded in all and per tenant.
 */
export class FairQueue {
  private readonly lanes = new Map<string, Lane>();
  private count = 0;

  constructor(
    private readonly maxItems: number,
    private readonly maxPerTenant: number,
  ) {}

  get size(): number {
    return this.count;
  }

  /** false: the queue, or the tenant's part of it, is full. */
  push(item: Pending): boolean {
    const tenant = item.message.tenantId;
    const lane = this.lanes.get(tenant);
    if (this.count >= this.maxItems || (lane && lane.items.length - lane.head >= this.maxPerTenant)) return false;
    if (lane) lane.items.push(item);
    else this.lanes.set(tenant, { items: [item], head: 0 });
    this.count++;
    return true;
  }

  /** Hands out items in fair order until `take` answers 'full' or none is left; 'full' leaves the item queued. */
  drain(take: (item: Pending) => 'taken' | 'full'): void {
    while (this.count > 0)
      for (const [tenant, lane] of [...this.lanes]) {
        const item = lane.items[lane.head];
        if (item === undefined || take(item) === 'full') return;
        this.count--;
        lane.head++;
        // Served lanes go to the end, so that the next batch begins with somebody else.
        this.lanes.delete(tenant);
        if (lane.head < lane.items.length) this.lanes.set(tenant, compacted(lane));
      }
  }

  /** Takes everything out, in no particular order between tenants. */
  clear(): Pending[] {
    const all = [...this.lanes.values()].flatMap((lane) => lane.items.slice(lane.head));
    this.lanes.clear();
    this.count = 0;
    return all;
  }
}

/** Handed-out items are let go of now and then, not one by one: shifting an array is linear. */
function compacted(lane: Lane): Lane {
  if (lane.head > 1024) {
    lane.items = lane.items.slice(lane.head);
    lane.head = 0;
  }
  return lane;
}
