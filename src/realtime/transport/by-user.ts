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
  of(tenantId: string, userId: string): readonly T[] {
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

  /** The first thing of every user; may be gone on with later, and then tells of who has come meanwhile. */
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
