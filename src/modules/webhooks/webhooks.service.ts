import { Injectable } from '@nestjs/common';
import { notFound } from '../../common/errors';
import { encodeId, newUuid } from '../../common/ids';
import { pageInfo, type PageRequest } from '../../common/limits';
import type { Caller } from '../../platform/auth';
import { type EffectResult, Effects } from '../../platform/idempotency';
import { TenantsService } from '../tenants';
import { type DeliveryRow, type SubjectRow, WebhookDeliveriesRepository } from './deliveries.repository';
import type { WebhookDeliveryDto, WebhookDeliveryPageDto, WebhookDto, WebhookRotatedDto } from './dto/webhook.dto';
import { WebhookEndpoints } from './endpoints';
import { deliveriesOf } from './planner';
import { Poster } from './poster';

const TEST = 'webhook.test';
const DEFAULT_OVERLAP_SECONDS = 86_400;

/** What was to be posted of a message, and what came of it. */
export interface MessageWebhook {
  readonly delivery: Omit<WebhookDeliveryDto, 'answer'>;
  /** Whom it names; undefined where that is not known any more, or it is not about members. */
  readonly userIds: readonly string[] | undefined;
}

/** A tenant's webhook, as its administrators see it. */
@Injectable()
export class WebhooksService {
  constructor(
    private readonly tenants: TenantsService,
    private readonly endpoints: WebhookEndpoints,
    private readonly repository: WebhookDeliveriesRepository,
    private readonly poster: Poster,
    private readonly effects: Effects,
  ) {}

  async get(caller: Caller, tenant: string): Promise<WebhookDto> {
    const endpoint = await this.endpoints.findEndpoint(await this.tenants.managed(caller, tenant));
    if (endpoint === undefined) throw notFound('Webhook');
    const { url, events, failingSince, disabledAt, disabledReason } = endpoint;
    return {
      url,
      events: [...events],
      status: disabledAt === null ? 'enabled' : 'disabled',
      failing_since: failingSince?.toISOString() ?? null,
      disabled_at: disabledAt?.toISOString() ?? null,
      disabled_reason: disabledReason,
    };
  }

  async rotate(caller: Caller, tenant: string, overlapSeconds = DEFAULT_OVERLAP_SECONDS): Promise<WebhookRotatedDto> {
    const tenantId = await this.tenants.managed(caller, tenant);
    const { secret } = await this.effects.transaction(
      caller,
      'rotate webhook secret',
      async (tx) => {
        const secret = await this.endpoints.rotateSecret(tx, tenantId, overlapSeconds);
        return { status: secret === undefined ? 'not_found' : 'ok', secret };
      },
      {
        tenantId,
        audit: {
          action: 'webhook.rotate',
          entry: () => ({
            target: encodeId('tenant', tenantId),
            before: { secret: 'old' },
            after: { secret: 'new' },
            details: { overlap_seconds: overlapSeconds },
          }),
        },
      },
    );
    if (secret === undefined) throw notFound('Webhook');
    return { webhook_secret: secret };
  }

  /** Posts once, whether or not the webhook is disabled, and says what came of it. */
  async test(caller: Caller, tenant: string): Promise<WebhookDeliveryDto> {
    const tenantId = await this.tenants.managed(caller, tenant);
    const { delivery } = await this.effects.harmless<EffectResult & { delivery: WebhookDeliveryDto }>(
      caller,
      tenantId,
      async () => ({ status: 'ok', delivery: deliveryView(await this.postTest(caller, tenantId)) }),
    );
    return delivery;
  }

  async deliveries(caller: Caller, tenant: string, page: PageRequest): Promise<WebhookDeliveryPageDto> {
    const tenantId = await this.tenants.managed(caller, tenant);
    const { rows, total } = await this.repository.page(tenantId, page);
    return { deliveries: rows.map(deliveryView), ...pageInfo(page, rows.length, total) };
  }

  /** Those of a message; of `message.offline` that about the room's first 1,000 members. @param messageId `msg_…` */
  async ofMessage(tenantId: string, messageId: string): Promise<MessageWebhook[]> {
    const rows = await this.repository.ofIds(tenantId, deliveriesOf(messageId));
    return rows.map(webhookOf);
  }

  private async postTest(caller: Caller, tenantId: string): Promise<DeliveryRow> {
    const endpoint = await this.endpoints.findEndpoint(tenantId);
    if (endpoint === undefined) throw notFound('Webhook');
    const id = newUuid();
    await this.effects.announce(caller, tenantId, 'webhook.test', {
      target: encodeId('tenant', tenantId),
      details: { asked: true, delivery: encodeId('webhook', id) },
    });
    const data = { tenant_id: encodeId('tenant', tenantId) };
    const body = JSON.stringify({ type: TEST, timestamp: new Date().toISOString(), data });
    const posted = await this.poster.post(endpoint, { tenantId, id, body }, new AbortController().signal);
    return this.repository.record(tenantId, id, TEST, posted);
  }
}

function webhookOf(row: SubjectRow): MessageWebhook {
  const { answer: _, ...delivery } = deliveryView(row);
  return { delivery, userIds: row.user_ids ?? undefined };
}

function deliveryView(row: DeliveryRow): WebhookDeliveryDto {
  return {
    webhook_id: encodeId('webhook', row.delivery_id),
    type: row.type,
    state: row.state,
    attempts: row.attempts,
    status: row.status,
    latency_ms: row.latency_ms,
    answer: row.answer,
    error: row.error,
    created_at: row.created_at.toISOString(),
    last_attempt_at: row.last_attempt_at?.toISOString() ?? null,
  };
}
