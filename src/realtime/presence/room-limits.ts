import { LRUCache } from 'lru-cache';
import type { ByUser } from '../transport/by-user';
import type { Connection } from '../feed/ports';

/** Rooms with more members push no presence, where the tenant says nothing else. */
export const DEFAULT_ROOM_LIMIT = 200;

/**
 * The largest rooms that push presence, by tenant. A tenant's settings are renewed on its open connections alone, so the
 * limit is asked of one of them; who left last is still to be told of, by what was known then.
 */
export class RoomLimits {
  private readonly last = new LRUCache<string, number>({ max: 10_000 });

  constructor(private readonly open: ByUser<Connection>) {}

  /** The connection is over, and no longer among the open ones. */
  closed(connection: Connection): void {
    const { tenantId } = connection;
    if (this.open.anyOf(tenantId) === undefined) this.last.set(tenantId, limitOf(connection));
  }

  of(tenantId: string): number {
    const connection = this.open.anyOf(tenantId);
    return connection === undefined ? (this.last.get(tenantId) ?? DEFAULT_ROOM_LIMIT) : limitOf(connection);
  }
}

function limitOf({ caller }: Connection): number {
  return caller.tenant?.settings.presence_room_limit ?? DEFAULT_ROOM_LIMIT;
}
