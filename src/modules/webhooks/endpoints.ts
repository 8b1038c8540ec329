import { Injectable } from '@nestjs/common';
import { randomBytes } from 'node:crypto';
import { WebhookConfig } from '../../config';
import type { Transaction } from '../../platform/database';
import { describeError, Log } from '../../platform/logging';
import { publicUrl } from '../../platform/outbound';
import { type SecretBox, Secrets } from '../../platform/secrets';
import { WebhookDirectory } from './hooks';
import { type FreshWebhook, type WebhookEvent, WebhookSettings } from '../tenants';
import { WebhooksRepository } from './webhooks.repository';

/** Begins every webhook secret (Standard Webhooks). */
const WEBHOOK_SECRET_PREFIX = 'whsec_';
const BYTES = 32;

/** A new key for signatures: the prefix and 256 random bits as base64. */
function newWebhookSecret(): string {
  return WEBHOOK_SECRET_PREFIX + randomBytes(BYTES).toString('base64');
}

/** Where and how to post for a tenant. */
export interface WebhookEndpoint {
  readonly url: string;
  readonly events: readonly WebhookEvent[];
  /** `whsec_…`, all of which sign: the one in force first. Throws when the key that encrypted them is not known. */
  readonly secrets: () => readonly string[];
  readonly failingSince: Date | null;
  readonly disabledAt: Date | null;
  readonly disabledReason: string | null;
}

/** The events of a webhook that names none. */
const DEFAULT_WEBHOOK_EVENTS: readonly WebhookEvent[] = ['message.offline', 'notification.offline'];

const FIELD = 'settings.webhook.url';

/** The webhooks of tenants: their secrets, encrypted at rest, and whether they are in use. */
@Injectable()
export class WebhookEndpoints extends WebhookSettings {
  private readonly box: SecretBox;

  constructor(
    private readonly repository: WebhooksRepository,
    private readonly directory: WebhookDirectory,
    private readonly log: Log,
    private readonly config: WebhookConfig,
    secrets: Secrets,
  ) {
    super();
    this.box = secrets.box();
  }

  fresh(tenantId: string, text: string, events: readonly WebhookEvent[] = DEFAULT_WEBHOOK_EVENTS): FreshWebhook {
    const url = publicUrl(text, FIELD, this.config.allowPrivate).href;
    const secret = newWebhookSecret();
    return { secret, webhook: { url, events, secret: this.box.sealSecret(secret, tenantId) } };
  }

  /** How many of a tenant's secrets are sealed with keys that are not ours. */
  async countUnreadableSecrets(tenantId: string): Promise<number> {
    const row = await this.repository.find(tenantId);
    const sealed = [row?.secret, row?.previous_secret].filter((secret) => typeof secret === 'string');
    return sealed.filter((secret) => !this.box.knows(secret)).length;
  }

  async findEndpoint(tenantId: string): Promise<WebhookEndpoint | undefined> {
    const row = await this.repository.find(tenantId);
    if (row === undefined) return undefined;
    return {
      url: row.url,
      events: row.events,
      secrets: () =>
        [row.secret, ...(row.previous_secret === null ? [] : [row.previous_secret])].map((sealed) =>
          this.box.openSecret(sealed, tenantId),
        ),
      failingSince: row.failing_since,
      disabledAt: row.disabled_at,
      disabledReason: row.disabled_reason,
    };
  }

  /** A new secret, in this answer only; the old one signs too for the overlap. undefined: there is no webhook. */
  async rotateSecret(tx: Transaction, tenantId: string, overlapSeconds: number): Promise<string | undefined> {
    const secret = newWebhookSecret();
    const sealed = this.box.sealSecret(secret, tenantId);
    return (await this.repository.rotate(tx, tenantId, sealed, overlapSeconds)) ? secret : undefined;
  }

  markSucceeded(tenantId: string, url: string): Promise<void> {
    return this.repository.succeeded(tenantId, url);
  }

  /** Disables the webhook when it has only failed for too long. */
  async markFailed(tenantId: string, url: string): Promise<void> {
    if (!(await this.repository.failed(tenantId, url))) return;
    this.log.warn({ tenant_id: tenantId }, 'a webhook only fails and is disabled');
    await this.changed();
  }

  async disable(tenantId: string, url: string, reason: string): Promise<void> {
    if (await this.repository.disable(tenantId, url, reason)) await this.changed();
  }

  /** What cannot be read now, the next round reads. */
  async changed(): Promise<void> {
    await this.directory
      .refresh()
      .catch((error: unknown) => this.log.debug({ error: describeError(error) }, 'webhook directory'));
  }
}
