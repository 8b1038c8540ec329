import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Audited } from '../../../platform/audit';
import { Access, type Caller } from '../../../platform/auth';
import { ApiErrors, CurrentCaller } from '../../../platform/http';
import { DeadLettersDto, DeadLettersQueryDto, ReplayDeadLettersDto, ReplayedDto } from '../dto/dead-letter.dto';
import { TenantQueryDto } from '../../tenants';
import { DeadLettersService } from './dead-letters.service';

@ApiTags('Admin')
@Controller('admin/dead-letters')
export class DeadLettersController {
  constructor(private readonly letters: DeadLettersService) {}

  /**
   * List what could not be delivered: messages that were never acknowledged, notifications, webhooks.
   * @remarks
   * An API key sees its own tenant's; with the master key `tenant_id` says whose (400 without it). They are kept
   * until they are delivered or dropped.
   */
  @Get()
  @Access('tenantOrMaster')
  @ApiErrors('NOT_FOUND')
  list(@CurrentCaller() caller: Caller, @Query() query: DeadLettersQueryDto): Promise<DeadLettersDto> {
    return this.letters.list(caller, query);
  }

  /**
   * Try dead letters once more, by id or by filter. They stay listed until they are delivered or dropped.
   * @remarks
   * Either ids or a filter, never both (400); an empty filter means all. Ids that do not exist are not counted. With
   * the master key `tenant_id` says whose (400 without it).
   */
  @Post('replay')
  @HttpCode(200)
  @Access('admin')
  @Audited('dead_letters.replay')
  @ApiErrors('NOT_FOUND', 'CONFLICT')
  replay(
    @CurrentCaller() caller: Caller,
    @Query() query: TenantQueryDto,
    @Body() body: ReplayDeadLettersDto,
  ): Promise<ReplayedDto> {
    return this.letters.replay(caller, query.tenant_id, body);
  }

  /**
   * Drop a dead letter. The message itself stays.
   * @remarks
   * For good. What it was about is not touched: a message stays in its room. An unknown id is 404. With the master
   * key `tenant_id` says whose.
   */
  @Delete(':id')
  @HttpCode(204)
  @Access('admin')
  @Audited('dead_letter.drop')
  @ApiErrors('NOT_FOUND', 'CONFLICT')
  drop(@CurrentCaller() caller: Caller, @Param('id') id: string, @Query() query: TenantQueryDto): Promise<void> {
    return this.letters.drop(caller, query.tenant_id, id);
  }
}
