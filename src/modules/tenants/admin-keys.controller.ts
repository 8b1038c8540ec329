import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { pageRequest } from '../../common/limits';
import { Audited } from '../../platform/audit';
import { Access, type Caller } from '../../platform/auth';
import { ApiErrors, CurrentCaller, PageQueryDto } from '../../platform/http';
import { CreateKeyDto, KeyCreatedDto, KeyPageDto, RotateKeyDto } from './dto/key.dto';
import { KeysService } from './keys.service';

@ApiTags('Admin')
@Controller('admin/tenants/:tenant_id/keys')
export class AdminKeysController {
  constructor(private readonly keys: KeysService) {}

  /**
   * List a tenant's keys, oldest first, revoked and expired ones included.
   * @remarks
   * Of each key its prefix, scopes, expiry and last use; never the key. Another tenant's are 403.
   */
  @Get()
  @Access('admin')
  @ApiErrors('NOT_FOUND')
  list(
    @CurrentCaller() caller: Caller,
    @Param('tenant_id') tenantId: string,
    @Query() query: PageQueryDto,
  ): Promise<KeyPageDto> {
    return this.keys.list(caller, tenantId, pageRequest(query));
  }

  /**
   * Create a key. The key itself is in this answer only.
   * @remarks
   * Scopes: `chat` for users' calls, `admin` for the tenant's own management. Only a hash is stored: a key that is
   * lost is replaced, not shown. Another tenant's are 403.
   */
  @Post()
  @Access('admin', { secretAnswer: true })
  @Audited('key.create')
  @ApiErrors('NOT_FOUND', 'CONFLICT')
  create(
    @CurrentCaller() caller: Caller,
    @Param('tenant_id') tenantId: string,
    @Body() body: CreateKeyDto,
  ): Promise<KeyCreatedDto> {
    return this.keys.create(caller, tenantId, body);
  }

  /**
   * Replace a key by a new one; the old one works for the overlap, then ends.
   * @remarks
   * For the overlap both keys work, so that nothing stops while you roll it out; 0 ends the old one at once. An
   * unknown key is 404.
   */
  @Post(':key_id/rotate')
  @Access('admin', { secretAnswer: true })
  @Audited('key.rotate')
  @ApiErrors('NOT_FOUND', 'CONFLICT')
  rotate(
    @CurrentCaller() caller: Caller,
    @Param('tenant_id') tenantId: string,
    @Param('key_id') keyId: string,
    @Body() body: RotateKeyDto,
  ): Promise<KeyCreatedDto> {
    return this.keys.rotate(caller, tenantId, keyId, body);
  }

  /**
   * Revoke a key: its calls are refused within 2 s, tokens and tickets that it minted too.
   * @remarks
   * Sockets that were opened with it are closed with 4003. The key stays in the list, as revoked. An unknown key is
   * 404.
   */
  @Delete(':key_id')
  @HttpCode(204)
  @Access('admin')
  @Audited('key.revoke')
  @ApiErrors('NOT_FOUND', 'CONFLICT')
  revoke(
    @CurrentCaller() caller: Caller,
    @Param('tenant_id') tenantId: string,
    @Param('key_id') keyId: string,
  ): Promise<void> {
    return this.keys.revoke(caller, tenantId, keyId);
  }
}
