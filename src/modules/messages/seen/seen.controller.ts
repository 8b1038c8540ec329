import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Access, type Caller } from '../../../platform/auth';
import { ApiErrors, CurrentCaller, CursorQueryDto } from '../../../platform/http';
import { MessageVersionPageDto, ReceiptPageDto } from '../dto/seen.dto';
import { SeenService } from './seen.service';

@ApiTags('Messages')
@Controller('rooms/:room_id/messages/:message_id')
export class SeenController {
  constructor(private readonly seen: SeenService) {}

  /**
   * List who has a message, and who has read it.
   * @remarks
   * Those who were members when it was sent and still are, without its sender and agents; who joined later is left out. A message
   * of another room is 404; who is no member is 403, of a channel too. The tenant's setting `read_receipts` may leave it to
   * the room's admins, or to nobody: 403 with `details.feature`.
   */
  @Get('receipts')
  @Access('user')
  @ApiErrors('NOT_FOUND')
  receipts(
    @CurrentCaller() caller: Caller,
    @Param('room_id') roomId: string,
    @Param('message_id') messageId: string,
    @Query() query: CursorQueryDto,
  ): Promise<ReceiptPageDto> {
    return this.seen.receipts(caller, roomId, messageId, query);
  }

  /**
   * List what a message said before it was edited.
   * @remarks
   * Only where the tenant's setting `message_history` is `on` (else 403 with `details.feature`), and of edits made since then. A
   * message that was never edited has none, and so has a deleted one: its versions are deleted with it. Whoever may read the
   * room may ask.
   */
  @Get('history')
  @Access('user')
  @ApiErrors('NOT_FOUND')
  history(
    @CurrentCaller() caller: Caller,
    @Param('room_id') roomId: string,
    @Param('message_id') messageId: string,
    @Query() query: CursorQueryDto,
  ): Promise<MessageVersionPageDto> {
    return this.seen.history(caller, roomId, messageId, query);
  }
}
