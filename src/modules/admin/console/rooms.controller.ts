import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Audited } from '../../../platform/audit';
import { Access, type Caller } from '../../../platform/auth';
import { ApiErrors, CurrentCaller } from '../../../platform/http';
import { AdminRoomDetailDto, AdminRoomsDto, AdminRoomsQueryDto, LookQueryDto } from '../dto/console.dto';
import { AdminRoomsService } from './rooms.service';

@ApiTags('Admin')
@Controller('admin/rooms')
export class AdminRoomsController {
  constructor(private readonly rooms: AdminRoomsService) {}

  /**
   * List the rooms of a tenant, the newest first, or find them by the beginning of their names.
   * @remarks
   * Rooms that were deleted are left out. Without `prefix` rooms without a name are listed, too: dms have none. With the master
   * key `tenant_id` says whose (400 without it).
   */
  @Get()
  @Access('admin')
  @ApiErrors('NOT_FOUND')
  list(@CurrentCaller() caller: Caller, @Query() query: AdminRoomsQueryDto): Promise<AdminRoomsDto> {
    return this.rooms.list(caller, query);
  }

  /**
   * Look at a room: its members, how far each of them is, and who is connected.
   * @remarks
   * Also at a chat, and at a room that was deleted. The members come page by page. Messages are shown with `content=true`
   * alone, and that is written to the audit log. With the master key `tenant_id` says whose room it is (400 without it).
   */
  @Get(':room_id')
  @Access('admin')
  @Audited('room.read_content')
  @ApiErrors('NOT_FOUND')
  get(
    @CurrentCaller() caller: Caller,
    @Param('room_id') roomId: string,
    @Query() query: LookQueryDto,
  ): Promise<AdminRoomDetailDto> {
    return this.rooms.look(caller, roomId, query);
  }
}
