import { Body, Controller, HttpCode, Param, Patch, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Access, type Caller } from '../../../platform/auth';
import { ApiErrors, CurrentCaller } from '../../../platform/http';
import { MarkUnreadDto, RoomMeDto, UpdateMeDto } from '../dto/me.dto';
import { MeService } from './me.service';

@ApiTags('Members')
@Controller('rooms/:room_id')
export class MeController {
  constructor(private readonly me: MeService) {}

  /**
   * Set what I want of a room: muted, hidden, favourite, and which messages I am notified of.
   * @remarks
   * What is not sent stays. My other connections get it as `room.me`, nobody else does, and `GET /rooms` has it as `me`. While
   * muted, and with `notify: none`, the webhook `message.offline` leaves me out. It ends with my membership. Who is no member
   * of the room is 403.
   */
  @Patch('me')
  @Access('user')
  @ApiErrors('NOT_FOUND')
  update(
    @CurrentCaller() caller: Caller,
    @Param('room_id') roomId: string,
    @Body() body: UpdateMeDto,
  ): Promise<RoomMeDto> {
    return this.me.update(caller, roomId, body);
  }

  /**
   * Mark a room unread from a message on.
   * @remarks
   * A mark beside the positions, which never go back: `last_read_seq` stays, `unread_count` counts from the mark, where that lies
   * before it. The next `POST /reads` of the room clears it, also one that moves nothing. A message that is kept no more, or is
   * of before I joined, is 400, and so is one beyond the newest. My connections get `room.me`.
   */
  @Post('unread')
  @HttpCode(200)
  @Access('user')
  @ApiErrors('NOT_FOUND')
  unread(
    @CurrentCaller() caller: Caller,
    @Param('room_id') roomId: string,
    @Body() body: MarkUnreadDto,
  ): Promise<RoomMeDto> {
    return this.me.markUnread(caller, roomId, body);
  }
}
