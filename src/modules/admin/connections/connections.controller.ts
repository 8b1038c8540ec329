import { Controller, Delete, Get, HttpCode, Param, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Audited } from '../../../platform/audit';
import { Access, type Caller } from '../../../platform/auth';
import { ApiErrors, CurrentCaller } from '../../../platform/http';
import { CloseConnectionQueryDto, ConnectionsDto, ConnectionsQueryDto } from '../dto/connection.dto';
import { AdminConnectionsService } from './connections.service';

@ApiTags('Admin')
@Controller('admin/connections')
export class AdminConnectionsController {
  constructor(private readonly connections: AdminConnectionsService) {}

  /**
   * List the open sockets of a tenant, or of one user of it, oldest first.
   * @remarks
   * As they are now; a page that is asked for later lacks what has closed meanwhile, and shows none twice. With the master
   * key `tenant_id` says whose (400 without it). Those of all servers; one that does not answer within a second is named in
   * `missing_nodes`.
   */
  @Get()
  @Access('admin')
  @ApiErrors('NOT_FOUND')
  list(@CurrentCaller() caller: Caller, @Query() query: ConnectionsQueryDto): Promise<ConnectionsDto> {
    return this.connections.list(caller, query);
  }

  /**
   * Close a socket. Its client comes back at once, unless the code tells it not to.
   * @remarks
   * 1013 is "try later"; 4003 and 4004 tell clients to stop and to get another credential, but refuse nothing: to keep a
   * user out, revoke the key or take them out of the room. One that is not open any more is 404; 503 where a server that may
   * have it does not answer.
   */
  @Delete(':connection_id')
  @HttpCode(204)
  @Access('admin')
  @Audited('connection.close')
  @ApiErrors('NOT_FOUND', 'CONFLICT')
  close(
    @CurrentCaller() caller: Caller,
    @Param('connection_id') connectionId: string,
    @Query() query: CloseConnectionQueryDto,
  ): Promise<void> {
    return this.connections.close(caller, connectionId, query);
  }
}
