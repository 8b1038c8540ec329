import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Access, type Caller } from '../../../platform/auth';
import { ApiErrors, CurrentCaller } from '../../../platform/http';
import { TraceDto, TraceQueryDto } from '../dto/trace.dto';
import { TraceService } from './trace.service';

@ApiTags('Admin')
@Controller('rooms/:room_id/messages/:message_id/trace')
export class TraceController {
  constructor(private readonly traces: TraceService) {}

  /**
   * Tell what became of a message: when it was taken and committed, and who of the room was sent it, has acknowledged and read
   * it.
   * @remarks
   * For administrators; the content is not shown. It is put together from what is stored and what this server has in memory;
   * `unknown` says in words what that leaves open. With the master key `tenant_id` says whose message it is (400 without it).
   */
  @Get()
  @Access('admin')
  @ApiErrors('NOT_FOUND')
  trace(
    @CurrentCaller() caller: Caller,
    @Param('room_id') roomId: string,
    @Param('message_id') messageId: string,
    @Query() query: TraceQueryDto,
  ): Promise<TraceDto> {
    return this.traces.trace(caller, roomId, messageId, query);
  }
}
