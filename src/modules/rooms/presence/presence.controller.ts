import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { pageRequest } from '../../../common/limits';
import { Access, type Caller } from '../../../platform/auth';
import { ApiErrors, CurrentCaller, PageQueryDto } from '../../../platform/http';
import { RoomPresenceDto } from '../dto/member.dto';
import { RoomPresenceService } from './presence.service';

@ApiTags('Members')
@Controller('rooms/:room_id/presence')
export class PresenceController {
  constructor(private readonly presence: RoomPresenceService) {}

  /**
   * List who of a room is online, in rooms of any size. Who may list the members may list this. A user counts as
   * online until 5 seconds after their last connection closed.
   * @remarks
   * Online is who has at least one connection on /ws, and agents while a channel can answer; it works also where presence is no longer pushed because the
   * room is too large (`presence_room_limit`). A room that I am not in is 403.
   */
  @Get()
  @Access('user')
  @ApiErrors('NOT_FOUND')
  list(
    @CurrentCaller() caller: Caller,
    @Param('room_id') roomId: string,
    @Query() query: PageQueryDto,
  ): Promise<RoomPresenceDto> {
    return this.presence.list(caller, roomId, pageRequest(query));
  }
}
