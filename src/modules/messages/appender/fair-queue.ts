interface Lane<T> {
  readonly tenant: string;
  items: (T | undefined)[];
  head: number;
}

/** Handed-out items are let go of in blocks of this size: shifting an array one by one is linear. */
const COMPACT_AFTER = 1024;

/**
 * Queues per tenant, served one item each in turn: a flood of one tenant delays that tenant. Within a tenant the
 * order of arrival is kept. Unbounded: whoever pushes has a quota.
 *
 * A place that was served holds nothing any more, and the map changes only when a tenant comes or is done: what a
 * table that the map has outgrown still reaches survives the garbage collector's short rounds, and with it the whole
 * request.
 */
export class FairQueue<T> {
  private readonly lanes = new Map<string, Lane<T>>();
  /** The lanes in the order of their turns. */
  private turns: Lane<T>[] = [];
  private count = 0;

  get size(): number {
    return this.count;
  }

  push(tenant: string, item: T): void {
    let lane = this.lanes.get(tenant);
    if (!lane) {
      lane = { tenant, items: [], head: 0 };
      this.lanes.set(tenant, lane);
      this.turns.push(lane);
    }
    lane.items.push(item);
    this.count++;
  }

  /**
   * Hands out items, one of each tenant in turn, until `take` answers 'full' or none is left. Both 'full' and 'later'
   * leave the item queued; 'later' passes over its tenant until the next call.
   */
  drain(take: (item: T) => 'taken' | 'later' | 'full'): void {
    const passed: Lane<T>[] = [];
    const { turns } = this;
    while (turns.length > 0) {
      let served = 0;
      for (const [i, lane] of turns.entries()) {
        const answer = take(lane.items[lane.head] as T);
        if (answer === 'full') {
          // Served lanes go to the end, so that the next batch begins with somebody else.
          this.turns = [...turns.slice(i), ...passed, ...turns.slice(0, served)];
          return;
        }
        if (answer === 'later') passed.push(lane);
        else if (this.advance(lane)) turns[served++] = lane;
      }
      turns.length = served;
    }
    this.turns = passed;
  }

  /** Lets go of a lane's first item; false when it was the last one. */
  private advance(lane: Lane<T>): boolean {
    lane.items[lane.head++] = undefined;
    this.count--;
    if (lane.head === lane.items.length) {
      this.lanes.delete(lane.tenant);
      return false;
    }
    if (lane.head >= COMPACT_AFTER) {
      lane.items = lane.items.slice(lane.head);
      lane.head = 0;
    }
    return true;
  }
}
