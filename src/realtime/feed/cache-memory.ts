import { Inject, Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { SocketConfig } from '../../config';
import { Gauge } from '../../platform/metrics';
import type { RoomCache } from './room-cache';

const MEGABYTE = 1024 * 1024;
/** What one tenant may have of all: a tenant whose rooms are all busy must not push out everybody else's. */
const TENANT_SHARE = 1 / 4;

/** Content of one read of the log. */
const READ_BYTES = 512 * 1024;
/** Of a tenant's share: what is read must fit into it, frames and all, or it would be dropped before anybody has it. */
const READ_SHARE = 1 / 4;

/** By cache, its size: an LRUCache takes in a new size only with a new value. */
type RoomCaches = LRUCache<RoomCache, number>;

/** A new one for each size, for the same reason. */
interface TenantCaches {
  readonly rooms: RoomCaches;
  readonly bytes: number;
}

/**
 * Bounds the memory of all rooms' caches. Beyond a tenant's share its room that was used least recently is emptied; beyond
 * the whole, everything of the tenant that was active least recently.
 */
@Injectable()
export class CacheMemory {
  /** Whether anything is kept at all. */
  readonly isOn: boolean;
  /** How much content is read for a cache at once, in bytes: 512 KB, less where a tenant's share is small. */
  readonly readBytes: number;
  private readonly share: number;
  private readonly tenants: LRUCache<string, TenantCaches>;

  constructor(@Inject(SocketConfig) { cacheMegabytes }: Pick<SocketConfig, 'cacheMegabytes'>) {
    this.isOn = cacheMegabytes > 0;
    this.share = Math.max(1, Math.floor(cacheMegabytes * MEGABYTE * TENANT_SHARE));
    this.readBytes = Math.max(1, Math.min(READ_BYTES, Math.floor(this.share * READ_SHARE)));
    this.tenants = new LRUCache({
      maxSize: Math.max(1, cacheMegabytes * MEGABYTE),
      dispose: ({ rooms }, _, reason) => {
        if (reason !== 'set') rooms.clear();
      },
    });
  }

  @Gauge('chatapi_room_cache_bytes')
  bytes(): number {
    return this.tenants.calculatedSize;
  }

  /** A cache was read or has changed its size; it is empty afterwards where there is no room for it. */
  used(tenantId: string, cache: RoomCache): void {
    const known = this.tenants.get(tenantId);
    const rooms = known?.rooms ?? this.begin();
    const size = cache.bytes;
    if (cache.isEmpty) rooms.delete(cache);
    else {
      rooms.set(cache, size, { size });
      if (!rooms.has(cache)) cache.clear();
    }
    const bytes = rooms.calculatedSize;
    if (rooms.size === 0) this.tenants.delete(tenantId);
    else if (bytes !== known?.bytes) this.tenants.set(tenantId, { rooms, bytes }, { size: bytes });
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

  private begin(): RoomCaches {
    return new LRUCache<RoomCache, number>({
      maxSize: this.share,
      dispose: (_, cache, reason) => {
        if (reason !== 'set') cache.clear();
      },
    });
  }
}
