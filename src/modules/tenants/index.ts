/**
 * Tenants: the islands that everything else lives on, their API keys, users, tokens and tickets.
 *
 * Owns the tables tenants, api_keys, users. Invariants: only a key's SHA-256 is stored; a key, token or tenant that
 * is revoked, expired or suspended is refused within 2 s on every server, at once on the one that made the change.
 * Concurrency: concurrent look-ups of one credential share one query; a change drops the cache and whatever look-up
 * was under way when it was made.
 */
export { TenantCredentialWatch } from './credential-watch.repository';
export { TenantQueryDto } from './dto/tenant.dto';
export { FILE_TICKET_SECONDS, FileTickets } from './file-tickets';
export { KeysService } from './keys.service';
export { lockTenant } from './tenants.repository';
export { userHold } from './tenants.functions';
export { TenantsModule } from './tenants.module';
export { TenantsService } from './tenants.service';
export { TicketsRepository } from './tickets.repository';
export { UsersService } from './users.service';
export { TenantCredentialVerifier } from './verifier';
export {
  type FreshWebhook,
  type NewWebhook,
  WEBHOOK_EVENTS,
  type WebhookChange,
  type WebhookEvent,
  WebhookRows,
  type WebhookSetting,
  WebhookSettings,
} from './webhook-settings';
