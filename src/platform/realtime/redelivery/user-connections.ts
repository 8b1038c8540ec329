import type { AcceptedConnection } from '../contract';

/** The connections of this node by user. */
export class UserConnections {
  private readonly byUser = new Map<string, Set<AcceptedConnection>>();

  add(connection: AcceptedConnection): void {
    const { tenantId, userId } = connection;
    const key = `${tenantId}/${userId}`;
    const own = this.byUser.get(key) ?? new Set();
    this.byUser.set(key, own.add(connection));
    connection.onClose(() => {
      own.delete(connection);
      if (own.size === 0) this.byUser.delete(key);
    });
  }

  of(tenantId: string, userId: string): Iterable<AcceptedConnection> {
    return this.byUser.get(`${tenantId}/${userId}`) ?? [];
  }
}
