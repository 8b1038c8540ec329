import { LRUCache } from 'lru-cache';
import type { Connection } from '../contract';

/** Rooms with more members push no presence, where the tenant says nothing else. */
export const DEFAULT_ROOM_LIMIT = 200;

/**
 * The largest rooms that push presence, by tenant. A tenant's settings are renewed on its open connections alone, so the
 * limit is asked of one of them; who left last is still to be told of, by what was known then.
 */
export class RoomLimits {
  private readonly open = new Map<string, Set<Connection>>();
  private readonly last = new LRUCache<string, number>({ max: 10_000 });

  opened(connection: Connection): void {
    const { tenantId } = connection;
    const siblings = this.open.get(tenantId) ?? new Set();
    this.open.set(tenantId, siblings.add(connection));
    connection.onClose(() => {
      siblings.delete(connection);
      if (siblings.size > 0) return;
      this.last.set(tenantId, limitOf(connection));
      this.open.delete(tenantId);
    });
  }

  of(tenantId: string): number {
    const [connection] = this.open.get(tenantId) ?? [];
    return connection ? limitOf(connection) : (this.last.get(tenantId) ?? DEFAULT_ROOM_LIMIT);
  }
}

function limitOf({ caller }: Connection): number {
  return caller.tenant?.settings.presence_room_limit ?? DEFAULT_ROOM_LIMIT;
}
