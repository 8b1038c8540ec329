import { Controller, Get, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Access, type Caller } from '../../../platform/auth';
import { ApiErrors, CurrentCaller } from '../../../platform/http';
import { AuditPageDto, AuditQueryDto, VerifiedAuditDto, VerifyAuditQueryDto } from './audit.dto';
import { AuditService } from './audit.service';

@ApiTags('Admin')
@Controller('admin/audit')
export class AuditController {
  constructor(private readonly audit: AuditService) {}

  /**
   * What administrators did: with the master key, with admin keys, and as admins of rooms over others. The newest first.
   * @remarks
   * Each row was written in the transaction of what it tells. It says who, from where and when, and which fields are other
   * ones now; secrets and what users wrote are never in it. An admin key sees its own tenant; with the master key `tenant_id`
   * says whose (400 without it). The parameters narrow it down together.
   */
  @Get()
  @Access('admin')
  @ApiErrors('NOT_FOUND')
  list(@CurrentCaller() caller: Caller, @Query() query: AuditQueryDto): Promise<AuditPageDto> {
    return this.audit.list(caller, query);
  }

  /**
   * Prove that no row of the audit log was altered, removed or put in since it was written.
   * @remarks
   * Each row holds a keyed hash of itself and the row before, and so does the end of the log; without the server's encryption
   * key none can be made anew. A call proves 50,000 rows at most: go on with `after` = `next` until that is null. Note `head`
   * somewhere else now and then: that the whole log, its end included, was put back to an earlier day can be told by that
   * alone.
   */
  @Get('verify')
  @Access('admin')
  @ApiErrors('NOT_FOUND')
  verify(@CurrentCaller() caller: Caller, @Query() query: VerifyAuditQueryDto): Promise<VerifiedAuditDto> {
    return this.audit.verify(caller, query);
  }
}
