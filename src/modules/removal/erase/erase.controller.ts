import { Controller, Get, HttpCode, Param, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Audited } from '../../../platform/audit';
import { Access, type Caller } from '../../../platform/auth';
import { ApiErrors, CurrentCaller } from '../../../platform/http';
import { ErasureDto, ErasureStartedDto } from './erase.dto';
import { EraseService } from './erase.service';

@ApiTags('Admin')
@Controller('admin/tenants/:tenant_id')
export class EraseController {
  constructor(private readonly erasures: EraseService) {}

  /**
   * Erase a user: everything that they wrote and that names them.
   * @remarks
   * Answered at once (202); a job does it, and GET of the erasure says how far it is. From now on, and for 24 hours, calls as
   * this user are refused with 403 and their connections are closed. Their messages become tombstones that keep their place,
   * memberships end, a dm stays with a member whom nobody knows and is closed, chats go whole, and where an id has to stand it
   * is `erased_` with a random end. What others wrote stays. A legal hold on the user, or on a room that they are in or have
   * written in, is 409 with the reason `legal_hold`. While it runs a repeat answers with the same erasure.
   */
  @Post('users/:user_id/erase')
  @HttpCode(202)
  @Access('admin')
  @Audited('user.erase')
  @ApiErrors('NOT_FOUND', 'CONFLICT')
  erase(
    @CurrentCaller() caller: Caller,
    @Param('tenant_id') tenantId: string,
    @Param('user_id') userId: string,
  ): Promise<ErasureStartedDto> {
    return this.erasures.erase(caller, tenantId, userId);
  }

  /**
   * How far the erase of a user is.
   * @remarks
   * It names nobody: afterwards it is the certificate of what has gone, and when.
   */
  @Get('erasures/:erasure_id')
  @Access('admin')
  @ApiErrors('NOT_FOUND')
  erasure(
    @CurrentCaller() caller: Caller,
    @Param('tenant_id') tenantId: string,
    @Param('erasure_id') erasureId: string,
  ): Promise<ErasureDto> {
    return this.erasures.find(caller, tenantId, erasureId);
  }
}
