import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { unavailable } from '../../common/errors';
import { Every } from '../../platform/lifecycle';
import type { WebhookEvent } from '../tenants';
import { WebhooksRepository } from './webhooks.repository';

const REFRESH_MS = 1000;
/** Longer than any transaction that changes a webhook: a change is seen although it commits after later ones. */
const OVERLAP_SECONDS = 30;

const NONE: readonly WebhookEvent[] = [];

/**
 * Which tenants want which events, in memory: every message asks. A change made elsewhere is in force within 2 s, one
 * made here at once.
 */
@Injectable()
export class WebhookDirectory implements OnApplicationBootstrap {
  private readonly byTenant = new Map<string, readonly WebhookEvent[]>();
  private isLoaded = false;
  private seenUntil: Date | undefined;

  constructor(private readonly repository: WebhooksRepository) {}

  /** Before the first call is taken. What cannot be read now the timer reads. */
  async onApplicationBootstrap(): Promise<void> {
    await this.refresh().catch(() => undefined);
  }

  /** Throws 503 as long as it is not known: what was stored meanwhile would be told to nobody. */
  eventsOf(tenantId: string): readonly WebhookEvent[] {
    if (!this.isLoaded) throw unavailable('The server is starting');
    return this.byTenant.get(tenantId) ?? NONE;
  }

  @Every(REFRESH_MS, 'webhook directory')
  async refresh(): Promise<void> {
    for (const { tenant_id, events, updated_at } of await this.repository.listening(this.seenUntil, OVERLAP_SECONDS)) {
      if (events.length === 0) this.byTenant.delete(tenant_id);
      else this.byTenant.set(tenant_id, events);
      if (this.seenUntil === undefined || updated_at > this.seenUntil) this.seenUntil = updated_at;
    }
    this.isLoaded = true;
  }
}
