import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { pageRequest } from '../../common/pagination';
import { Access, type Caller } from '../../platform/auth';
import { ApiErrors, CurrentCaller } from '../../platform/http';
import { CreateRoomDto, ListRoomsQueryDto, RoomDto, RoomPageDto, UpdateRoomDto } from './dto/room.dto';
import { RoomsService } from './rooms.service';

@ApiTags('Rooms')
@Controller('rooms')
export class RoomsController {
  constructor(private readonly rooms: RoomsService) {}

  /** Create a room. The caller of a group or channel becomes its admin; a dm that exists answers 409 with its id. */
  @Post()
  @Access('user')
  @ApiErrors('CONFLICT')
  create(@CurrentCaller() caller: Caller, @Body() body: CreateRoomDto): Promise<RoomDto> {
    return this.rooms.create(caller, body);
  }

  /** List my rooms, newest activity first, with my position, unread count and the newest message of each. */
  @Get()
  @Access('user')
  list(@CurrentCaller() caller: Caller, @Query() query: ListRoomsQueryDto): Promise<RoomPageDto> {
    return this.rooms.list(caller, pageRequest(query), query.scope === 'joinable');
  }

  /** Get a room: one of mine, or any channel. */
  @Get(':room_id')
  @Access('user')
  @ApiErrors('NOT_FOUND')
  get(@CurrentCaller() caller: Caller, @Param('room_id') roomId: string): Promise<RoomDto> {
    return this.rooms.get(caller, roomId);
  }

  /** Change name, metadata (merged) or posting. Room admins; both members of a dm. */
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

  /** Delete a room, for everybody. Room admins; a dm cannot be deleted. */
  @Delete(':room_id')
  @HttpCode(204)
  @Access('user')
  @ApiErrors('NOT_FOUND')
  delete(@CurrentCaller() caller: Caller, @Param('room_id') roomId: string): Promise<void> {
    return this.rooms.delete(caller, roomId);
  }
}
