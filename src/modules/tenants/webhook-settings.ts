import type { Sql, Transaction } from '../../platform/database';

/** What can be posted to a webhook (contract §8). */
export const WEBHOOK_EVENTS = [
  'message.offline',
  'notification.offline',
  'message.created',
  'reaction.updated',
  'message.pinned',
  'room.created',
  'member.joined',
  'member.left',
  'budget.warning',
] as const;

export type WebhookEvent = (typeof WEBHOOK_EVENTS)[number];

/** The setting `webhook` of a tenant, as it is shown. */
export interface WebhookSetting {
  readonly url: string;
  readonly events: readonly WebhookEvent[];
}

/** A webhook to be set. */
export interface NewWebhook extends WebhookSetting {
  /** Sealed; used only where the URL is a new one. */
  readonly secret: string;
}

/** A webhook with a secret that has not been shown yet. */
export interface FreshWebhook {
  readonly webhook: NewWebhook;
  /** In clear, for the one answer that shows it. */
  readonly secret: string;
}

/** Makes webhooks of what tenants are set to. The webhooks module implements it. */
export abstract class WebhookSettings {
  /**
   * Throws 400 for what is no URL that may be asked.
   * @param tenantId UUID: what the secret is bound to
   */
  abstract fresh(tenantId: string, url: string, events?: readonly WebhookEvent[]): FreshWebhook;
  /** Puts a change that is committed in force on this server. */
  abstract changed(): Promise<void>;
}

/** What setting a webhook has changed: the URL is a `new` one and has the new secret; it was disabled; neither. */
export type WebhookChange = 'new' | 'enabled' | 'same';

/** Where the settings `webhook` are kept, changed with the rest of the tenant. The webhooks module implements it. */
export abstract class WebhookRows {
  /** The first one of a tenant that is being made. */
  abstract insert(tx: Transaction, tenantId: string, webhook: NewWebhook): Promise<void>;
  /** Stores it and enables it again. The tenant's row is locked. */
  abstract set(tx: Transaction, tenantId: string, webhook: NewWebhook): Promise<WebhookChange>;
  abstract clear(tx: Transaction, tenantId: string): Promise<void>;
  /** As it is set; null where there is none. */
  abstract settingOf(tenantId: string, tx?: Transaction): Promise<WebhookSetting | null>;
  /** The same where there is SQL alone. */
  abstract shownIn(sql: Sql, tenantId: string): Promise<WebhookSetting | null>;
  /** Of several tenants; those without one are missing. */
  abstract settingsOf(tenantIds: readonly string[]): Promise<ReadonlyMap<string, WebhookSetting>>;
}
