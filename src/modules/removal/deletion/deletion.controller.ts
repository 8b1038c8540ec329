import { Controller, Delete, Get, HttpCode, Param, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Audited } from '../../../platform/audit';
import { Access, type Caller } from '../../../platform/auth';
import { ApiErrors, CurrentCaller } from '../../../platform/http';
import { DeleteTenantQueryDto, DeletionBegunDto, DeletionDto } from './deletion.dto';
import { DeletionService } from './deletion.service';

@ApiTags('Admin')
@Controller('admin/tenants')
export class DeletionController {
  constructor(private readonly deletions: DeletionService) {}

  /**
   * Delete a tenant and all that it has. It cannot be taken back.
   * @remarks
   * At once its calls are refused, and its sockets and streams end within 5 s. Its rows go from about 15 s later on, in small
   * pieces, also across restarts: `GET …/deletion` tells how far it is. At the end nothing of the tenant is left but that
   * answer, and one row in the audit log of the installation. A repeat is answered with the same deletion; another name than
   * the tenant's is 400, and while one of its rooms or users is under a legal hold it is 409 with `details.reason`
   * `legal_hold`. Backups are not changed by it.
   */
  @Delete(':tenant_id')
  @HttpCode(202)
  @Access('master')
  @Audited('tenant.delete', 'tenant.deleted')
  @ApiErrors('NOT_FOUND', 'CONFLICT')
  begin(
    @CurrentCaller() caller: Caller,
    @Param('tenant_id') tenantId: string,
    @Query() { confirm }: DeleteTenantQueryDto,
  ): Promise<DeletionBegunDto> {
    return this.deletions.begin(caller, tenantId, confirm);
  }

  /**
   * Tell how far the deletion of a tenant is, and afterwards what it was.
   * @remarks
   * `waiting`: calls that were let in before may still be served. `deleting`: what is counted in `deleted` is gone. `done`: no
   * table has a row of it any more. A tenant that was never deleted is 404.
   */
  @Get(':tenant_id/deletion')
  @Access('master')
  @ApiErrors('NOT_FOUND')
  find(@Param('tenant_id') tenantId: string): Promise<DeletionDto> {
    return this.deletions.find(tenantId);
  }
}
