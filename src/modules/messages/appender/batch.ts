import { repeatKey } from './item';
import type { Pending } from './pending';
import type { Room } from './quota';

/** A batch being filled: no two items of it repeat each other. */
export class Batch {
  readonly items: Pending[] = [];
  private readonly seen = new Set<string>();
  private readonly byTenant = new Map<string, { items: number; bytes: number }>();
  private bytes = 0;

  /**
   * @param limits where it ends; a single message may be larger
   * @param share of one tenant; the message that reaches it is the last one
   */
  constructor(
    private readonly limits: Room,
    private readonly share: Room = limits,
  ) {}

  get isFull(): boolean {
    return reaches(this.items.length, this.bytes, this.limits);
  }

  /** The tenant has its share. */
  isServed(tenant: string): boolean {
    const used = this.byTenant.get(tenant);
    return used !== undefined && reaches(used.items, used.bytes, this.share);
  }

  /** false: the item repeats one that is in the batch. */
  add(item: Pending): boolean {
    const key = repeatKey(item.message);
    if (key !== undefined) {
      if (this.seen.has(key)) return false;
      this.seen.add(key);
    }
    this.items.push(item);
    this.bytes += item.bytes;
    this.count(item);
    return true;
  }

  private count({ message: { tenantId }, bytes }: Pending): void {
    const used = this.byTenant.get(tenantId);
    if (!used) {
      this.byTenant.set(tenantId, { items: 1, bytes });
      return;
    }
    used.items++;
    used.bytes += bytes;
  }
}

function reaches(items: number, bytes: number, room: Room): boolean {
  return items >= room.items || bytes >= room.bytes;
}
