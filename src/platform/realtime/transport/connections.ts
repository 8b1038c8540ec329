import { Injectable } from '@nestjs/common';
import { AppError } from '../../../common/errors';
import { type Caller, type LimitName, limitOf } from '../../auth';
import type { SocketDoor } from '../contract';
import type { SocketConnection } from './socket-connection';

/** Seconds after which a refused client may try again: others must leave first. */
const RETRY_SECONDS = 5;

/** The open connections of this node, with their counts: a place is taken until the socket is over. */
@Injectable()
export class Connections {
  private readonly byTenant = new Map<string, Set<SocketConnection>>();
  private readonly doors = new Map<SocketConnection, SocketDoor>();
  private readonly counts = new Map<string, number>();

  get size(): number {
    return this.doors.size;
  }

  get tenants(): readonly string[] {
    return [...this.byTenant.keys()];
  }

  all(): IterableIterator<[SocketConnection, SocketDoor]> {
    return this.doors.entries();
  }

  /** undefined when it is over. */
  doorOf(connection: SocketConnection): SocketDoor | undefined {
    return this.doors.get(connection);
  }

  ofTenant(tenantId: string): ReadonlySet<SocketConnection> {
    return this.byTenant.get(tenantId) ?? new Set();
  }

  /** Throws 429 when the caller's tenant or user has all the connections that it may have. */
  admit(caller: Caller, door: SocketDoor): void {
    for (const { key, limit } of places(caller, door)) {
      const most = caller.tenant === undefined ? null : limitOf(caller.tenant, limit);
      if (most !== null && (this.counts.get(key) ?? 0) >= most)
        throw new AppError('RATE_LIMIT_EXCEEDED', `Too many connections: ${limit} allows ${most} at a time`, {
          details: { limit },
          retryAfterSeconds: RETRY_SECONDS,
        });
    }
  }

  /** In the same turn as `admit`, so that nobody comes between. */
  add(connection: SocketConnection, door: SocketDoor): void {
    const { tenantId, caller } = connection;
    this.doors.set(connection, door);
    const siblings = this.byTenant.get(tenantId) ?? new Set();
    this.byTenant.set(tenantId, siblings.add(connection));
    for (const { key } of places(caller, door)) this.counts.set(key, (this.counts.get(key) ?? 0) + 1);
    connection.onClose(() => this.remove(connection, door));
  }

  private remove(connection: SocketConnection, door: SocketDoor): void {
    this.doors.delete(connection);
    const siblings = this.byTenant.get(connection.tenantId);
    siblings?.delete(connection);
    if (siblings?.size === 0) this.byTenant.delete(connection.tenantId);
    for (const { key } of places(connection.caller, door)) {
      const left = (this.counts.get(key) ?? 1) - 1;
      if (left > 0) this.counts.set(key, left);
      else this.counts.delete(key);
    }
  }
}

/** What a connection takes a place of. A user id holds no space. */
function places(caller: Caller, door: SocketDoor): { readonly key: string; readonly limit: LimitName }[] {
  const tenant = { key: `${door.path} ${caller.tenantId}`, limit: door.tenantLimit };
  if (door.userLimit === undefined) return [tenant];
  return [tenant, { key: `${tenant.key} ${caller.userId}`, limit: door.userLimit }];
}
