import { Injectable } from '@nestjs/common';
import { AppError } from '../../common/errors';
import { type Caller, limitOf } from '../../platform/auth';
import { type FullPlaces, type PlaceLimits, type PlaceOwner, Places } from '../../platform/cluster';
import { Stat } from '../../platform/metrics';
import type { SocketEndpoint } from './endpoint';
import type { SocketConnection } from './socket-connection';

/** Seconds after which a refused client may try again: other connections must close first. */
const RETRY_SECONDS = 5;

/** A place that an upgrade has: until its connection has it, or until it has come to nothing. */
export class Reservation {
  private isOver = false;

  constructor(
    private readonly places: Places,
    private readonly owner: PlaceOwner,
  ) {}

  /** A connection has it from now on. */
  handOver(): void {
    this.isOver = true;
  }

  /** Nothing happens where a connection has it. */
  release(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.places.giveBack(this.owner);
  }
}

/** The open connections of this node, and who may have one more: a place is taken until the socket is over. */
@Injectable()
export class Connections {
  private readonly byTenant = new Map<string, Set<SocketConnection>>();
  /** By endpoint and tenant. */
  private readonly counts = new Map<string, number>();
  private readonly paths = new Map<string, number>();
  private count = 0;

  constructor(private readonly places: Places) {}

  get size(): number {
    return this.count;
  }

  get tenants(): readonly string[] {
    return [...this.byTenant.keys()];
  }

  @Stat('connected')
  connected(): readonly string[] {
    return this.tenants;
  }

  /** How many are open, by path; in all or of one tenant. */
  @Stat('connections')
  byPath(tenantId?: string): Readonly<Record<string, number>> {
    if (tenantId === undefined) return Object.fromEntries(this.paths);
    const counts: Record<string, number> = {};
    for (const path of this.paths.keys()) counts[path] = this.counts.get(`${path} ${tenantId}`) ?? 0;
    return counts;
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

  /** Throws 429 when the caller's tenant or user surely has all the connections that it may have. */
  admit(caller: Caller, endpoint: SocketEndpoint): void {
    const limits = limitsOf(caller, endpoint);
    // A key alone may come in at endpoints that limit no user: whose it becomes is found out behind this.
    const userId = endpoint.userLimit === undefined ? (caller.optionalUserId ?? '') : caller.userId;
    const owner = { where: endpoint.path, tenantId: caller.tenantId, userId };
    refuseFull(this.places.fullHere(owner, limits), limits, endpoint);
  }

  /**
   * Takes a place for a connection that is to come; throws 429 when all are taken. Answers at once where no other node has
   * to be asked.
   */
  reserve(caller: Caller, endpoint: SocketEndpoint): Reservation | Promise<Reservation> {
    const [owner, limits] = [ownerOf(caller, endpoint), limitsOf(caller, endpoint)];
    const reserved = (full: FullPlaces | undefined): Reservation => {
      refuseFull(full, limits, endpoint);
      return new Reservation(this.places, owner);
    };
    const full = this.places.take(owner, limits);
    return full instanceof Promise ? full.then(reserved) : reserved(full);
  }

  /** Places that are taken at an endpoint on all nodes, of the whole tenant or by one user. */
  placesTaken(tenantId: string, { path }: SocketEndpoint, userId?: string): number | Promise<number> {
    return this.places.taken(path, tenantId, userId);
  }

  /** @param place its own: it has it from now on */
  add(connection: SocketConnection, place: Reservation): void {
    const { tenantId, endpoint } = connection;
    const siblings = this.byTenant.get(tenantId) ?? new Set();
    this.byTenant.set(tenantId, siblings.add(connection));
    place.handOver();
    const key = countKey(tenantId, endpoint);
    this.counts.set(key, (this.counts.get(key) ?? 0) + 1);
    this.paths.set(endpoint.path, (this.paths.get(endpoint.path) ?? 0) + 1);
    this.count++;
  }

  /** The socket is over. */
  remove(connection: SocketConnection): void {
    const { tenantId, userId, endpoint } = connection;
    const siblings = this.byTenant.get(tenantId);
    if (siblings?.delete(connection) !== true) return;
    if (siblings.size === 0) this.byTenant.delete(tenantId);
    this.places.giveBack({ where: endpoint.path, tenantId, userId });
    const key = countKey(tenantId, endpoint);
    const left = (this.counts.get(key) ?? 1) - 1;
    if (left === 0) this.counts.delete(key);
    else this.counts.set(key, left);
    this.paths.set(endpoint.path, (this.paths.get(endpoint.path) ?? 1) - 1);
    this.count--;
  }
}

function countKey(tenantId: string, { path }: SocketEndpoint): string {
  return `${path} ${tenantId}`;
}

function ownerOf({ tenantId, userId }: Caller, { path }: SocketEndpoint): PlaceOwner {
  return { where: path, tenantId, userId };
}

function limitsOf({ tenant }: Caller, { tenantLimit, userLimit }: SocketEndpoint): PlaceLimits {
  if (tenant === undefined) return { tenant: null, user: null };
  return { tenant: limitOf(tenant, tenantLimit), user: userLimit === undefined ? null : limitOf(tenant, userLimit) };
}

function refuseFull(full: FullPlaces | undefined, limits: PlaceLimits, endpoint: SocketEndpoint): void {
  if (full === undefined) return;
  const limit = full === 'user' ? endpoint.userLimit : endpoint.tenantLimit;
  throw new AppError('RATE_LIMIT_EXCEEDED', `Too many connections: ${limit} allows ${limits[full]} at a time`, {
    details: { limit },
    retryAfterSeconds: RETRY_SECONDS,
  });
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
