import type { AcceptedConnection, Connection } from '../contract';
import type { RoomChannel } from './room-channel';

/** A connection with what it listens to. */
export interface Listener {
  readonly connection: AcceptedConnection;
  readonly channels: Set<RoomChannel>;
  /** Keys of rooms that it unsubscribed from. */
  readonly muted: Set<string>;
}

/** One room of one tenant, as a map key. */
export function roomKey(tenantId: string, roomId: string): string {
  return `${tenantId}/${roomId}`;
}

/** The connections of this node, by user. */
export class Listeners {
  private readonly byConnection = new Map<Connection, Listener>();
  private readonly byUser = new Map<string, Map<Connection, Listener>>();

  add(connection: AcceptedConnection): Listener {
    const listener: Listener = { connection, channels: new Set(), muted: new Set() };
    this.byConnection.set(connection, listener);
    const key = userKey(connection.tenantId, connection.userId);
    const own = this.byUser.get(key) ?? new Map<Connection, Listener>();
    this.byUser.set(key, own.set(connection, listener));
    return listener;
  }

  get(connection: Connection): Listener | undefined {
    return this.byConnection.get(connection);
  }

  delete(connection: Connection): void {
    this.byConnection.delete(connection);
    const key = userKey(connection.tenantId, connection.userId);
    const own = this.byUser.get(key);
    own?.delete(connection);
    if (own?.size === 0) this.byUser.delete(key);
  }

  of(tenantId: string, userId: string): Iterable<Listener> {
    return this.byUser.get(userKey(tenantId, userId))?.values() ?? [];
  }

  has(tenantId: string, userId: string): boolean {
    return this.byUser.has(userKey(tenantId, userId));
  }

  /** One connection of every user who is connected. */
  users(): Connection[] {
    return [...this.byUser.values()].flatMap((own) => [...own.keys()].slice(0, 1));
  }
}

function userKey(tenantId: string, userId: string): string {
  return `${tenantId}/${userId}`;
}
