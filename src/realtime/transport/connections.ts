import { Injectable } from '@nestjs/common';
import { AppError } from '../../common/errors';
import { type Caller, type LimitName, limitOf } from '../../platform/auth';
import type { SocketEndpoint } from './endpoint';
import type { SocketConnection } from './socket-connection';

/** Seconds after which a refused client may try again: other connections must close first. */
const RETRY_SECONDS = 5;

/** The places of a tenant that are taken at one endpoint, by user. */
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
  /** By endpoint and tenant. */
  private readonly places = new Map<string, Places>();
  private count = 0;

  get size(): number {
    return this.count;
  }

  get tenants(): readonly string[] {
    return [...this.byTenant.keys()];
  }

  /** The connections that are open now. */
  all(): SocketConnection[] {
    const all: SocketConnection[] = [];
    for (const connections of this.byTenant.values()) for (const connection of connections) all.push(connection);
    return all;
  }

  ofTenant(tenantId: string): ReadonlySet<SocketConnection> {
    return this.byTenant.get(tenantId) ?? new Set();
  }

  /**
   * Of a tenant, those of one user if it is given, in the order of their ids. Walks past what is not asked for, and copies
   * and sorts nothing: connections stand in the order in which they came, and so do their ids.
   * @param after the id of the last one before, `conn_…`; it need not be open any more
   */
  pageOf(tenantId: string, userId: string | undefined, after: string | undefined, most: number): SocketConnection[] {
    const page: SocketConnection[] = [];
    for (const connection of this.byTenant.get(tenantId) ?? []) {
      if (page.length === most) break;
      if (after !== undefined && connection.id <= after) continue;
      if (userId === undefined || connection.userId === userId) page.push(connection);
    }
    return page;
  }

  /** One that is open. @param id `conn_…` */
  find(tenantId: string, id: string): SocketConnection | undefined {
    for (const connection of this.byTenant.get(tenantId) ?? []) if (connection.id === id) return connection;
    return undefined;
  }

  /** Throws 429 when the caller's tenant or user has all the connections that it may have. */
  admit(caller: Caller, endpoint: SocketEndpoint): void {
    const { tenant, tenantId } = caller;
    if (tenant === undefined) return;
    const places = this.places.get(placesKey(tenantId, endpoint));
    const admit = (taken: number, limit: LimitName): void => {
      const most = limitOf(tenant, limit);
      if (most !== null && taken >= most)
        throw new AppError('RATE_LIMIT_EXCEEDED', `Too many connections: ${limit} allows ${most} at a time`, {
          details: { limit },
          retryAfterSeconds: RETRY_SECONDS,
        });
    };
    admit(places?.total ?? 0, endpoint.tenantLimit);
    if (endpoint.userLimit !== undefined) admit(places?.of(caller.userId) ?? 0, endpoint.userLimit);
  }

  /** Places that are taken at an endpoint, of the whole tenant or by one user. */
  placesTaken(tenantId: string, endpoint: SocketEndpoint, userId?: string): number {
    const places = this.places.get(placesKey(tenantId, endpoint));
    return (userId === undefined ? places?.total : places?.of(userId)) ?? 0;
  }

  /** In the same turn as `admit`, so that no other connection comes between. */
  add(connection: SocketConnection): void {
    const { tenantId, userId, endpoint } = connection;
    const siblings = this.byTenant.get(tenantId) ?? new Set();
    this.byTenant.set(tenantId, siblings.add(connection));
    const key = placesKey(tenantId, endpoint);
    const places = this.places.get(key) ?? new Places();
    this.places.set(key, places);
    places.take(userId);
    this.count++;
  }

  /** The socket is over. */
  remove(connection: SocketConnection): void {
    const { tenantId, userId, endpoint } = connection;
    const siblings = this.byTenant.get(tenantId);
    if (siblings?.delete(connection) !== true) return;
    if (siblings.size === 0) this.byTenant.delete(tenantId);
    const key = placesKey(tenantId, endpoint);
    const places = this.places.get(key);
    places?.giveBack(userId);
    if (places?.total === 0) this.places.delete(key);
    this.count--;
  }
}

function placesKey(tenantId: string, { path }: SocketEndpoint): string {
  return `${path} ${tenantId}`;
}

/** What a user has: as a rule one, and then it stands in the map itself. */
type Entry<T> = T | readonly T[];

/**
 * Things of this node's users. Connections are many: a user with one thing costs one map entry, whose key is the string
 * that the thing has anyway.
 */
export class ByUser<T extends { readonly tenantId: string; readonly userId: string }> {
  private readonly tenants = new Map<string, Map<string, Entry<T>>>();

  add(item: T): void {
    const { tenantId, userId } = item;
    let users = this.tenants.get(tenantId);
    if (users === undefined) this.tenants.set(tenantId, (users = new Map<string, Entry<T>>()));
    const known = users.get(userId);
    users.set(userId, known === undefined ? item : [...many(known), item]);
  }

  /** Nothing happens where it is not there. */
  delete(item: T): void {
    const { tenantId, userId } = item;
    const users = this.tenants.get(tenantId);
    const known = users?.get(userId);
    if (users === undefined || known === undefined) return;
    const left = many(known).filter((each) => each !== item);
    const [first] = left;
    if (first !== undefined) users.set(userId, left.length === 1 ? first : left);
    else users.delete(userId);
    if (users.size === 0) this.tenants.delete(tenantId);
  }

  /** In the order of adding; what is added or deleted meanwhile changes nothing in it. */
  ofUser(tenantId: string, userId: string): readonly T[] {
    const known = this.tenants.get(tenantId)?.get(userId);
    return known === undefined ? [] : many(known);
  }

  has(tenantId: string, userId: string): boolean {
    return this.tenants.get(tenantId)?.has(userId) === true;
  }

  /** The first thing of any user of the tenant. */
  anyOf(tenantId: string): T | undefined {
    for (const entry of this.tenants.get(tenantId)?.values() ?? []) return many(entry)[0];
    return undefined;
  }

  /** The first thing of every user; may be gone on with later, and then also gives users that have come meanwhile. */
  *firsts(): Generator<T, void> {
    for (const users of this.tenants.values())
      for (const entry of users.values()) {
        const first = isMany(entry) ? entry[0] : entry;
        if (first !== undefined) yield first;
      }
  }

  /** Everything. Leaves no garbage, as a generator would: it is called often, over all connections. */
  forEach(visit: (item: T) => void): void {
    for (const users of this.tenants.values())
      for (const entry of users.values())
        if (isMany(entry)) entry.forEach(visit);
        else visit(entry);
  }
}

function many<T extends object>(entry: Entry<T>): readonly T[] {
  return isMany(entry) ? entry : [entry];
}

function isMany<T extends object>(entry: Entry<T>): entry is readonly T[] {
  return Array.isArray(entry);
}
