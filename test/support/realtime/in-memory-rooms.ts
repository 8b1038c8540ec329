import {
  Audience,
  type Connection,
  type CursorPosition,
  type Entrance,
  type Neighbours,
  type RoomPosition,
  RoomPositions,
  SharedRooms,
} from '../../../src/realtime';

/**
 * Rooms and who sits in them, in memory, for one tenant: what the rooms module and the feed would answer. `broken`
 * makes the look-ups fail like a database that is away.
 */
export class InMemoryRooms {
  broken = false;
  readonly positions: RoomPositions;
  readonly shared: SharedRooms;

  /** @param rooms room id → user ids */
  constructor(readonly rooms: Map<string, Set<string>>) {
    this.positions = new WorldSeats(this);
    this.shared = new WorldSharedRooms(this);
  }

  /** Throws while broken. */
  look(): void {
    if (this.broken) throw new Error('the database is away');
  }

  /** As the port says, straight from its words. */
  neighbours(
    userIds: readonly string[],
    { largest, memberships }: { readonly largest: number; readonly memberships: number },
  ): Neighbours {
    const asked = new Set<string>();
    let total = 0;
    let answered = 0;
    for (const userId of userIds) {
      const mine = this.roomsOf(userId, largest)
        .filter((room) => !asked.has(room) && this.membersOf(room).length > 1)
        .sort((a, b) => this.membersOf(a).length - this.membersOf(b).length);
      total += mine.reduce((sum, room) => sum + this.membersOf(room).length, 0);
      if (total > memberships && answered > 0) break;
      answered++;
      for (const room of mine) asked.add(room);
    }
    const told = new Set(userIds.slice(0, answered));
    let left = memberships;
    const fits = [...asked].filter((room) => (left -= this.membersOf(room).length) >= 0);
    const rooms = fits.map((room) => {
      const people = this.membersOf(room);
      return { users: people.filter((user) => told.has(user)), people };
    });
    return { rooms, later: userIds.slice(answered) };
  }

  private membersOf(roomId: string): string[] {
    return [...(this.rooms.get(roomId) ?? [])];
  }

  roomsOf(userId: string, largest: number): string[] {
    return [...this.rooms].filter(([, users]) => users.has(userId) && users.size <= largest).map(([id]) => id);
  }
}

/** The connections of one node. */
export class InMemoryAudience extends Audience {
  /** Connections that are not live in their rooms just now. */
  readonly syncing = new Set<Connection>();
  private readonly connections = new Set<Connection>();
  private detached: (connection: Connection, roomId: string) => void = () => undefined;

  constructor(private readonly world: InMemoryRooms) {
    super();
  }

  add(connection: Connection): void {
    this.connections.add(connection);
    connection.onClose(() => this.connections.delete(connection));
  }

  *members(tenantId: string, roomId: string): Iterable<Connection> {
    for (const connection of this.allMembers(tenantId, roomId)) if (!this.syncing.has(connection)) yield connection;
  }

  *allMembers(tenantId: string, roomId: string): Iterable<Connection> {
    const users = this.world.rooms.get(roomId);
    for (const connection of this.connections)
      if (connection.tenantId === tenantId && users?.has(connection.userId)) yield connection;
  }

  isMember(connection: Connection, roomId: string): boolean {
    return this.connections.has(connection) && (this.world.rooms.get(roomId)?.has(connection.userId) ?? false);
  }

  roomsOf(connection: Connection): number {
    return this.connections.has(connection) ? this.world.roomsOf(connection.userId, Infinity).length : 0;
  }

  onDetached(handler: (connection: Connection, roomId: string) => void): void {
    this.detached = handler;
  }

  /** As when the user was removed. */
  detach(connection: Connection, roomId: string): void {
    this.detached(connection, roomId);
  }
}

class WorldSeats extends RoomPositions {
  constructor(private readonly world: InMemoryRooms) {
    super();
  }

  positionsOf(): Promise<readonly CursorPosition[]> {
    return Promise.reject(new Error('not asked for by presence'));
  }

  roomsOf(): Promise<never> {
    return Promise.reject(new Error('not asked for by presence'));
  }

  findPositions(): Promise<never> {
    return Promise.reject(new Error('not asked for by presence'));
  }

  findPosition(): Promise<RoomPosition | 'no_room' | 'not_allowed'> {
    return Promise.reject(new Error('not asked for by presence'));
  }

  entrances(): Promise<readonly Entrance[]> {
    return Promise.reject(new Error('not asked for by presence'));
  }

  async neighbours(
    _tenantId: string,
    userIds: readonly string[],
    bounds: { readonly largest: number; readonly memberships: number },
  ): Promise<Neighbours> {
    this.world.look();
    return this.world.neighbours(userIds, bounds);
  }
}

class WorldSharedRooms extends SharedRooms {
  constructor(private readonly world: InMemoryRooms) {
    super();
  }

  async of(_tenantId: string, userIds: readonly string[], largest: number): Promise<ReadonlyMap<string, string[]>> {
    this.world.look();
    return new Map(userIds.map((id) => [id, this.world.roomsOf(id, largest)]));
  }
}
