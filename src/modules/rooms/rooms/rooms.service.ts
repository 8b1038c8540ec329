import { Injectable } from '@nestjs/common';
import { forbidden, invalid } from '../../../common/errors';
import { newUuid } from '../../../common/ids';
import { MAX_METADATA_BYTES, pageInfo, type PageRequest } from '../../../common/limits';
import { isoTime } from '../../../common/time';
import type { Caller } from '../../../platform/auth';
import { roomUuid, roomView, visible } from '../views';
import type {
  CreateRoomDto,
  LastMessageDto,
  ListedRoomDto,
  RoomDto,
  RoomPageDto,
  UpdateRoomDto,
} from '../dto/room.dto';
import { RoomChanges, roomDelete, roomUpdate } from '../rooms.functions';
import { type MyRoomRow, RoomsRepository } from './rooms.repository';

/** What the list of a user's rooms shows of their messages. */
export interface RoomPreview {
  readonly last_acked_seq: number;
  readonly last_read_seq: number;
  readonly unread_count: number;
  /** The member's mark of an unread room. */
  readonly unread_seq: number | null;
  readonly last_message: LastMessageDto | null;
}

export interface PreviewRequest {
  readonly roomId: string;
  readonly joinedSeq: number;
  readonly firstSeq: number;
  readonly lastSeq: number;
}

/** Previews of rooms for one of their members; the messages module implements it. */
export abstract class RoomPreviews {
  /** By room id (UUID); a room without an entry has no messages. */
  abstract previews(
    tenantId: string,
    userId: string,
    rooms: readonly PreviewRequest[],
  ): Promise<ReadonlyMap<string, RoomPreview>>;
}

/** Rooms: creating, finding, changing and deleting them. */
@Injectable()
export class RoomsService {
  constructor(
    private readonly repository: RoomsRepository,
    private readonly changes: RoomChanges,
    private readonly previews: RoomPreviews,
  ) {}

  /**
   * Creates a room; the caller of a group or channel becomes its admin.
   * @param roomId UUID of the new room, for the demo data; otherwise a new one
   * @throws 400 for wrong members, 403 for a token that is no member of its dm, 409 with `details.room_id` for a dm
   *   that exists
   */
  async createRoom(caller: Caller, input: CreateRoomDto, roomId = newUuid()): Promise<RoomDto> {
    const plan = planRoom(caller, input);
    const room = await this.changes.create(caller, {
      p_room: roomId,
      p_type: input.type,
      p_unique_key: plan.uniqueKey,
      p_name: input.name,
      p_metadata: input.metadata,
      p_posting: input.posting ?? 'members',
      p_users: plan.users,
      p_roles: plan.roles,
      p_by: caller.userId,
    });
    return roomView(room);
  }

  /** The caller's rooms with their positions, or the channels that they may join. */
  async listRooms(caller: Caller, page: PageRequest, joinable: boolean): Promise<RoomPageDto> {
    const { tenantId, userId } = caller;
    if (joinable) {
      const { rows, total } = await this.repository.joinable(tenantId, userId, page);
      return { rooms: rows.map(roomView), ...pageInfo(page, rows.length, total) };
    }
    const { rows, total } = await this.repository.mine(tenantId, userId, page);
    const wanted = rows.map((r) => ({
      ...{ roomId: r.room_id, joinedSeq: r.joined_seq },
      ...{ firstSeq: r.first_seq ?? 1, lastSeq: r.last_seq },
    }));
    const previews = await this.previews.previews(tenantId, userId, wanted);
    const rooms = rows.map((row) => listedRoom(row, previews.get(row.room_id)));
    return { rooms, ...pageInfo(page, rows.length, total) };
  }

  /** A room that the caller may see: a member's, or any channel. */
  async get(caller: Caller, roomId: string): Promise<RoomDto> {
    return roomView(visible(await this.repository.find(caller.tenantId, roomUuid(roomId), caller.userId)));
  }

  /** Changes what is sent; metadata and settings are merged by top-level key. Room admins, and both members of a dm. */
  async update(caller: Caller, roomId: string, input: UpdateRoomDto): Promise<RoomDto> {
    if (
      input.name === undefined &&
      input.metadata === undefined &&
      input.posting === undefined &&
      !hasKeys(input.settings)
    )
      throw invalid('name', 'Send at least one of name, metadata, posting, settings');
    const { room } = await this.changes.make(caller, roomUpdate, {
      p_room: roomUuid(roomId),
      p_user: caller.userId,
      p_name: input.name,
      p_metadata: input.metadata,
      p_posting: input.posting,
      p_settings: input.settings,
      p_max_bytes: MAX_METADATA_BYTES,
    });
    return roomView(room);
  }

  /** Deletes softly: the room is gone for all members, its messages stay in the database. Room admins. */
  async delete(caller: Caller, roomId: string): Promise<void> {
    const args = { p_room: roomUuid(roomId), p_user: caller.userId };
    await this.changes.make(caller, roomDelete, args, { action: 'room.delete' });
  }
}

/** A room as its member's list has it. */
function listedRoom(row: MyRoomRow, preview: RoomPreview | undefined): ListedRoomDto {
  const { unread_seq = null, ...position } = preview ?? {};
  const { muted_until, is_hidden, is_favourite, notify } = row;
  const me = {
    muted_until: muted_until === null ? null : isoTime(muted_until),
    hidden: is_hidden ?? false,
    favourite: is_favourite ?? false,
    notify: notify ?? 'all',
    unread_seq,
  };
  return { ...roomView(row), ...position, me };
}

/** The members of a new room, in the order of joining. */
export interface RoomPlan {
  readonly users: string[];
  readonly roles: string[];
  readonly uniqueKey: string | null;
}

/** Works out the members of a new room. Throws 400 or 403. */
export function planRoom(caller: Caller, input: CreateRoomDto): RoomPlan {
  const named = [...new Set(input.members ?? [])];
  if (input.type === 'dm') return planDm(caller, named, input);
  const users = [caller.userId, ...named.filter((user) => user !== caller.userId)];
  return { users, roles: users.map((_, i) => (i === 0 ? 'admin' : 'member')), uniqueKey: null };
}

function planDm(caller: Caller, named: string[], input: CreateRoomDto): RoomPlan {
  if (input.posting !== undefined) throw invalid('posting', 'posting cannot be set for a dm');
  const users = named.length === 1 ? [...new Set([caller.userId, ...named])] : named;
  const [a, b] = users;
  if (users.length !== 2 || a === undefined || b === undefined)
    throw invalid('members', 'A dm has exactly two different members');
  if (caller.kind === 'token' && !users.includes(caller.userId))
    throw forbidden('A user token may only create a dm of its own user');
  return { users, roles: ['member', 'member'], uniqueKey: dmKey(a, b) };
}

/** `dm:` and both ids, sorted by bytes, `%` as `%25` and `:` as `%3A`: one key per pair of users. */
export function dmKey(a: string, b: string): string {
  return `dm:${[a, b]
    .sort((x, y) => Buffer.compare(Buffer.from(x), Buffer.from(y)))
    .map((id) => id.replaceAll('%', '%25').replaceAll(':', '%3A'))
    .join(':')}`;
}

function hasKeys(value: object | undefined): boolean {
  return value !== undefined && Object.values(value).some((each) => each !== undefined);
}
