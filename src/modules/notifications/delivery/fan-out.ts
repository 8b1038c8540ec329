/** The job that hands a notification out to its targets, and the port for what is done for offline users. */
import { Injectable } from '@nestjs/common';
import { IsUUID } from 'class-validator';
import { exponential, type Job, JobHandler, JobKind, type JobRunner, type NewJob } from '../../../platform/jobs';
import { Metrics } from '../../../platform/metrics';
import { Presence } from '../../../realtime';
import type { SpreadBatch } from '../inbox/notifications.functions';
import { NotificationsRepository } from '../inbox/notifications.repository';
import { notificationFrame } from './session';
import { NotificationSessions } from './sessions';

/** Users without a connection when a notification was handed out to them. */
export interface OfflineTargets {
  readonly tenantId: string;
  /** UUID. */
  readonly notificationId: string;
  readonly topic: string;
  /** ISO 8601. */
  readonly createdAt: string;
  /** 1 to 1,000, in order. */
  readonly userIds: readonly string[];
  /** False: some of them may have a connection after all. What is done for them asks again. */
  readonly isSure: boolean;
}

/**
 * What else is done for users that are offline (a webhook); implemented by a module above. Its jobs are stored in the
 * transaction in which the fan-out goes on, so they exist exactly once per batch of targets, whatever dies.
 */
export abstract class OfflineJobs {
  /** None where the tenant wants nothing of it. */
  abstract jobsFor(targets: OfflineTargets): readonly NewJob[];
}

/** Targets per statement. */
export const BATCH = 1000;

class FanOutPayload {
  @IsUUID()
  notification_id!: string;
}

/** Made with the notification, by `notification_create`. */
const FAN_OUT = new JobKind('notification.fan_out', FanOutPayload);

/**
 * Hands a notification out to its targets, a batch at a time: their deliveries are stored, then the connections are
 * sent them, then it is stored how far this got. A worker that dies in between has its batch done again: the deliveries
 * are there already, and a user that has not got it is sent it once more, under the same id.
 */
@Injectable()
@JobHandler({
  kind: FAN_OUT,
  schedule: exponential(1000, 2, 60_000, 8),
  maxAttempts: 20,
  concurrency: 1,
  perTenant: 4,
  slots: 16,
})
export class FanOut implements JobRunner<FanOutPayload> {
  constructor(
    private readonly repository: NotificationsRepository,
    private readonly sessions: NotificationSessions,
    private readonly presence: Presence,
    private readonly offline: OfflineJobs,
    private readonly metrics: Metrics,
  ) {}

  async run({ tenantId, payload }: Job<FanOutPayload>, signal: AbortSignal): Promise<void> {
    const { notification_id: notificationId } = payload;
    for (let more = true; more;) {
      signal.throwIfAborted();
      const batch = await this.repository.spread(tenantId, notificationId, BATCH);
      if (batch === undefined || batch.last === null) return;
      this.tell(tenantId, notificationId, batch);
      const jobs = await this.offlineJobs(tenantId, notificationId, batch);
      more = batch.more;
      // The last batch ends with the job itself: what has to be stored with it is stored before.
      if (more || jobs.length > 0) await this.repository.advance(tenantId, notificationId, batch.last, jobs);
    }
  }

  private tell(tenantId: string, notificationId: string, batch: SpreadBatch): void {
    const frame = notificationFrame({ notification_id: notificationId, ...batch });
    this.sessions.publish({ tenantId, notificationId, userIds: batch.user_ids, frame });
    this.metrics.counter('chatapi_notifications_total').labels({ outcome: 'stored' }).inc(batch.user_ids.length);
  }

  private async offlineJobs(
    tenantId: string,
    notificationId: string,
    { topic, created_at, user_ids }: SpreadBatch,
  ): Promise<readonly NewJob[]> {
    if (user_ids.length === 0) return [];
    // Who is connected gets it at once: that it is not known yet who is holds up their webhook alone.
    const { userIds, isSure } = await this.presence.offline(tenantId, user_ids);
    if (userIds.length === 0) return [];
    return this.offline.jobsFor({
      tenantId,
      notificationId,
      topic,
      createdAt: new Date(created_at).toISOString(),
      userIds,
      isSure,
    });
  }
}
