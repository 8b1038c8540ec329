import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { TenantBatching } from '../../../common/batching';
import { codeOf } from '../../../platform/database';
import {
  type Claim,
  type ClaimedPosition,
  type CursorPosition,
  type Entrance,
  type Neighbours,
  type Position,
  type RoomPosition,
  RoomPositions,
} from '../../../realtime';
import { UsersService } from '../../tenants';
import {
  type EntranceRow,
  type FoundPositionRow,
  type MemberPositionRow,
  type NeighboursRow,
  PositionsRepository,
} from './positions.repository';

const KNOWN_USERS = 50_000;
/** Users whose rooms are read in one statement, and rows of it: users may have thousands of rooms. */
const USERS_TOGETHER = 500;
const ROWS_TOGETHER = 10_000;
/** The same where of a room its id alone is read. */
const IDS_TOGETHER = 50_000;
/** Each of them takes its places in its rooms then. */
const USERS_PER_TURN = 8;
const ROOMS_PER_USER = 50;
/** In a storm: a statement of its own costs a user's rooms twice over, and who comes in a crowd waits longer for the turn. */
const GATHER_MS = 30;
const FOREIGN_KEY_VIOLATION = '23503';

/** Users by as many as have about so many rooms together, going by what the last ones had. */
class UserSlices {
  private roomsPerUser = ROOMS_PER_USER;

  constructor(private readonly rooms: number) {}

  /** @param read reads the rooms of a slice, which begins at `from`, and returns how many there were */
  async each(
    userIds: readonly string[],
    read: (slice: readonly string[], from: number) => Promise<number>,
  ): Promise<void> {
    for (let from = 0; from < userIds.length;) {
      const slice = userIds.slice(from, from + Math.max(1, Math.floor(this.rooms / this.roomsPerUser)));
      const rooms = await read(slice, from);
      this.roomsPerUser = Math.max(1, rooms / slice.length, this.roomsPerUser / 2);
      from += slice.length;
    }
  }
}

/** Which rooms the socket brings to a user. */
@Injectable()
export class MemberPositions extends RoomPositions {
  /** Users without a room that were made already: they may reconnect often. */
  private readonly known = new LRUCache<string, true>({ max: KNOWN_USERS });

  private readonly users: TenantBatching<string, readonly CursorPosition[]>;
  private readonly positionRows = new UserSlices(ROWS_TOGETHER);
  private readonly idRows = new UserSlices(IDS_TOGETHER);

  constructor(
    private readonly repository: PositionsRepository,
    private readonly tenantUsers: UsersService,
  ) {
    super();
    this.users = new TenantBatching(
      (tenantId, userIds) => this.read(tenantId, userIds),
      USERS_TOGETHER,
      USERS_PER_TURN,
      GATHER_MS,
    );
  }

  /** Only a user without a room may be new: becoming a member makes the user. So most connections cost no further query. */
  async positionsOf(tenantId: string, userId: string, mayGather = false): Promise<readonly CursorPosition[]> {
    const found = await this.users.submit(tenantId, userId, mayGather);
    if (found.length === 0) await this.ensure(tenantId, userId);
    return found;
  }

  async roomsOf(tenantId: string, userIds: readonly string[]): Promise<readonly (readonly string[])[]> {
    const found: (readonly string[])[] = userIds.map(() => []);
    await this.idRows.each(userIds, async (slice, from) => {
      let rooms = 0;
      for (const { n, room_ids } of await this.repository.roomIds(tenantId, slice)) {
        const ids = room_ids.split(',');
        found[from + n - 1] = ids;
        rooms += ids.length;
      }
      return rooms;
    });
    return found;
  }

  async findPosition(
    tenantId: string,
    roomId: string,
    userId: string,
  ): Promise<RoomPosition | 'no_room' | 'not_allowed'> {
    return foundPosition(await this.repository.find(tenantId, roomId, userId));
  }

  async findPositions(
    tenantId: string,
    claims: readonly Claim[],
    userId: string,
  ): Promise<readonly (ClaimedPosition | 'no_room' | 'not_allowed')[]> {
    const rows = await this.repository.findAll(tenantId, claims, userId);
    const found = new Map(rows.map((row) => [row.n, row]));
    return claims.map((_, i) => {
      const row = found.get(i + 1);
      const roomPosition = foundPosition(row);
      return typeof roomPosition === 'string'
        ? roomPosition
        : { ...roomPosition, firstRev: row?.first_rev ?? 0, messageId: row?.message_id ?? undefined };
    });
  }

  async entrances(tenantId: string, roomId: string, userIds: readonly string[]): Promise<readonly Entrance[]> {
    return (await this.repository.entrances(tenantId, roomId, userIds)).map((row) => {
      const { user_id: userId, role } = row;
      const imported = importedAt(row);
      if (imported !== undefined) return { userId, role, position: imported, isIn: true };
      if (row.rev === null) return { userId, role, position: { rev: 0, seq: 0 }, foundedBy: row.oldest };
      return { userId, role, position: { rev: row.rev - 1, seq: row.joined_seq } };
    });
  }

  async neighbours(
    tenantId: string,
    userIds: readonly string[],
    { largest, memberships }: { readonly largest: number; readonly memberships: number },
  ): Promise<Neighbours> {
    const rows = await this.repository.neighbours(tenantId, userIds, largest, memberships);
    return { rooms: neighboursOf(rows, userIds), later: userIds.slice(rows[0]?.answered) };
  }

  private async read(tenantId: string, userIds: readonly string[]): Promise<(readonly CursorPosition[])[]> {
    const found: CursorPosition[][] = userIds.map(() => []);
    await this.positionRows.each(userIds, async (slice, from) => {
      const rows = await this.repository.withCursors(tenantId, slice);
      for (const row of rows) found[from + row.n - 1]?.push({ ...positionOf(row), ackedSeq: row.acked_seq });
      return rows.length;
    });
    return found;
  }

  private async ensure(tenantId: string, userId: string): Promise<void> {
    const key = `${tenantId} ${userId}`;
    if (this.known.has(key)) return;
    try {
      await this.tenantUsers.ensure(tenantId, [userId]);
    } catch (error) {
      // The tenant has just gone: its sockets are closed for that (4003), not for a fault of ours.
      if (codeOf(error) !== FOREIGN_KEY_VIOLATION) throw error;
    }
    this.known.set(key, true);
  }
}

/** Of members that came with an import: of what it brought nobody is told. */
function importedAt({ rev, imported_rev, imported_seq }: EntranceRow): Position | undefined {
  if (imported_rev === null || imported_seq === null || (rev ?? 0) > imported_rev) return undefined;
  return { rev: imported_rev, seq: imported_seq };
}

function positionOf(row: MemberPositionRow): RoomPosition {
  return {
    roomId: row.room_id,
    firstSeq: row.first_seq,
    lastSeq: row.last_seq,
    lastRev: row.last_rev,
    memberCount: row.member_count,
  };
}

function foundPosition(row: FoundPositionRow | undefined): RoomPosition | 'no_room' | 'not_allowed' {
  if (row === undefined) return 'no_room';
  if (!row.allowed) return 'not_allowed';
  return row.role === null ? { ...positionOf(row), isListener: true } : positionOf(row);
}

/** Takes the lists apart only when their room is reached: all together have up to a hundred thousand ids. */
function* neighboursOf(rows: readonly NeighboursRow[], userIds: readonly string[]): Neighbours['rooms'] {
  for (const { seats, people } of rows) {
    if (seats === null || people === null) continue;
    yield { users: seats.split(',').flatMap((n) => userIds[Number(n) - 1] ?? []), people: people.split(',') };
  }
}
