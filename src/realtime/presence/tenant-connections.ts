import type { Connection } from '../transport';

/** Connections that wait: within a tenant first come, first served; the tenants take turns. */
export class TenantConnections {
  /** The first one is next. No set is empty. */
  private readonly tenants = new Map<string, Set<Connection>>();

  get isEmpty(): boolean {
    return this.tenants.size === 0;
  }

  get size(): number {
    return [...this.tenants.values()].reduce((sum, { size }) => sum + size, 0);
  }

  add(connection: Connection): void {
    const { tenantId } = connection;
    this.tenants.set(tenantId, (this.tenants.get(tenantId) ?? new Set()).add(connection));
  }

  /** Puts connections of one tenant before all others of it. */
  putBack(connections: readonly Connection[]): void {
    const [first] = connections;
    if (first === undefined) return;
    this.tenants.set(first.tenantId, new Set([...connections, ...(this.tenants.get(first.tenantId) ?? [])]));
  }

  /** At most `most` of the next tenant. */
  take(most: number): readonly Connection[] {
    const [next] = this.tenants;
    if (next === undefined) return [];
    const [tenantId, waiting] = next;
    const taken: Connection[] = [];
    for (const connection of waiting) {
      if (taken.length === most) break;
      waiting.delete(connection);
      taken.push(connection);
    }
    this.tenants.delete(tenantId);
    if (waiting.size > 0) this.tenants.set(tenantId, waiting);
    return taken;
  }
}
