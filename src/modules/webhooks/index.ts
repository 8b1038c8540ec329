/**
 * Webhooks: a tenant is told of what happens, by signed posts to its URL (docs/adr/0019).
 *
 * Owns the tables webhooks and webhook_deliveries; that a webhook is a setting of its tenant it learns by the ports that the
 * tenants declare. Invariants: what happened and what
 * is to be posted are stored together, and it is posted until it is taken or given up as a dead letter, whatever dies;
 * every attempt carries the same id and body; no order is promised; a target that is slow, broken or hostile delays its
 * own tenant only. A tenant without a webhook costs nothing but a look into a map.
 *
 * Concurrency: planning and posting are jobs. Both may happen twice: ids are made of what they are about, so what was
 * planned twice is there once, and what was posted twice is known by its id.
 */
export { WebhookEndpoints } from './endpoints';
export { WebhookHooks } from './hooks';
export { WebhooksModule } from './webhooks.module';
export { WebhooksRepository } from './webhooks.repository';
export { type MessageWebhook, WebhooksService } from './webhooks.service';
