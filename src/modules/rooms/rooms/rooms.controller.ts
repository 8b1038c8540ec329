import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { pageRequest } from '../../../common/limits';
import { Audited } from '../../../platform/audit';
import { Access, type Caller } from '../../../platform/auth';
import { ApiErrors, CurrentCaller } from '../../../platform/http';
import { CreateRoomDto, ListRoomsQueryDto, RoomDto, RoomPageDto, UpdateRoomDto } from '../dto/room.dto';
import { RoomsService } from './rooms.service';

@ApiTags('Rooms')
@Controller('rooms')
export class RoomsController {
  constructor(private readonly rooms: RoomsService) {}

  /**
   * Create a room. The caller of a group or channel becomes its admin; a dm that exists answers 409 with its id.
   * @remarks
   * A `dm` has exactly one other member and there is one per pair: a second is CONFLICT with `details.room_id`. A
   * `group` is for its members, a `channel` for everybody in the tenant who joins. Users that are named and unknown
   * are made. A `user_id` that is malformed is 400.
   */
  @Post()
  @Access('user')
  @ApiErrors('CONFLICT')
  create(@CurrentCaller() caller: Caller, @Body() body: CreateRoomDto): Promise<RoomDto> {
    return this.rooms.createRoom(caller, body);
  }

  /**
   * List my rooms, newest activity first, with my position, unread count and the newest message of each.
   * @remarks
   * `scope=joinable` lists the channels that I have not joined instead. Pages by `limit` and `offset`; the order
   * moves as people write, so a client that wants all of it follows the socket.
   */
  @Get()
  @Access('user')
  list(@CurrentCaller() caller: Caller, @Query() query: ListRoomsQueryDto): Promise<RoomPageDto> {
    return this.rooms.listRooms(caller, pageRequest(query), query.scope === 'joinable');
  }

  /**
   * Get a room: one of mine, or any channel.
   * @remarks
   * A room that I am not in is 403, one that does not exist 404; channels can be seen by everybody in the tenant.
   */
  @Get(':room_id')
  @Access('user')
  @ApiErrors('NOT_FOUND')
  get(@CurrentCaller() caller: Caller, @Param('room_id') roomId: string): Promise<RoomDto> {
    return this.rooms.get(caller, roomId);
  }

  /**
   * Change name, metadata (merged), posting or settings (merged). Room admins; both members of a dm.
   * @remarks
   * What is not sent stays; `metadata` is merged by its top-level keys and may then have 8 KB (400). Others than
   * those named are 403, and `posting` of a dm is 400. `settings` say which reactions members may give and who may pin;
   * what is switched off is refused with 403 and `details.feature`. All members are told by a `room.updated` frame.
   */
  @Patch(':room_id')
  @Access('user')
  @ApiErrors('NOT_FOUND')
  update(
    @CurrentCaller() caller: Caller,
    @Param('room_id') roomId: string,
    @Body() body: UpdateRoomDto,
  ): Promise<RoomDto> {
    return this.rooms.update(caller, roomId, body);
  }

  /**
   * Delete a room, for everybody. Room admins; a dm cannot be deleted.
   * @remarks
   * Its id is 404 from then on. Others than admins are 403, and so is a dm. Members are told by a `room.deleted`
   * frame.
   */
  @Delete(':room_id')
  @HttpCode(204)
  @Access('user')
  @Audited('room.delete')
  @ApiErrors('NOT_FOUND')
  delete(@CurrentCaller() caller: Caller, @Param('room_id') roomId: string): Promise<void> {
    return this.rooms.delete(caller, roomId);
  }
}
