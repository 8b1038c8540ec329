import { Injectable } from '@nestjs/common';
import { type FullPlaces, type PlaceLimits, type PlaceOwner, Places } from './ports';

/** The places of a tenant that are taken at one endpoint, by user. */
class TenantPlaces {
  total = 0;
  readonly users = new Map<string, number>();

  constructor(
    readonly where: string,
    readonly tenantId: string,
  ) {}
}

/** Places within one process; it answers synchronously. */
@Injectable()
export class MemoryPlaces extends Places {
  private readonly tenants = new Map<string, TenantPlaces>();

  override take(owner: PlaceOwner, limits: PlaceLimits): FullPlaces | undefined {
    const full = this.fullHere(owner, limits);
    if (full !== undefined) return full;
    const { where, tenantId, userId } = owner;
    const key = placesKey(where, tenantId);
    let places = this.tenants.get(key);
    if (places === undefined) this.tenants.set(key, (places = new TenantPlaces(where, tenantId)));
    places.total++;
    places.users.set(userId, (places.users.get(userId) ?? 0) + 1);
    return undefined;
  }

  override giveBack({ where, tenantId, userId }: PlaceOwner): void {
    const key = placesKey(where, tenantId);
    const places = this.tenants.get(key);
    const had = places?.users.get(userId);
    if (places === undefined || had === undefined) throw new Error('a place is given back that was not taken');
    if (had > 1) places.users.set(userId, had - 1);
    else places.users.delete(userId);
    if (--places.total === 0) this.tenants.delete(key);
  }

  override fullHere(owner: PlaceOwner, limits: PlaceLimits): FullPlaces | undefined {
    const places = this.tenants.get(placesKey(owner.where, owner.tenantId));
    if (limits.tenant !== null && (places?.total ?? 0) >= limits.tenant) return 'tenant';
    if (limits.user !== null && (places?.users.get(owner.userId) ?? 0) >= limits.user) return 'user';
    return undefined;
  }

  override taken(where: string, tenantId: string, userId?: string): number {
    const places = this.tenants.get(placesKey(where, tenantId));
    return (userId === undefined ? places?.total : places?.users.get(userId)) ?? 0;
  }

  /** Of every tenant at every endpoint. */
  all(): IterableIterator<Readonly<TenantPlaces>> {
    return this.tenants.values();
  }
}

function placesKey(where: string, tenantId: string): string {
  return `${where} ${tenantId}`;
}
