import { Injectable } from '@nestjs/common';
import { invalid } from '../../common/errors';
import { newUuid } from '../../common/ids';
import { MAX_METADATA_BYTES, pageInfo, type PageRequest } from '../../common/limits';
import type { Caller } from '../../platform/auth';
import { roomUuid, visible } from './access';
import {
  type CreateRoomDto,
  type ListedRoomDto,
  type RoomDto,
  type RoomPageDto,
  type UpdateRoomDto,
} from './dto/room.dto';
import { planRoom } from './plan-room';
import { RoomPreviews } from './room-previews';
import { RoomChanges } from './room-changes';
import { roomDelete, roomUpdate } from './rooms.functions';
import { RoomsRepository } from './rooms.repository';
import { roomView } from './views';

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
  async create(caller: Caller, input: CreateRoomDto, roomId = newUuid()): Promise<RoomDto> {
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
    });
    return roomView(room);
  }

  /** The caller's rooms with their positions, or the channels that they may join. */
  async list(caller: Caller, page: PageRequest, joinable: boolean): Promise<RoomPageDto> {
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
    const rooms: ListedRoomDto[] = rows.map((row) => ({ ...roomView(row), ...previews.get(row.room_id) }));
    return { rooms, ...pageInfo(page, rows.length, total) };
  }

  /** A room that the caller may see: a member's, or any channel. */
  async get(caller: Caller, roomId: string): Promise<RoomDto> {
    return roomView(visible(await this.repository.find(caller.tenantId, roomUuid(roomId), caller.userId)));
  }

  /** Changes what is sent; metadata is merged by top-level key. Room admins, and both members of a dm. */
  async update(caller: Caller, roomId: string, input: UpdateRoomDto): Promise<RoomDto> {
    if (input.name === undefined && input.metadata === undefined && input.posting === undefined)
      throw invalid('name', 'Send at least one of name, metadata, posting');
    const { room } = await this.changes.make(caller, roomUpdate, {
      p_room: roomUuid(roomId),
      p_user: caller.userId,
      p_name: input.name,
      p_metadata: input.metadata,
      p_posting: input.posting,
      p_max_bytes: MAX_METADATA_BYTES,
    });
    return roomView(room);
  }

  /** Deletes softly: the room is gone for everybody, its messages stay in the database. Room admins. */
  async delete(caller: Caller, roomId: string): Promise<void> {
    await this.changes.make(caller, roomDelete, { p_room: roomUuid(roomId), p_user: caller.userId });
  }
}
