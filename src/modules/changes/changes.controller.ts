import { Controller, Get, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Access, type Caller } from '../../platform/auth';
import { ApiErrors, CurrentCaller } from '../../platform/http';
import { ChangesService } from './changes.service';
import { TenantChangesDto, TenantChangesQueryDto } from './dto/changes.dto';

@ApiTags('Messages')
@Controller('changes')
export class ChangesController {
  constructor(private readonly changes: ChangesService) {}

  /**
   * Follow everything that changes in all rooms of the tenant, chats with models included. For back ends.
   * @remarks
   * The first call is without `after`: it has no changes, and its `next` is where the feed stands. Then read the rooms that you
   * want a copy of, and go on with `after` = `next`: at once while `has_more`, else when you like. Changes of one room come in order
   * of `rev`, each at least once and none is left out; apply those that you have already once more. They come some tenths of a
   * second after their commit. A `room.reset` says that the room keeps no more what changed up to its `rev`, since a user was erased or
   * the retention has ended: drop what you have of the room and read it anew, as where `GET /rooms/{room_id}/changes` answers
   * `reset`. Of a room that was deleted only that is told, maybe more than once, and `by` whom only where that is kept. Collecting begins with the first call, which may tell of
   * changes of minutes before, too. Changes are kept for seven days; a cursor behind them, or of another `epoch`, or of a feed
   * that nobody has asked for seven days, gets 410 CURSOR_EXPIRED: `details.cursor` is a fresh one, with which to begin as
   * with the first. User tokens are 403; an `X-User-Id` does not narrow it.
   */
  @Get()
  @Access('tenantKey')
  @ApiErrors('CURSOR_EXPIRED')
  list(@CurrentCaller() caller: Caller, @Query() query: TenantChangesQueryDto): Promise<TenantChangesDto> {
    return this.changes.page(caller, query);
  }
}
