import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { unavailable } from '../../common/errors';
import { WebhookConfig } from '../../config';
import { Jobs, type NewJob } from '../../platform/jobs';
import { Every } from '../../platform/lifecycle';
import type { AppendHook, AppendHooks, StateHook } from '../messages';
import type { OfflineJobs, OfflineTargets } from '../notifications';
import type { WebhookEvent } from '../tenants';
import { PLAN } from './webhooks.jobs';
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

  /** Throws 503 as long as it is not known: of what was stored meanwhile no webhook would hear. */
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

const NO_HOOKS: readonly AppendHook[] = [];
const NO_STATE_HOOKS: readonly StateHook[] = [];

/** Of which kind of state an event tells. */
const STATE_EVENTS = { 'reaction.updated': 'reaction', 'message.pinned': 'pin' } as const;

/** Says what is to be stored with messages and notifications of tenants that have a webhook. */
@Injectable()
export class WebhookHooks implements AppendHooks, OfflineJobs {
  private readonly byEvent: ReadonlyMap<WebhookEvent, AppendHook>;
  private readonly stateHooks: ReadonlyMap<WebhookEvent, StateHook> = new Map(
    Object.entries(STATE_EVENTS).map(([event, state]) => [
      event as keyof typeof STATE_EVENTS,
      { state, kind: PLAN.name, payloadText: JSON.stringify({ event }) },
    ]),
  );

  constructor(
    private readonly directory: WebhookDirectory,
    private readonly jobs: Jobs,
    config: WebhookConfig,
  ) {
    const hook = (event: WebhookEvent, delayMs: number): [WebhookEvent, AppendHook] => [
      event,
      { kind: PLAN.name, payloadText: JSON.stringify({ event }), delayMs },
    ];
    this.byEvent = new Map([hook('message.created', 0), hook('message.offline', config.offlineDelayMs)]);
  }

  of(tenantId: string): readonly AppendHook[] {
    const events = this.directory.eventsOf(tenantId);
    return events.length === 0 ? NO_HOOKS : events.flatMap((event) => this.byEvent.get(event) ?? []);
  }

  ofStates(tenantId: string): readonly StateHook[] {
    const events = this.directory.eventsOf(tenantId);
    return events.length === 0 ? NO_STATE_HOOKS : events.flatMap((event) => this.stateHooks.get(event) ?? []);
  }

  appended(): void {
    this.jobs.wake();
  }

  jobsFor({ tenantId, notificationId, userIds, isSure }: OfflineTargets): readonly NewJob[] {
    if (!this.directory.eventsOf(tenantId).includes('notification.offline')) return [];
    const payload = { notification_id: notificationId, user_ids: userIds, ...(isSure ? {} : { is_unsure: true }) };
    return [PLAN.job(notificationId, { event: 'notification.offline', ...payload })];
  }
}
