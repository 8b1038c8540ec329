import { Injectable, type OnModuleInit } from '@nestjs/common';
import { WebhookConfig } from '../../config';
import { Jobs, type NewJob } from '../../platform/jobs';
import { type AppendHook, AppendHooks, type AppendHooksSource } from '../messages';
import { OfflineJobs, type OfflineTargets } from '../notifications';
import { WebhookDirectory, type WebhookEvent } from '../tenants';
import { PLAN } from './webhooks.jobs';

const NONE: readonly AppendHook[] = [];

/** Says what is to be stored with messages and notifications of tenants that have a webhook. */
@Injectable()
export class Hooks implements AppendHooksSource, OnModuleInit {
  private readonly byEvent: ReadonlyMap<WebhookEvent, AppendHook>;

  constructor(
    private readonly directory: WebhookDirectory,
    private readonly messages: AppendHooks,
    private readonly notifications: OfflineJobs,
    private readonly jobs: Jobs,
    config: WebhookConfig,
  ) {
    this.byEvent = new Map<WebhookEvent, AppendHook>([
      ['message.created', { event: 'message.created', delayMs: 0 }],
      ['message.offline', { event: 'message.offline', delayMs: config.offlineDelayMs }],
    ]);
  }

  onModuleInit(): void {
    this.messages.use(this);
    this.notifications.use((targets) => Promise.resolve(this.offline(targets)));
  }

  of(tenantId: string): readonly AppendHook[] {
    const events = this.directory.eventsOf(tenantId);
    return events.length === 0 ? NONE : events.flatMap((event) => this.byEvent.get(event) ?? []);
  }

  appended(): void {
    this.jobs.wake();
  }

  private offline({ tenantId, notificationId, userIds }: OfflineTargets): readonly NewJob[] {
    if (!this.directory.eventsOf(tenantId).includes('notification.offline')) return [];
    const payload = { notification_id: notificationId, user_ids: userIds };
    return [PLAN.job(notificationId, { event: 'notification.offline', ...payload })];
  }
}
