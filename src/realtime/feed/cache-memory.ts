import { Inject, Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { SocketConfig } from '../../config';
import { Gauge } from '../../platform/metrics';
import type { RoomCache } from './room-cache';

const MEGABYTE = 1024 * 1024;
/** What one tenant may have of all: a tenant whose rooms are all busy must not push out everybody else's. */
const TENANT_SHARE = 1 / 4;

type TenantCaches = LRUCache<RoomCache, true>;

/**
 * Bounds the memory of all rooms' caches. Beyond a tenant's share its room that was used least recently is emptied; beyond
 * the whole, everything of the tenant that was active least recently.
 */
@Injectable()
export class CacheMemory {
  /** Whether anything is kept at all. */
  readonly isOn: boolean;
  private readonly share: number;
  private readonly tenants: LRUCache<string, TenantCaches>;

  constructor(@Inject(SocketConfig) { cacheMegabytes }: Pick<SocketConfig, 'cacheMegabytes'>) {
    this.isOn = cacheMegabytes > 0;
    this.share = Math.max(1, Math.floor(cacheMegabytes * MEGABYTE * TENANT_SHARE));
    this.tenants = new LRUCache({
      maxSize: Math.max(1, cacheMegabytes * MEGABYTE),
      dispose: (caches, _, reason) => {
        if (reason !== 'set') caches.clear();
      },
    });
  }

  @Gauge('chatapi_room_cache_bytes')
  bytes(): number {
    return this.tenants.calculatedSize;
  }

  /** A cache was read or has changed its size; it is empty afterwards where there is no room for it. */
  used(tenantId: string, cache: RoomCache): void {
    const caches = this.tenants.get(tenantId) ?? this.begin();
    if (cache.isEmpty) caches.delete(cache);
    else {
      caches.set(cache, true, { size: cache.bytes });
      if (!caches.has(cache)) cache.clear();
    }
    if (caches.size === 0) this.tenants.delete(tenantId);
    else this.tenants.set(tenantId, caches, { size: caches.calculatedSize });
  }

  /** Empties a cache. */
  forget(tenantId: string, cache: RoomCache): void {
    cache.clear();
    if (this.tenants.has(tenantId)) this.used(tenantId, cache);
  }

  /** Empties all of them. */
  clear(): void {
    this.tenants.clear();
  }

  private begin(): TenantCaches {
    return new LRUCache<RoomCache, true>({
      maxSize: this.share,
      dispose: (_, cache, reason) => {
        if (reason !== 'set') cache.clear();
      },
    });
  }
}
