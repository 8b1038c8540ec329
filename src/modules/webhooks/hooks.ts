import { Injectable } from '@nestjs/common';
import { WebhookConfig } from '../../config';
import { Jobs, type NewJob } from '../../platform/jobs';
import type { AppendHook, AppendHooks } from '../messages';
import type { OfflineJobs, OfflineTargets } from '../notifications';
import type { WebhookEvent } from '../tenants';
import { WebhookDirectory } from './directory';
import { PLAN } from './webhooks.jobs';

const NONE: readonly AppendHook[] = [];

/** Says what is to be stored with messages and notifications of tenants that have a webhook. */
@Injectable()
export class WebhookHooks implements AppendHooks, OfflineJobs {
  private readonly byEvent: ReadonlyMap<WebhookEvent, AppendHook>;

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
    return events.length === 0 ? NONE : events.flatMap((event) => this.byEvent.get(event) ?? []);
  }

  appended(): void {
    this.jobs.wake();
  }

  jobsFor({ tenantId, notificationId, userIds }: OfflineTargets): readonly NewJob[] {
    if (!this.directory.eventsOf(tenantId).includes('notification.offline')) return [];
    const payload = { notification_id: notificationId, user_ids: userIds };
    return [PLAN.job(notificationId, { event: 'notification.offline', ...payload })];
  }
}
