export interface Room {
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
    private readonly total: Room,
    private readonly perTenant: Room,
  ) {}

  /** Items that are held now. */
  get items(): number {
    return this.all.items;
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

function fits(used: Used, bytes: number, room: Room): boolean {
  return used.items < room.items && used.bytes + bytes <= room.bytes;
}

function add(used: Used, items: number, bytes: number): void {
  used.items += items;
  used.bytes += bytes;
}
