import { Body, Controller, Param, Patch, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Audited } from '../../platform/audit';
import { Access, type Caller } from '../../platform/auth';
import { ApiErrors, CurrentCaller } from '../../platform/http';
import { HoldUserDto, RetainRoomDto, RetentionQueryDto, RoomRetentionDto, UserHoldDto } from './retention.dto';
import { RetentionService } from './retention.service';

@ApiTags('Admin')
@Controller('admin')
export class RetentionController {
  constructor(private readonly retention: RetentionService) {}

  /**
   * Say how long a room keeps its messages, or hold it.
   * @remarks
   * Of any room of the tenant, chats and rooms that were deleted among them. Shorter days take effect within about an hour, and
   * what has gone is not brought back by longer ones. A hold wins over the days: nothing expires, and what is deleted or
   * edited under it is kept by the server as it was, shown to nobody, until no hold covers it any more. With the master key
   * `tenant_id` says whose room it is (400 without it).
   */
  @Patch('rooms/:room_id')
  @Access('admin')
  @Audited('room.retention')
  @ApiErrors('NOT_FOUND', 'CONFLICT')
  room(
    @CurrentCaller() caller: Caller,
    @Param('room_id') roomId: string,
    @Query() query: RetentionQueryDto,
    @Body() body: RetainRoomDto,
  ): Promise<RoomRetentionDto> {
    return this.retention.room(caller, query.tenant_id, roomId, body);
  }

  /**
   * Hold what a user has written, or end that.
   * @remarks
   * Under a hold no room of theirs lets messages expire beyond their oldest one, and what is deleted or edited of theirs is kept
   * by the server as it was, shown to nobody. A user who is not there is 404. With the master key `tenant_id` says whose user
   * it is (400 without it).
   */
  @Patch('users/:user_id')
  @Access('admin')
  @Audited('user.hold')
  @ApiErrors('NOT_FOUND', 'CONFLICT')
  user(
    @CurrentCaller() caller: Caller,
    @Param('user_id') userId: string,
    @Query() query: RetentionQueryDto,
    @Body() body: HoldUserDto,
  ): Promise<UserHoldDto> {
    return this.retention.user(caller, query.tenant_id, userId, body);
  }
}
