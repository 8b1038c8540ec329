interface TenantQueue<T> {
  readonly tenant: string;
  items: (T | undefined)[];
  head: number;
}

/** Handed-out items are let go of in blocks of this size: shifting an array one by one is linear. */
const COMPACT_AFTER = 1024;

/**
 * Queues per tenant, served one item each in turn: a flood of one tenant delays that tenant. Within a tenant the
 * order of arrival is kept. Unbounded: its caller bounds what it pushes by a quota.
 *
 * A place that was served holds nothing any more, and the map changes only when a tenant comes or is done: what a
 * table that the map has outgrown still reaches survives the garbage collector's short rounds, and with it the whole
 * request.
 */
export class FairQueue<T> {
  private readonly queues = new Map<string, TenantQueue<T>>();
  /** The queues in the order of their turns. */
  private turns: TenantQueue<T>[] = [];
  private count = 0;

  get size(): number {
    return this.count;
  }

  push(tenant: string, item: T): void {
    let queue = this.queues.get(tenant);
    if (!queue) {
      queue = { tenant, items: [], head: 0 };
      this.queues.set(tenant, queue);
      this.turns.push(queue);
    }
    queue.items.push(item);
    this.count++;
  }

  /** The item that has waited longest of each tenant, or of one. */
  firsts(tenant?: string): T[] {
    const queues = tenant === undefined ? this.turns : [this.queues.get(tenant)];
    return queues.flatMap((queue) => queue?.items[queue.head] ?? []);
  }

  /**
   * Hands out items, one of each tenant in turn, until `take` answers 'full' or none is left. Both 'full' and 'later'
   * leave the item queued; 'later' passes over its tenant until the next call.
   */
  drain(take: (item: T) => 'taken' | 'later' | 'full'): void {
    const passed: TenantQueue<T>[] = [];
    const { turns } = this;
    while (turns.length > 0) {
      let served = 0;
      for (const [i, queue] of turns.entries()) {
        const answer = take(queue.items[queue.head] as T);
        if (answer === 'full') {
          // Served queues go to the end, so that the next batch begins with another tenant.
          this.turns = [...turns.slice(i), ...passed, ...turns.slice(0, served)];
          return;
        }
        if (answer === 'later') passed.push(queue);
        else if (this.advance(queue)) turns[served++] = queue;
      }
      turns.length = served;
    }
    this.turns = passed;
  }

  /** Lets go of a queue's first item; false when it was the last one. */
  private advance(queue: TenantQueue<T>): boolean {
    queue.items[queue.head++] = undefined;
    this.count--;
    if (queue.head === queue.items.length) {
      this.queues.delete(queue.tenant);
      return false;
    }
    if (queue.head >= COMPACT_AFTER) {
      queue.items = queue.items.slice(queue.head);
      queue.head = 0;
    }
    return true;
  }
}

export interface Bounds {
  readonly items: number;
  readonly bytes: number;
}

interface Used {
  items: number;
  bytes: number;
}

/** Bounds what waits in memory, by number and by bytes, in all and per tenant. */
export class Quota {
  private readonly all: Used = { items: 0, bytes: 0 };
  private readonly tenants = new Map<string, Used>();

  constructor(
    private readonly total: Bounds,
    private readonly perTenant: Bounds,
  ) {}

  /** Items that are held now. */
  get items(): number {
    return this.all.items;
  }

  /** What is held, in all or of one tenant. */
  used(tenant?: string): Bounds {
    const { items, bytes } = (tenant === undefined ? this.all : this.tenants.get(tenant)) ?? { items: 0, bytes: 0 };
    return { items, bytes };
  }

  /** false: full, in all or for this tenant; nothing was taken. */
  take(tenant: string, bytes: number): boolean {
    const own = this.tenants.get(tenant) ?? { items: 0, bytes: 0 };
    if (!fits(this.all, bytes, this.total) || !fits(own, bytes, this.perTenant)) return false;
    this.tenants.set(tenant, own);
    add(this.all, 1, bytes);
    add(own, 1, bytes);
    return true;
  }

  /** Gives back what `take` took. */
  release(tenant: string, bytes: number): void {
    const own = this.tenants.get(tenant);
    if (!own) return;
    add(this.all, -1, -bytes);
    add(own, -1, -bytes);
    if (own.items === 0) this.tenants.delete(tenant);
  }
}

function fits(used: Used, bytes: number, bounds: Bounds): boolean {
  return used.items < bounds.items && used.bytes + bytes <= bounds.bytes;
}

function add(used: Used, items: number, bytes: number): void {
  used.items += items;
  used.bytes += bytes;
}

/** How long a tenant that has sent is believed to send again, in ms. */
const MIX_MS = 1000;

/** Knows whether one tenant sends alone or several do. */
export class TenantMix {
  private last: string | undefined;
  private until = -Infinity;

  /** @param now a monotonic time, in ms */
  constructor(private readonly now: () => number = () => performance.now()) {}

  /** A tenant sends. */
  note(tenant: string): void {
    if (tenant === this.last) return;
    if (this.last !== undefined) this.until = this.now() + MIX_MS;
    this.last = tenant;
  }

  /** Several tenants have sent by turns a moment ago. */
  get isMixed(): boolean {
    return this.now() < this.until;
  }
}
