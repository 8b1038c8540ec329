import { ByUser } from '../transport/by-user';
import type { AcceptedConnection, Connection } from './ports';
import type { RoomChannel } from './room-channel';

/** A connection with the channels that it is in, and the rooms that it wants none of. */
export class Listener {
  readonly channels: RoomChannel[] = [];
  /** Keys of rooms that it unsubscribed from; few do. */
  private muted: Set<string> | undefined;

  constructor(readonly connection: AcceptedConnection) {}

  get tenantId(): string {
    return this.connection.tenantId;
  }

  get userId(): string {
    return this.connection.userId;
  }

  hasMuted(room: string): boolean {
    return this.muted?.has(room) === true;
  }

  mute(room: string): void {
    this.muted = (this.muted ?? new Set()).add(room);
  }

  unmute(room: string): void {
    this.muted?.delete(room);
  }

  left(channel: RoomChannel): void {
    const at = this.channels.indexOf(channel);
    if (at >= 0) this.channels.splice(at, 1);
  }
}

/** The connections of this node, by user. */
export class Listeners {
  private readonly byUser = new ByUser<Listener>();

  add(connection: AcceptedConnection): Listener {
    const listener = new Listener(connection);
    this.byUser.add(listener);
    return listener;
  }

  get(connection: Connection): Listener | undefined {
    return this.of(connection.tenantId, connection.userId).find((listener) => listener.connection === connection);
  }

  delete(listener: Listener): void {
    this.byUser.delete(listener);
  }

  of(tenantId: string, userId: string): readonly Listener[] {
    return this.byUser.of(tenantId, userId);
  }

  has(tenantId: string, userId: string): boolean {
    return this.byUser.has(tenantId, userId);
  }

  /** One connection of every user who is connected. */
  users(): Generator<Listener, void> {
    return this.byUser.firsts();
  }
}
