import { Body, Controller, Get, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { pageRequest } from '../../common/pagination';
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

  /** Create a tenant. The answer holds its first API key (scopes chat and admin), once. */
  @Post()
  @Access('master', { secretAnswer: true })
  create(@Body() body: CreateTenantDto): Promise<TenantCreatedDto> {
    return this.tenants.create(body);
  }

  /** List all tenants, oldest first. */
  @Get()
  @Access('master')
  list(@Query() query: PageQueryDto): Promise<TenantPageDto> {
    return this.tenants.list(pageRequest(query));
  }

  /** Get one tenant. An admin-scoped key sees its own. */
  @Get(':tenant_id')
  @Access('admin')
  @ApiErrors('NOT_FOUND')
  get(@CurrentCaller() caller: Caller, @Param('tenant_id') tenantId: string): Promise<TenantDto> {
    return this.tenants.get(caller, tenantId);
  }

  /** Change a tenant: what is sent is merged. Limits and settings are in force within 2 s, without a restart. */
  @Patch(':tenant_id')
  @Access('admin')
  @ApiErrors('NOT_FOUND')
  update(
    @CurrentCaller() caller: Caller,
    @Param('tenant_id') tenantId: string,
    @Body() body: UpdateTenantDto,
  ): Promise<TenantUpdatedDto> {
    return this.tenants.update(caller, tenantId, body);
  }
}
