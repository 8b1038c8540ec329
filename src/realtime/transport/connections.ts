import { Injectable } from '@nestjs/common';
import { AppError } from '../../common/errors';
import { type Caller, type LimitName, limitOf } from '../../platform/auth';
import type { SocketDoor } from '../feed/ports';
import type { SocketConnection } from './socket-connection';

/** Seconds after which a refused client may try again: others must leave first. */
const RETRY_SECONDS = 5;

/** The places of a tenant that are taken at one door, by user. */
class Places {
  total = 0;
  private readonly users = new Map<string, number>();

  of(userId: string): number {
    return this.users.get(userId) ?? 0;
  }

  take(userId: string): void {
    this.total++;
    this.users.set(userId, this.of(userId) + 1);
  }

  giveBack(userId: string): void {
    this.total--;
    if (this.of(userId) > 1) this.users.set(userId, this.of(userId) - 1);
    else this.users.delete(userId);
  }
}

/** The open connections of this node, with their counts: a place is taken until the socket is over. */
@Injectable()
export class Connections {
  private readonly byTenant = new Map<string, Set<SocketConnection>>();
  /** By door and tenant. */
  private readonly places = new Map<string, Places>();
  private count = 0;

  get size(): number {
    return this.count;
  }

  get tenants(): readonly string[] {
    return [...this.byTenant.keys()];
  }

  /** Those that are open now. */
  all(): SocketConnection[] {
    const all: SocketConnection[] = [];
    for (const connections of this.byTenant.values()) for (const connection of connections) all.push(connection);
    return all;
  }

  ofTenant(tenantId: string): ReadonlySet<SocketConnection> {
    return this.byTenant.get(tenantId) ?? new Set();
  }

  /** Throws 429 when the caller's tenant or user has all the connections that it may have. */
  admit(caller: Caller, door: SocketDoor): void {
    const { tenant, tenantId } = caller;
    if (tenant === undefined) return;
    const places = this.places.get(placesKey(tenantId, door));
    const admit = (taken: number, limit: LimitName): void => {
      const most = limitOf(tenant, limit);
      if (most !== null && taken >= most)
        throw new AppError('RATE_LIMIT_EXCEEDED', `Too many connections: ${limit} allows ${most} at a time`, {
          details: { limit },
          retryAfterSeconds: RETRY_SECONDS,
        });
    };
    admit(places?.total ?? 0, door.tenantLimit);
    if (door.userLimit !== undefined) admit(places?.of(caller.userId) ?? 0, door.userLimit);
  }

  /** In the same turn as `admit`, so that nobody comes between. */
  add(connection: SocketConnection): void {
    const { tenantId, userId, door } = connection;
    const siblings = this.byTenant.get(tenantId) ?? new Set();
    this.byTenant.set(tenantId, siblings.add(connection));
    const key = placesKey(tenantId, door);
    const places = this.places.get(key) ?? new Places();
    this.places.set(key, places);
    places.take(userId);
    this.count++;
  }

  /** The socket is over. */
  remove(connection: SocketConnection): void {
    const { tenantId, userId, door } = connection;
    const siblings = this.byTenant.get(tenantId);
    if (siblings?.delete(connection) !== true) return;
    if (siblings.size === 0) this.byTenant.delete(tenantId);
    const key = placesKey(tenantId, door);
    const places = this.places.get(key);
    places?.giveBack(userId);
    if (places?.total === 0) this.places.delete(key);
    this.count--;
  }
}

function placesKey(tenantId: string, { path }: SocketDoor): string {
  return `${path} ${tenantId}`;
}
