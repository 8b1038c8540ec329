import {
  Audience,
  type Connection,
  type CursorPosition,
  type Entrance,
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

  roomsOf(userId: string, largest: number): string[] {
    return [...this.rooms].filter(([, users]) => users.has(userId) && users.size <= largest).map(([id]) => id);
  }
}

/** The connections of one node. */
export class InMemoryAudience extends Audience {
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
    const users = this.world.rooms.get(roomId);
    for (const connection of this.connections)
      if (connection.tenantId === tenantId && users?.has(connection.userId)) yield connection;
  }

  isMember(connection: Connection, roomId: string): boolean {
    return this.connections.has(connection) && (this.world.rooms.get(roomId)?.has(connection.userId) ?? false);
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
    { largest, most }: { readonly largest: number; readonly most: number },
  ): Promise<ReadonlyMap<string, readonly string[]>> {
    this.world.look();
    const people = (id: string): string[] =>
      this.world.roomsOf(id, largest).flatMap((room) => [...(this.world.rooms.get(room) ?? [])]);
    return new Map(
      userIds.map((id) => [id, [...new Set(people(id))].filter((other) => other !== id).slice(0, most)] as const),
    );
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
