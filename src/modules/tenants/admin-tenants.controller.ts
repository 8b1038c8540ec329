import { Body, Controller, Get, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { pageRequest } from '../../common/limits';
import { Audited } from '../../platform/audit';
import { Access, type Caller } from '../../platform/auth';
import { ApiErrors, CurrentCaller, PageQueryDto } from '../../platform/http';
import {
  CreateTenantDto,
  TenantCreatedDto,
  TenantDto,
  TenantPageDto,
  TenantUpdatedDto,
  UpdateTenantDto,
} from './dto/tenant.dto';
import { TenantsService } from './tenants.service';

@ApiTags('Admin')
@Controller('admin/tenants')
export class AdminTenantsController {
  constructor(private readonly tenants: TenantsService) {}

  /**
   * Create a tenant. The answer holds its first API key (scopes chat and admin), once.
   * @remarks
   * Limits and settings that are not sent have their defaults. The key is shown in this answer only, so an
   * Idempotency-Key is not remembered here: a repeat makes another tenant.
   */
  @Post()
  @Access('master', { secretAnswer: true })
  @Audited('tenant.create')
  create(@CurrentCaller() caller: Caller, @Body() body: CreateTenantDto): Promise<TenantCreatedDto> {
    return this.tenants.create(caller, body);
  }

  /**
   * List all tenants, oldest first.
   * @remarks
   * Suspended ones too. Pages by `limit` and `offset`; `total` counts all.
   */
  @Get()
  @Access('master')
  list(@Query() query: PageQueryDto): Promise<TenantPageDto> {
    return this.tenants.list(pageRequest(query));
  }

  /**
   * Get one tenant. An admin-scoped key sees its own.
   * @remarks
   * `settings` holds what differs from the defaults, `limits` what is in force. An admin key that asks for another
   * tenant gets 403; an id that nobody has is 404 with the master key.
   */
  @Get(':tenant_id')
  @Access('admin')
  @ApiErrors('NOT_FOUND')
  get(@CurrentCaller() caller: Caller, @Param('tenant_id') tenantId: string): Promise<TenantDto> {
    return this.tenants.get(caller, tenantId);
  }

  /**
   * Change a tenant: what is sent is merged. Limits and settings are in force within 2 s, without a restart.
   * @remarks
   * Name and settings may be changed with an admin key of the tenant; `limits` and `status` need the master key, else
   * 403. In `settings` null goes back to the default; a limit is a number, null for unlimited, or "default". A
   * webhook's URL must be public (400), and setting a new one answers with its secret once. A tenant that is being deleted is
   * not changed any more (409).
   */
  @Patch(':tenant_id')
  @Access('admin')
  @Audited('tenant.update')
  @ApiErrors('NOT_FOUND', 'CONFLICT')
  update(
    @CurrentCaller() caller: Caller,
    @Param('tenant_id') tenantId: string,
    @Body() body: UpdateTenantDto,
  ): Promise<TenantUpdatedDto> {
    return this.tenants.update(caller, tenantId, body);
  }
}
