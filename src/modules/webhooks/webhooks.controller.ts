import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { pageRequest } from '../../common/limits';
import { Audited } from '../../platform/audit';
import { Access, type Caller } from '../../platform/auth';
import { ApiErrors, CurrentCaller, PageQueryDto } from '../../platform/http';
import {
  RotateWebhookDto,
  WebhookDeliveryDto,
  WebhookDeliveryPageDto,
  WebhookDto,
  WebhookRotatedDto,
} from './dto/webhook.dto';
import { WebhooksService } from './webhooks.service';

@ApiTags('Admin')
@Controller('admin/tenants/:tenant_id/webhook')
export class WebhooksController {
  constructor(private readonly webhooks: WebhooksService) {}

  /**
   * Where a tenant's webhook leads, and whether it works. It is set with PATCH /admin/tenants/{tenant_id}.
   * @remarks
   * `disabled_at` and its reason say why nothing is posted any more; setting the URL again enables it. Without a
   * webhook 404, another tenant 403.
   */
  @Get()
  @Access('admin')
  @ApiErrors('NOT_FOUND')
  get(@CurrentCaller() caller: Caller, @Param('tenant_id') tenantId: string): Promise<WebhookDto> {
    return this.webhooks.get(caller, tenantId);
  }

  /**
   * Replace the secret by a new one, which is in this answer only; the old one signs too for the overlap.
   * @remarks
   * During the overlap each post carries both signatures, so that you can change it without losing one. Without a
   * webhook 404.
   */
  @Post('rotate')
  @HttpCode(200)
  @Access('admin', { secretAnswer: true })
  @Audited('webhook.rotate')
  @ApiErrors('NOT_FOUND', 'CONFLICT')
  rotate(
    @CurrentCaller() caller: Caller,
    @Param('tenant_id') tenantId: string,
    @Body() body: RotateWebhookDto,
  ): Promise<WebhookRotatedDto> {
    return this.webhooks.rotate(caller, tenantId, body.overlap_seconds);
  }

  /**
   * Post a `webhook.test` now, and see what the target answers. It is tried once, and disabled webhooks are tried
   * too.
   * @remarks
   * Answers with the target's status or with why there is none. It is signed as any other. Without a webhook 404.
   */
  @Post('test')
  @HttpCode(200)
  @Access('admin')
  @Audited('webhook.test')
  @ApiErrors('NOT_FOUND', 'CONFLICT')
  test(@CurrentCaller() caller: Caller, @Param('tenant_id') tenantId: string): Promise<WebhookDeliveryDto> {
    return this.webhooks.test(caller, tenantId);
  }

  /**
   * The log of deliveries, newest first, each with its last attempt.
   * @remarks
   * Those that wait, those that the target took, and those that were given up on: these are dead letters, and can be
   * replayed.
   */
  @Get('deliveries')
  @Access('admin')
  @ApiErrors('NOT_FOUND')
  deliveries(
    @CurrentCaller() caller: Caller,
    @Param('tenant_id') tenantId: string,
    @Query() query: PageQueryDto,
  ): Promise<WebhookDeliveryPageDto> {
    return this.webhooks.deliveries(caller, tenantId, pageRequest(query));
  }
}
