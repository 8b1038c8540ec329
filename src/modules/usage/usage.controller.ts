import { Controller, Get, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Access, type Caller } from '../../platform/auth';
import { ApiErrors, CurrentCaller } from '../../platform/http';
import { TenantUsageDto, TenantUsageQueryDto } from './dto/usage.dto';
import { UsageService } from './usage.service';

@ApiTags('Admin')
@Controller('admin/usage')
export class UsageController {
  constructor(private readonly service: UsageService) {}

  /**
   * What a tenant used: messages, answers of models and their tokens, storage, by day, user, room, model channel or preset.
   * @remarks
   * Exact but for the fields in `approximate`: what was committed before `complete_to` is in, usually less than a minute
   * ago. Days are UTC. An admin key sees its own tenant, another one's id is 404; with the master key `tenant_id` says whose
   * (400 without it). Items come by their day or name, rising.
   */
  @Get()
  @Access('admin')
  @ApiErrors('NOT_FOUND')
  usage(@CurrentCaller() caller: Caller, @Query() query: TenantUsageQueryDto): Promise<TenantUsageDto> {
    return this.service.usage(caller, query);
  }
}
